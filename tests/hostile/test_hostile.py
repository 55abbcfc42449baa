"""A folder of bad files among good ones: each bad one costs itself at most, and every good one is found."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ammon import Library
from ammon.sources.codes import SKIP_CODES
from bad_files import write_bad, write_good
from toy_embedder import TrigramEmbedder

FULL = os.environ.get("AMMON_HOSTILE") == "full"
MOST_MORE = 200 << 20
"""Bytes that the process which indexes may grow by."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Pipes and odd names in folders are not Windows'.")


def resident() -> int:
    """Bytes of memory this process holds; 0 where that is not told."""
    status = Path("/proc/self/statm")
    return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if status.exists() else 0


@contextmanager
def highest() -> Iterator[list[int]]:
    """Watch the memory of this process: gives the most it held over what it held at first."""
    first, most, over = resident(), [0], threading.Event()

    def watch() -> None:
        while not over.wait(0.02):
            most[0] = max(most[0], resident() - first)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield most
    finally:
        over.set()
        watching.join()


@pytest.mark.skipif("AMMON_HOSTILE" not in os.environ, reason="It takes minutes: make hostile runs it.")
@pytest.mark.timeout(3600)
def test_bad_files_cost_themselves_only(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    bad, good = write_bad(folder, 12 if FULL else 1), write_good(folder, 500 if FULL else 40)
    with closing(Library(tmp_path / "library", embedder=TrigramEmbedder())) as library:
        library.index(good[0])
        started = time.monotonic()
        with highest() as most:
            report = library.index(folder)
        kept = {record.uri for record in library.documents()}
    told = [*report.skipped, *report.failed, *report.flagged]
    assert [path.name for path in good if str(path) not in kept] == []
    assert {skip.code for skip in told} <= SKIP_CODES.keys()
    spoken_of = kept | {skip.uri for skip in told}
    assert [path.name for path in bad if str(path) not in spoken_of] == []
    assert most[0] < MOST_MORE
    print(f"{len(bad)} bad, {len(good)} good, +{most[0] >> 20} MB, {time.monotonic() - started:.0f} s")  # noqa: T201
