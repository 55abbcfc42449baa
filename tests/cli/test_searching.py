"""`ammon search`, `similar` and `show`, over the sample folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]


def hits(run: Run, *words: str) -> list[dict[str, Any]]:
    result = run("search", *words, "--json")
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout))


@pytest.mark.parametrize(
    ("question", "file"),
    [
        ("how do bees tell each other where the food is?", "notes/bees.txt"),
        ("why does a pendulum's mass not matter?", "science/pendulum.tex"),
        ("泡绿茶用多热的水？", "中文/茶的故事.md"),
        ("下雨天骑车怎么刹车", "中文/城市骑行.txt"),
        ("retry with exponential backoff", "code/retry.go"),
        ("longest river in Africa", "data/rivers.csv"),
        ("doubling time of yeast", "science/growth.ipynb"),
        ("长城用什么材料", "中文/长城.html"),
        ("blank pages from the printer", "data/support.jsonl"),
    ],
)
def test_a_question_finds_the_file_that_answers_it(
    run: Run, folder: Path, library: str, question: str, file: str
) -> None:
    found = hits(run, question, "-k", "3", "-L", library)
    assert found[0]["uri"] == str(folder / file)


def test_a_hit_as_json_can_be_checked_against_its_source(run: Run, folder: Path, library: str) -> None:
    hit = hits(run, "colza oil in the lamp", "-L", library)[0]
    text = (folder / "notes/lighthouse.md").read_text("utf-8")
    first, last = hit["first_line"], hit["last_line"]
    assert hit["rank"] == 1
    assert hit["citation"] == f"{folder}/notes/lighthouse.md:{first}-{last}"
    assert hit["text"].splitlines()[0].strip() in text.splitlines()[first - 1]
    assert 0 <= hit["score"] <= 1
    assert hit["heading"][-1] == "The lamp"
    assert hit["span"]["end"] - hit["span"]["start"] == len(hit["text"])
    assert hit["metadata"]["year"] == 2021
    assert "colza" in hit["why"]["matched"]


def test_a_filter_keeps_to_what_matches(run: Run, library: str) -> None:
    found = hits(run, "light", "-k", "50", "-L", library, "--where", "year >= 2022")
    assert found
    assert all(hit["metadata"]["year"] >= 2022 for hit in found)
    as_json = hits(run, "light", "-k", "50", "-L", library, "--where", '{"year": {"$gte": 2022}}')
    assert [hit["chunk_id"] for hit in as_json] == [hit["chunk_id"] for hit in found]


def test_k_hits_come_back_at_most_and_more_only_when_there_are(run: Run, library: str) -> None:
    assert len(hits(run, "water", "-k", "3", "-L", library)) == 3
    few = hits(run, "water", "-k", "1000", "-L", library, "--where", "extension = 'go'")
    assert 1 < len(few) < 100
    assert all(hit["uri"].endswith("retry.go") for hit in few)


def test_each_leg_can_be_asked_alone(run: Run, library: str) -> None:
    lexical = hits(run, "colza", "-L", library, "--mode", "lexical")
    assert [hit["why"]["dense_rank"] for hit in lexical] == [None]
    dense = hits(run, "colza", "-L", library, "--mode", "dense")
    assert all(hit["why"]["lexical_rank"] is None for hit in dense)


def test_steps_group_widen_and_thin_out(run: Run, library: str) -> None:
    grouped = hits(run, "water and light", "-k", "8", "-L", library, "--group")
    assert len({hit["document_id"] for hit in grouped}) == len(grouped)
    plain = hits(run, "why is the lens cut in rings", "-k", "1", "-L", library)[0]
    wide = hits(run, "why is the lens cut in rings", "-k", "1", "-L", library, "--expand", "1")[0]
    assert plain["text"] in wide["text"]
    assert len(wide["text"]) > len(plain["text"])
    assert hits(run, "water", "-k", "4", "-L", library, "--diversify")


def test_people_see_rank_score_citation_heading_and_text(
    run: Run, folder: Path, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    shown = run("search", "colza oil", "-k", "1", "-L", library).stdout.splitlines()
    rank, score, citation = shown[0].split()
    assert rank == "1"
    assert 0 <= float(score) <= 1
    assert citation.startswith("notes/lighthouse.md:")
    assert "The lamp" in shown[1]
    assert any("colza oil" in line for line in shown[2:])


def test_output_that_is_no_terminal_has_no_colours_and_a_terminal_can_refuse_them(run: Run, library: str) -> None:
    assert "\x1b" not in run("search", "colza oil", "-L", library, "--explain").stdout


def test_explain_names_both_legs(run: Run, library: str) -> None:
    shown = run("search", "colza oil", "-k", "1", "-L", library, "--explain").stdout
    assert "meaning: rank" in shown
    assert "words: rank 1" in shown


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["search", "  "], 2, "empty"),
        (["search", "x", "-k", "0"], 2, "k is 0"),
        (["search", "x", "--where", "yaer > 3"], 2, "Did you mean 'year'?"),
        (["search", "x", "--where", "year > '"], 2, "       ^"),
        (["search", "x", "--mode", "both"], 2, "both"),
        (["similar", "nowhere.txt"], 2, "nowhere.txt"),
        (["show", "nowhere.txt"], 2, "nowhere.txt"),
        (["search", "x", "--model", "no-such-model"], 4, "no-such-model"),
        (["search", "x", "--rerank", "no-such-model"], 4, "no-such-model"),
    ],
)
def test_a_mistake_is_told_in_words(run: Run, library: str, words: list[str], code: int, told: str) -> None:
    result = run(*words, "-L", library)
    assert result.exit_code == code
    assert told in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_the_caret_stands_under_the_mistake_even_after_wide_characters(run: Run, library: str) -> None:
    lines = run("search", "x", "-L", library, "--where", "title = '注意' adn year = 1").stderr.splitlines()
    assert lines[1] == "  title = '注意' adn year = 1"
    assert lines[2] == "  " + " " * (len("title = '注意' ") + 2) + "^"


def test_similar_finds_relatives_of_a_file_inside_and_outside_the_library(
    run: Run, folder: Path, library: str, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("Honeybees dance on the comb to show the others where the flowers are.", "utf-8")
    result = run("similar", str(outside), "-k", "1", "-L", library, "--json")
    assert json.loads(result.stdout)[0]["uri"] == str(folder / "notes/bees.txt")
    own = json.loads(run("similar", str(folder / "notes/bees.txt"), "-L", library, "--json").stdout)
    assert own
    assert str(folder / "notes/bees.txt") not in {hit["uri"] for hit in own}


def test_show_lists_documents_and_tells_about_one(run: Run, folder: Path, library: str) -> None:
    listed = json.loads(run("show", "-L", library, "--json").stdout)
    assert {each["uri"] for each in listed} == {str(path) for path in folder.rglob("*") if path.is_file()}
    some = json.loads(run("show", "-L", library, "--where", "language = 'zh'", "--json").stdout)
    assert 1 <= len(some) < len(listed)
    one = run("show", str(folder / "notes/sleep.md"), "-L", library)
    assert "What I learned about sleep" in one.stdout
    assert "  year: 2023" in one.stdout


def test_a_question_may_be_asked_without_quotes(run: Run, library: str) -> None:
    quoted = hits(run, "longest river in Africa", "-k", "3", "-L", library)
    assert hits(run, "longest", "river", "in", "Africa", "-k", "3", "-L", library) == quoted
