"""A library that may only be read is read: on a file system that nobody writes to, and by who may not write."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from ammon import Library
from ammon.errors import LibraryError
from ammon.store.local.catalog import Catalog
from faults.workload import LIBRARY, clear
from processes.apart import alone, at_once, quick_place
from processes.reading import Attempt, attempt_bound, read_bound, shut, write_for_readers
from processes.traffic import fill
from properties.rights import bound_by_permissions
from reembedding import notes
from toy_embedder import TrigramEmbedder

TESTS = Path(__file__).parents[1]
DOCUMENTS = 60
LOG = "catalog.db-wal"
MOUNTED = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
Try = Callable[[Path, Path], Attempt]


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A library that nobody has open."""
    with Library(tmp_path / "library", embedder=TrigramEmbedder()) as library:
        library.add(notes(DOCUMENTS))
    return tmp_path / "library"


@pytest.fixture
def left_open(closed: Path, tmp_path: Path) -> Path:
    """A library as somebody who was killed leaves it: a part of it is in the log only."""
    with Library(closed, embedder=TrigramEmbedder()) as library:
        library.remove(*(document.uri for document in notes(DOCUMENTS)[::2]))
        reader = Catalog(closed)
        with reader.reading():
            reader.sequence()  # while somebody reads, the log is not emptied
            library.add(notes(DOCUMENTS))
            Path(shutil.copytree(closed, tmp_path / "left"))
        reader.close()
    assert (tmp_path / "left" / LOG).stat().st_size > 0
    return tmp_path / "left"


def mounted(folder: Path, place: Path) -> Attempt:
    """What can be done in a process for which the library lies on a read-only file system."""
    space = ["unshare", "--mount", "--map-root-user", "sh", "-c", MOUNTED, str(folder)]
    if not shutil.which("unshare") or subprocess.run([*space, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a read-only file system (unshare --mount)")
    program = [sys.executable, "-m", "processes.reading", str(folder), str(place)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    ended = subprocess.run([*space, *program], capture_output=True, text=True, check=False, env=environ)
    assert ended.returncode == 0, ended.stderr
    found: Attempt = json.loads(ended.stdout)
    return found


def bound(folder: Path, place: Path) -> Attempt:
    """What can be done by somebody without the right to write in the library's folder."""
    return alone(attempt_bound, shut(folder), place)


@pytest.fixture(params=[mounted, bound])
def given(request: pytest.FixtureRequest) -> Try:
    """How the right to write is missing."""
    way: Try = request.param
    return way


def require_read(found: Attempt) -> None:
    """See that everything was found, and that writing was refused with what to do."""
    assert {name: found[name] for name in ("hybrid", "words", "vectors", "similar")} == {
        "hybrid": [10],
        "words": [10],
        "vectors": [10],
        "similar": [10],
    }
    assert (found["documents"], found["doctor"]) == ([DOCUMENTS, DOCUMENTS], [])
    assert (found["export"], found["snapshot"]) == ([DOCUMENTS], [DOCUMENTS])
    for verb in ("index", "compact", "remove"):
        code, error, hint = found[verb]
        assert (code, hint) == (3, "Hint: Make the folder writable.")
        assert "cannot be written: " in str(error)


def test_a_library_that_may_only_be_read_is_read(closed: Path, given: Try, tmp_path: Path) -> None:
    require_read(given(closed, tmp_path / "copies"))


def test_so_is_what_is_still_in_its_log(left_open: Path, given: Try, tmp_path: Path) -> None:
    require_read(given(left_open, tmp_path / "copies"))


def test_so_is_one_without_a_keyword_index(closed: Path, given: Try, tmp_path: Path) -> None:
    shutil.rmtree(closed / "lexical")
    require_read(given(closed, tmp_path / "copies"))


def test_so_is_a_snapshot_in_its_place(closed: Path, given: Try, tmp_path: Path) -> None:
    with Library(closed, embedder=TrigramEmbedder()) as library:
        library.upkeep.snapshot(tmp_path / "snapshot")
    require_read(given(tmp_path / "snapshot", tmp_path / "copies"))


def test_a_log_that_cannot_be_read_is_told(left_open: Path) -> None:
    (left_open / "catalog.db-shm").unlink()
    shut(left_open)
    with bound_by_permissions(), pytest.raises(LibraryError, match="has a log that was not read yet") as raised:
        Library(left_open, embedder=TrigramEmbedder())
    assert "copy it to where you may write" in raised.value.hint


def test_who_may_only_read_sees_what_another_writes() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can write where permissions let nobody")
    with quick_place() as place:
        clear(place)
        fill(place)
        shut(place / LIBRARY)
        written, *seen = at_once(
            [partial(write_for_readers, place, 1, turns=8)],
            [partial(read_bound, place, seed) for seed in (1, 2)],
            place,
        )
    assert set(written) <= {"put", "removed", "log gone"}
    assert [set(each) for each in seen] == [{"looks"}] * 2, seen
    assert written["put"] >= 4
    assert min(each["looks"] for each in seen) >= 3
