"""What is still to be embedded: texts without a vector in the active space, and the vectors that come back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ammon.store.local.catalog import Catalog
from ammon.store.local.documents import drop_loose_vectors, note
from ammon.store.local.replay import packed
from ammon.store.local.spaces import active_space, mark_complete
from ammon.types import Pending, Vectors, embedded_text

WITHOUT_VECTOR = """
FROM chunk AS c LEFT JOIN vector AS v ON v.space = ? AND v.text_hash = c.text_hash WHERE c.id > ? AND v.id IS NULL
"""


def _reach(catalog: Catalog) -> tuple[int, int]:
    """Bindings of ``WITHOUT_VECTOR``: the active space, and how far it is known to be complete."""
    space = active_space(catalog)
    return (space.id, space.complete_to) if space else (0, 0)


def pending(catalog: Catalog, limit: int, after: int = 0) -> list[Pending]:
    """Up to ``limit`` texts without a vector past chunk ``after``, each once."""
    space, complete = _reach(catalog)
    rows = catalog.rows(
        f"SELECT c.id, c.text_hash, c.heading, c.text, c.tokens {WITHOUT_VECTOR} ORDER BY c.id LIMIT ?",
        (space, max(complete, after), limit),
    )
    distinct: dict[bytes, Pending] = {}
    for chunk_id, key, heading, text, tokens in rows:
        distinct.setdefault(key, Pending(chunk_id, key, embedded_text(json.loads(heading), text), tokens))
    return list(distinct.values())


def count_pending(catalog: Catalog) -> int:
    """How many distinct texts have no vector in the active space yet."""
    return int(catalog.value(f"SELECT count(DISTINCT c.text_hash) {WITHOUT_VECTOR}", _reach(catalog)))


def put_vectors(catalog: Catalog, hashes: Sequence[bytes], vectors: Vectors) -> None:
    """Store the vectors of texts by their hash, durably, as one transaction.

    Raises: ValueError when no space was claimed.
    """
    space = active_space(catalog)
    if space is None:
        raise ValueError("claim a space before storing vectors")
    with catalog.writing():
        before = _last_vector(catalog)
        catalog.many(
            "INSERT OR IGNORE INTO vector (space, text_hash, data) VALUES (?, ?, ?)",
            [(space.id, key, data) for key, data in zip(hashes, packed(vectors), strict=True)],
        )
        after = _last_vector(catalog)
        if after > before:
            note(catalog, "vectors added", before + 1, after)


def _last_vector(catalog: Catalog) -> int:
    return int(catalog.value("SELECT seq FROM sqlite_sequence WHERE name = 'vector'") or 0)


def settle(catalog: Catalog) -> None:
    """Drop the vectors that no chunk needs, and note up to which chunk every text is embedded."""
    if catalog.value("SELECT 1 FROM loose LIMIT 1"):
        with catalog.writing():
            drop_loose_vectors(catalog)
    space = active_space(catalog)
    if space is None:
        return
    with catalog.reading():
        last = int(catalog.value("SELECT max(id) FROM chunk") or 0)
        waiting = catalog.value(f"SELECT min(c.id) {WITHOUT_VECTOR}", _reach(catalog))
    mark_complete(catalog, space, last if waiting is None else waiting - 1)
