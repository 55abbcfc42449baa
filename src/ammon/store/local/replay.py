"""Which chunks a derived index must add and remove to come from one sequence of the change log to another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from ammon.store.local.catalog import Catalog
from ammon.types import Ids, Vectors, embedded_text

BATCH = 4096
"""Rows held in memory at once while an index catches up."""


def removed_since(catalog: Catalog, sequence: int) -> Ids:
    """Ids of chunks removed after ``sequence``, some of which the index may never have seen."""
    ranges = catalog.rows(
        "SELECT first, last FROM change WHERE sequence > ? AND kind = 'chunks removed' ORDER BY sequence", (sequence,)
    )
    return np.concatenate([np.arange(first, last + 1) for first, last in ranges] or [np.empty(0, np.int64)])


def texts_since(catalog: Catalog, sequence: int) -> Iterator[tuple[int, str]]:
    """``(chunk id, text to index)`` of chunks added after ``sequence`` that are still there."""
    rows = catalog.run(
        """SELECT c.id, c.heading, c.text FROM change AS e CROSS JOIN chunk AS c ON c.id BETWEEN e.first AND e.last
        WHERE e.sequence > ? AND e.kind = 'chunks added' ORDER BY e.sequence""",
        (sequence,),
    )
    for chunk_id, heading, text in rows:
        yield chunk_id, embedded_text(json.loads(heading), text)


def vectors_since(catalog: Catalog, sequence: int, space: int, dim: int) -> Iterator[tuple[Ids, Ids, Vectors]]:
    """Batches of chunk ids, their rows in ``vector``, and their vectors: what came to ``space`` after ``sequence``."""
    if sequence == 0:
        query, bindings = _ALL_VECTORS, (space,)
    else:
        query, bindings = _NEW_VECTORS, (space, sequence, space, sequence)  # type: ignore[assignment]
    found = catalog.run(query, bindings)
    while some := list(islice(found, BATCH)):
        ids, rows, blobs = zip(*some, strict=True)
        yield np.array(ids, np.int64), np.array(rows, np.int64), unpacked(blobs, dim)


# CROSS JOIN keeps SQLite to the order written: its planner knows no statistics and has chosen the reverse.
_ALL_VECTORS = """
SELECT c.id, v.id, v.data FROM chunk AS c CROSS JOIN vector AS v ON v.text_hash = c.text_hash AND v.space = ?
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
