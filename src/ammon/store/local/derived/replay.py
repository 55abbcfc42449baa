"""Which chunks a derived index must add and remove to come from one sequence of the change log to another.

The log is kept back to its horizon. An index that has come as far as the horizon, or further, is brought up to date
by replaying; one that lags behind it, on disk or in the memory of any process, is built anew from the whole catalog,
as is an empty one, whose sequence is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from ammon.store.local.catalog import Catalog
from ammon.store.local.documents import checked_text
from ammon.types import Ids, Vectors

BATCH = 4096
"""Rows held in memory at once while an index catches up."""

UNIT = 0.01
"""How far from 1 the length of a vector may be that was kept in float16."""


def horizon(catalog: Catalog) -> int:
    """The last change that is gone from the log: what an index must have reached for a replay to be whole."""
    return int(catalog.value("SELECT value FROM meta WHERE key = 'horizon'") or 0)


def must_rebuild(catalog: Catalog, sequence: int) -> bool:
    """Whether an index that has reached ``sequence`` cannot get further by replaying."""
    return sequence == 0 or sequence < horizon(catalog)


def last_of_texts(catalog: Catalog) -> int:
    """The last change that brought or removed a chunk: what an index of texts must have reached to lack nothing."""
    last = catalog.value(
        "SELECT sequence FROM change WHERE kind IN ('chunks added', 'chunks removed') ORDER BY sequence DESC LIMIT 1"
    )
    return horizon(catalog) if last is None else int(last)


def changed_since(catalog: Catalog, sequence: int) -> int:
    """How many rows, of chunks or of vectors, came or went after ``sequence``, as far as the log goes back."""
    return int(
        catalog.value(
            "SELECT total(last - first + 1) FROM change WHERE sequence > ? AND kind <> 'document'", (sequence,)
        )
    )


def prune(catalog: Catalog, reached: int) -> int:
    """Drop the changes up to ``reached``, which every index that is to be replayed has come to. Returns how many.

    So are those that no index replays. The very last stays, since it tells how far the catalog has come.
    """
    last = catalog.sequence()
    reached = min(reached, last)
    idle = "(sequence <= ? OR kind = 'document') AND sequence < ?"
    dropped = int(catalog.value(f"SELECT count(*) FROM change WHERE {idle}", (reached, last)))
    if dropped:
        with catalog.writing():
            catalog.rows(
                """INSERT INTO meta VALUES ('horizon', ?) ON CONFLICT (key) DO UPDATE
                SET value = max(CAST(value AS INTEGER), excluded.value)""",
                (reached,),
            )
            catalog.rows(f"DELETE FROM change WHERE {idle}", (reached, last))
    return dropped


def removed_since(catalog: Catalog, sequence: int) -> Ids:
    """Ids of chunks removed after ``sequence``, some of which the index may never have seen; none if it is rebuilt."""
    if must_rebuild(catalog, sequence):
        return np.empty(0, np.int64)
    ranges = catalog.rows(
        "SELECT first, last FROM change WHERE sequence > ? AND kind = 'chunks removed' ORDER BY sequence", (sequence,)
    )
    return np.concatenate([np.arange(first, last + 1) for first, last in ranges] or [np.empty(0, np.int64)])


def texts_since(catalog: Catalog, sequence: int) -> Iterator[tuple[int, str]]:
    """``(chunk id, text to index)`` of chunks added after ``sequence`` that are still there; all, for a rebuild."""
    if must_rebuild(catalog, sequence):
        rows = catalog.run("SELECT id, heading, text, text_hash FROM chunk ORDER BY id")
    else:
        rows = catalog.run(_NEW_TEXTS, (sequence,))
    for chunk_id, heading, text, key in rows:
        yield chunk_id, checked_text(chunk_id, heading, text, key)


def vectors_since(catalog: Catalog, sequence: int, space: int, dim: int) -> Iterator[tuple[Ids, Ids, Vectors]]:
    """Batches of chunk ids, their rows in ``vector``, and their vectors: what came to ``space`` after ``sequence``.

    All there are in the space, for a rebuild.
    """
    if must_rebuild(catalog, sequence):
        found = catalog.run(_ALL_VECTORS, (space,))
    else:
        found = catalog.run(_NEW_VECTORS, (space, sequence, space, sequence))
    while some := list(islice(found, BATCH)):
        ids, rows, blobs = zip(*some, strict=True)
        yield np.array(ids, np.int64), np.array(rows, np.int64), unpacked(blobs, dim)


# CROSS JOIN keeps SQLite to the order written: its planner knows no statistics and has chosen the reverse.
_ALL_VECTORS = """
SELECT c.id, v.id, v.data FROM chunk AS c CROSS JOIN vector AS v ON v.text_hash = c.text_hash AND v.space = ?
"""

_NEW_TEXTS = """
SELECT c.id, c.heading, c.text, c.text_hash FROM change AS e CROSS JOIN chunk AS c ON c.id BETWEEN e.first AND e.last
WHERE e.sequence > ? AND e.kind = 'chunks added' ORDER BY e.sequence
"""

_NEW_VECTORS = """
SELECT c.id, v.id, v.data FROM change AS e CROSS JOIN chunk AS c ON c.id BETWEEN e.first AND e.last
CROSS JOIN vector AS v ON v.text_hash = c.text_hash AND v.space = ?
WHERE e.sequence > ? AND e.kind = 'chunks added'
UNION
SELECT c.id, v.id, v.data FROM change AS e CROSS JOIN vector AS v ON v.id BETWEEN e.first AND e.last AND v.space = ?
CROSS JOIN chunk AS c ON c.text_hash = v.text_hash
WHERE e.sequence > ? AND e.kind = 'vectors added'
"""


def packed(vectors: Vectors) -> list[bytes]:
    """Each row as little-endian float16 bytes, as the catalog keeps it."""
    return [row.tobytes() for row in vectors.astype("<f2")]


def unpacked(blobs: Sequence[bytes], dim: int) -> Vectors:
    """Rows of `packed` bytes as float32, shape ``(len(blobs), dim)``, unit length up to rounding."""
    return np.frombuffer(b"".join(blobs), "<f2").reshape(-1, dim).astype(np.float32)
