"""An upgrade that is killed leaves a library wholly old or wholly new, with everything in it.

The process is killed before, or halfway through, every single operation on a file. The schema
after the newest is made up: see `tests/golden/interrupted.py`.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ammon.store.local.schema import SCHEMA

GOLDEN = Path(__file__).parents[1] / "golden"
LIBRARIES = sorted(path.stem for path in GOLDEN.glob("*.zip"))
TRIES = [("nothing", False), *((library, torn) for library in LIBRARIES for torn in (False, True))]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where the system has one: what is killed is the process, not the machine."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def tries(place: Path, library: str, *, torn: bool) -> list[dict[str, Any]]:
    """What was found after each kill; the last upgrade was left to end."""
    source = place / library
    if library != "nothing":
        with zipfile.ZipFile(GOLDEN / f"{library}.zip") as archive:
            archive.extractall(source)
    words: list[str | Path] = [sys.executable, GOLDEN / "interrupted.py", source, place / "copy", "1", str(int(torn))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize(("library", "torn"), TRIES)
def test_an_upgrade_is_whole_or_not_at_all_and_loses_nothing(place: Path, library: str, torn: bool) -> None:
    found = tries(place, library, torn=torn)
    assert [each["killed"] for each in found] == [True] * (len(found) - 1) + [False]
    assert len(found) > 15
    whole = found[-1]["held"]
    old = (0, ()) if library == "nothing" else (int(library.split("-")[1]), tables(place / library))
    new = (SCHEMA + 1, tuple(whole["again"]["tables"]))
    assert {(each["schema"], tuple(each["tables"])) for each in found} == {old, new}, "something between the two"
    assert whole["sound"] == [["ok"]]
    assert whole["again"]["schema"] == SCHEMA + 1
    assert [each["held"] for each in found] == [whole] * len(found)


def tables(folder: Path) -> tuple[str, ...]:
    """The names of all tables and indexes, as SQLite alone reads them."""
    with closing(sqlite3.connect(folder / "catalog.db")) as connection:
        rows = connection.execute("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
        return tuple(row[0] for row in rows)
