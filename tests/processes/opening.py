"""A catalog that is made shorter and longer without pause, and is opened all the while."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from ammon import AmmonError
from ammon.store.local.catalog import Catalog
from ammon.store.local.files.checkpoints import cut_log
from ammon.store.local.files.connection import connect
from processes.apart import has_ended

ROWS = 100


def rewrite(place: Path, seconds: float) -> Counter[str]:
    """Grow and shrink the catalog, with its log cut each time, and now and then removed. Returns how often."""
    counts: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with closing(Catalog(place / "library")) as catalog:
            for _ in range(5):
                _grow_and_shrink(catalog)
                counts["rewritten"] += 1
    return counts


def _grow_and_shrink(catalog: Catalog) -> None:
    with catalog.locked():
        with catalog.writing():
            catalog.many("INSERT INTO meta VALUES (?, ?)", [(f"row {at}", "x" * 3_000) for at in range(ROWS)])
        with catalog.writing():
            catalog.rows("DELETE FROM meta WHERE key LIKE 'row %'")
        cut_log(catalog)
        # Now the log is short, and says that the file is long; soon it is not.
        with catalog.writing():
            catalog.rows("UPDATE meta SET value = value")
        with closing(connect(catalog.path)) as connection:
            connection.execute("VACUUM")
        cut_log(catalog)


def open_again(place: Path) -> Counter[str]:
    """Open the catalog until the others have ended. Returns how often that went well, and every error."""
    counts: Counter[str] = Counter()
    while not has_ended(place):
        try:
            Catalog(place / "library", create=False).close()
            counts["opened"] += 1
        except AmmonError as error:
            counts[f"{type(error).__name__}: {error}"] += 1
    return counts
