"""`ammon summarise`, `prompts` and `sessions`, over the sample folder; no language model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from ammon.answer.history import Turn
from ammon.answer.sessions import Sessions

Run = Callable[..., Result]


@pytest.fixture
def own(library: str, tmp_path: Path) -> str:
    """A copy of the library, to be changed."""
    return str(shutil.copytree(library, tmp_path / "own"))


def test_a_summary_shows_each_sentence_with_its_place(run: Run, folder: Path, library: str) -> None:
    result = run("summarise", str(folder / "notes" / "lighthouse.md"), "--sentences", "3", "-L", library)
    lines = result.stdout.splitlines()
    assert len(lines) == 6
    assert all("notes/lighthouse.md:" in line for line in lines[1::2])


def test_a_summary_as_json_holds_the_quotes_and_the_places(run: Run, library: str) -> None:
    result = run("summarise", "how", "do", "bees", "dance?", "--sentences", "1", "--json", "-L", library)
    answer = json.loads(result.stdout)
    assert answer["way"] == "extracted"
    assert answer["statements"][0]["citations"][0]["quote"]
    assert "bees.txt:" in answer["places"][0][0]


def test_a_language_model_that_is_none_ends_with_its_code(run: Run, library: str) -> None:
    result = run("summarise", "bees", "--llm", "no-such-model", "-L", library)
    assert result.exit_code == 4


def test_prompts_are_listed_with_whose_they_are(run: Run, own: str) -> None:
    assert run("prompts", "copy", "map", "--language", "zh", "-L", own).exit_code == 0
    listed = run("prompts", "-L", own).stdout.splitlines()
    mine = [line for line in listed if "  own  " in line]
    assert len(listed) > 30
    assert len(mine) == 1
    assert mine[0].startswith("map                   zh  version 1")
    assert len(json.loads(run("prompts", "-L", own, "--json").stdout)) == len(listed)


def test_a_prompt_is_shown_as_it_stands_in_its_file(run: Run, own: str) -> None:
    run("prompts", "copy", "map", "-L", own)
    path = Path(own) / "prompts" / "map.en.md"
    path.write_text(path.read_text("utf-8").replace("Write down", "Jot down"), "utf-8")
    assert run("prompts", "show", "map", "-L", own).stdout.rstrip() == path.read_text("utf-8").rstrip()
    assert json.loads(run("prompts", "show", "map", "-L", own, "--json").stdout)["own"] is True
    assert run("doctor", "-L", own).exit_code == 0


def test_options_before_a_verb_of_a_group_are_not_ignored(run: Run, own: str) -> None:
    for group in ("prompts", "sessions"):
        result = run(group, "-L", own, "show", "map")
        assert result.exit_code == 2
        assert f"ammon {group} VERB [OPTIONS]" in result.output


def test_optimising_without_a_language_model_says_how_to_name_one(run: Run, own: str) -> None:
    result = run("prompts", "optimise", "answer", "questions.jsonl", "-L", own)
    assert result.exit_code == 2
    assert "--llm" in result.output


def test_sessions_are_listed_shown_and_deleted(run: Run, own: str) -> None:
    Sessions(Path(own)).append("tea", Turn("How hot?", "80 °C.\x1b[2J", ("tea.md:3",), "2026-01-02T03:04:05+00:00"))
    assert run("sessions", "-L", own).stdout == "tea  1 turn  How hot?\n"
    shown = run("sessions", "show", "tea", "-L", own).stdout
    assert shown == "2026-01-02T03:04:05+00:00  How hot?\n80 °C.\\x1b[2J\n      tea.md:3\n\n"
    assert json.loads(run("sessions", "show", "tea", "-L", own, "--json").stdout)["turns"][0]["places"] == ["tea.md:3"]
    assert run("sessions", "delete", "tea", "-L", own).exit_code == 0
    assert run("sessions", "-L", own).stdout == ""
    assert run("sessions", "delete", "tea", "-L", own).exit_code == 2
