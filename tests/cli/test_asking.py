"""`ammon ask`, over the sample folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from ammon.cli.outcome import Exit

Run = Callable[..., Result]


def test_an_answer_is_told_with_its_places(run: Run, indexed: tuple[Path, Path]) -> None:
    folder, library = indexed
    result = run("ask", "泡绿茶用多热的水？", "-n", "1", "-L", str(library))
    assert result.exit_code == Exit.OK
    answer, empty, place = result.stdout.splitlines()
    assert answer == "泡绿茶的水不要太烫，八十度左右最合适，水温过高会让茶汤变苦。 [1]"
    assert not empty
    assert place.startswith("[1] ")
    assert place.endswith("茶的故事.md:20")
    assert (folder / "中文" / "茶的故事.md").read_text("utf-8").splitlines()[19].startswith(answer[:-4])


def test_an_answer_as_json_numbers_its_citations(run: Run, indexed: tuple[Path, Path]) -> None:
    answer = json.loads(run("ask", "longest", "river", "in", "Africa", "-L", str(indexed[1]), "--json").stdout)
    assert "Nile" in answer["text"]
    numbers = [each["number"] for each in answer["citations"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert sorted(number for each in answer["statements"] for number in each["citations"]) == numbers
    assert all(each["quote"] and each["place"].startswith(each["uri"]) for each in answer["citations"])


def test_no_answer_says_so_and_names_the_nearest(run: Run, indexed: tuple[Path, Path]) -> None:
    result = run("ask", "how do I renew a passport at the embassy?", "-L", str(indexed[1]))
    assert result.exit_code == Exit.OK
    assert result.stdout == ""
    assert result.stderr.startswith("No answer: ")
    assert len([line for line in result.stderr.splitlines() if line.startswith("  ")]) == 3


def test_an_empty_question_is_refused(run: Run, indexed: tuple[Path, Path]) -> None:
    result = run("ask", "", "-L", str(indexed[1]))
    assert result.exit_code == Exit.USAGE
    assert "empty" in result.stderr
