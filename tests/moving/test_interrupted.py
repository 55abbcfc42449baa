"""A move that is killed leaves nothing that looks like a copy and is none, and loses nothing.

The process is killed before single changes of a folder, with ``AMMON_FAULTS=full`` before each; see `cut_short.py`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ammon import Document, Library
from toy_embedder import TrigramEmbedder

TESTS = Path(__file__).parents[1]
FULL = os.environ.get("AMMON_FAULTS") == "full"
MOST = 100_000 if FULL else 5
"""Changes before which a move is killed; in every run some of them, spread evenly."""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A library with a snapshot and an export of it, and another library; in memory where the system has such a place:
    what is killed is the process, not the machine."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        made = Path(folder) / "home"
        with Library(made / "library", embedder=TrigramEmbedder()) as library:
            library.add([Document(f"d:{number}", f"Document {number} of some. 第{number}篇") for number in range(60)])
            library.store.nearest.save(always=True)
            library.upkeep.snapshot(made / "snapshot")
            library.upkeep.export(made / "export.zip")
        with Library(made / "old", embedder=TrigramEmbedder()) as library:
            library.add([Document("d:1", "Another document of this name."), Document("e", "One of its own.")])
        yield made


def tries(home: Path, verb: str) -> list[dict[str, Any]]:
    """What was found after each kill; the last move was left to end."""
    place = home.parent / "place"
    done = subprocess.run(
        [sys.executable, TESTS / "moving" / "cut_short.py", home, place, verb, str(MOST)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    shutil.rmtree(place, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["killed"] for each in found] == [True] * (len(found) - 1) + [False]
    return found


@pytest.mark.parametrize("verb", ["snapshot", "export", "restore"])
def test_a_copy_is_whole_or_not_there(home: Path, verb: str) -> None:
    found = tries(home, verb)
    whole = found[-1]
    library = whole["held"]["library"]
    assert (whole["proof"] or whole["held"]["new"]) == library
    assert "new" in whole["names"]
    assert len(found) > 3
    absent = {**whole, "proof": None, "names": [name for name in whole["names"] if name != "new"]}
    absent["held"] = {name: held for name, held in whole["held"].items() if name != "new"}
    for each in found:
        assert {**each, "killed": False} in (whole, absent)


def test_a_library_that_is_replaced_is_never_lost(home: Path) -> None:
    found = tries(home, "replace")
    before, after = found[0]["held"], found[-1]["held"]
    assert after["old"] == before["library"]
    assert after["old.replaced-1"] == before["old"]
    for each in found:
        held = each["held"]
        assert before["old"] in (held.get("old"), held.get("old.replaced-1"))
        assert held.get("old") in (before["old"], before["library"], None)
        assert held["snapshot"] == before["snapshot"]
    between = [each for each in found if "old" not in each["held"]]
    assert len(between) == 1 if FULL else len(between) <= 1, "there is one moment between the two names, and no more"


def test_an_import_that_is_killed_ends_as_if_it_had_not_been(home: Path) -> None:
    found = tries(home, "import")
    assert len(found) > 3
    assert {each["again"] for each in found} == {found[-1]["held"]["old"]}
