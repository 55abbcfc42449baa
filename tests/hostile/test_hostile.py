"""A folder of bad files among good ones: each bad one costs itself at most, and every good one is found."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from ammon.ingest import Rules, mirror
from ammon.sources.codes import SKIP_CODES
from ammon.split import splitter
from ammon.store.local.store import LocalStore
from bad_files import write_bad, write_good

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


@pytest.mark.timeout(3600 if FULL else 300)
def test_bad_files_cost_themselves_only(tmp_path: Path, figures: Callable[[str], None]) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    bad, good = write_bad(folder, 12 if FULL else 1, large=FULL), write_good(folder, 500 if FULL else 40)
    rules = Rules(splitter(None, max_tokens=200, count=lambda text: len(text) // 4))
    with closing(LocalStore(tmp_path / "library")) as store:
        mirror(store, good[0], rules)
        started = time.monotonic()
        with highest() as most:
            report = mirror(store, folder, rules)
        kept = {record.uri for record in store.documents()}
    told = [*report.skipped, *report.failed, *report.flagged]
    counts = Counter(skip.code for skip in told)
    seconds = time.monotonic() - started
    figures(f"hostile: {len(bad)} bad, {len(good)} good, +{most[0] >> 20} MB, {seconds:.0f} s, {dict(counts)}")
    assert [path.name for path in good if str(path) not in kept] == []
    assert counts.keys() <= SKIP_CODES.keys()
    spoken_of = kept | {skip.uri for skip in told}
    assert [path.name for path in bad if str(path) not in spoken_of] == []
    assert most[0] < MOST_MORE
