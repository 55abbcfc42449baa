"""When SQLite's write-ahead log is copied into the catalog, and cut to nothing.

SQLite copies it by itself but keeps the file, and cannot begin it anew while anybody reads from it. So it is cut after
every run, and within one as soon as it is large. A reader that holds one view all the while defers that: the log then
grows by what is written, and is cut at the first commit or run after. Nothing of Ammon's own holds a view for long.
"""

from __future__ import annotations

from contextlib import closing

from ammon.store.local.catalog import Catalog
from ammon.store.local.files.connection import WAL_KEPT_BYTES, connect, translated

WHEN_LARGE_MS = 100
WHEN_ASKED_MS = 1_000
"""How long readers are waited for. Not at all after a run: where somebody always reads, every writer would wait."""


def cut_log(catalog: Catalog, patience_ms: int = WHEN_ASKED_MS) -> str:
    """Bring the log into the catalog, durably, and empty it. Returns why not, or nothing; needs the write lock."""
    # A connection of its own: this thread's may be in the middle of a listing.
    with translated(catalog.path), closing(connect(catalog.path)) as connection:
        connection.set_busy_timeout(patience_ms)
        busy, _, _ = next(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
    return f"{catalog.path.name}-wal is still there: another program is reading from it." if busy else ""


def keep_log_short(catalog: Catalog) -> None:
    """Cut the log if it is large; called after each batch, with the write lock."""
    log = catalog.path.with_name(f"{catalog.path.name}-wal")
    if log.exists() and log.stat().st_size > WAL_KEPT_BYTES:
        cut_log(catalog, WHEN_LARGE_MS)
