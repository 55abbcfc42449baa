"""What is still to be embedded: texts without a vector in a space, and the vectors that come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ammon.errors import ModelError
from ammon.normalising import normalised
from ammon.store.local.catalog import Catalog
from ammon.store.local.derived.replay import packed
from ammon.store.local.documents import checked_text, drop_loose_vectors, note
from ammon.store.local.spaces import Space, active_space, check_model, gone_spaces, mark_complete, space_of
from ammon.types import Pending, Vectors

WITHOUT_VECTOR = """
FROM chunk AS c LEFT JOIN vector AS v ON v.space = ? AND v.text_hash = c.text_hash WHERE c.id > ? AND v.id IS NULL
"""

PIECE = 4096
"""Vectors deleted in one transaction: a few megabytes of log, and a fraction of a second under the write lock."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How far a space has come: ``done`` of ``texts``, which are distinct; ``longer`` were too long for its model."""

    model: str
    done: int
    texts: int
    longer: int


def _reach(catalog: Catalog, space: Space | None) -> tuple[int, int]:
    """Bindings of ``WITHOUT_VECTOR``: the space (``None``: the active one), and how far it is known to be complete."""
    space = space or active_space(catalog)
    return (space.id, space.complete_to) if space else (0, 0)


def pending(catalog: Catalog, limit: int, after: int = 0, space: Space | None = None) -> list[Pending]:
    """Up to ``limit`` texts without a vector past chunk ``after``, each once.

    The key is of the text as it stands, which decides how it reads when it is normalised for the model.
    """
    number, complete = _reach(catalog, space)
    rows = catalog.rows(
        f"SELECT c.id, c.text_hash, c.heading, c.text, c.tokens {WITHOUT_VECTOR} ORDER BY c.id LIMIT ?",
        (number, max(complete, after), limit),
    )
    distinct: dict[bytes, Pending] = {}
    for chunk_id, key, heading, text, tokens in rows:
        whole = normalised(checked_text(chunk_id, heading, text, key))
        distinct.setdefault(key, Pending(chunk_id, key, whole, tokens))
    return list(distinct.values())


def count_pending(catalog: Catalog, space: Space | None = None) -> int:
    """How many distinct texts have no vector in the space (``None``: the active one) yet."""
    return int(catalog.value(f"SELECT count(DISTINCT c.text_hash) {WITHOUT_VECTOR}", _reach(catalog, space)))


def put_vectors(catalog: Catalog, hashes: Sequence[bytes], vectors: Vectors, fingerprint: str = "") -> None:
    """Store the vectors of texts by their hash in the active space, durably, as one transaction.

    Raises: ValueError when no space was claimed; ModelChanged when the active space is not of the model with this
    ``fingerprint``, if one is given.
    """
    with catalog.writing():
        space = active_space(catalog)
        if space is None:
            raise ValueError("claim a space before storing vectors")
        check_model(catalog, space, fingerprint, vectors.shape[1])
        _insert(catalog, space, hashes, vectors)


def fill(catalog: Catalog, space: Space, hashes: Sequence[bytes], vectors: Vectors, longer: int) -> None:
    """Store vectors in a space that need not be active, as one transaction; ``longer`` of the texts were too long.

    Raises: ModelError when the space was let go meanwhile.
    """
    with catalog.writing():
        require_space(catalog, space)
        _insert(catalog, space, hashes, vectors)
        if longer:
            catalog.rows(
                """INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE
                SET value = CAST(value AS INTEGER) + excluded.value""",
                (longer_key(space.id), longer),
            )


def require_space(catalog: Catalog, space: Space) -> Space:
    """The space as it is now. Raises: ModelError when it was let go meanwhile."""
    held = space_of(catalog, space.fingerprint)
    if held is None or held.id != space.id:
        raise ModelError(
            f"The vectors of {space.model} were given up by another process.",
            hint=f"To make them after all, run: ammon reembed --model {space.model}",
        )
    return held


def longer_key(space: int) -> str:
    """The name under which the catalog's ``meta`` counts the texts that were too long for a space's model."""
    return f"longer {space}"


def progress_of(catalog: Catalog, space: Space) -> Filled:
    """How far a space has come."""
    with catalog.reading():
        texts = int(catalog.value("SELECT count(DISTINCT text_hash) FROM chunk"))
        longer = int(catalog.value("SELECT value FROM meta WHERE key = ?", (longer_key(space.id),)) or 0)
        return Filled(space.model, texts - count_pending(catalog, space), texts, longer)


def _insert(catalog: Catalog, space: Space, hashes: Sequence[bytes], vectors: Vectors) -> None:
    before = _last_vector(catalog)
    # A text that was removed while it was embedded is not to leave its vector behind.
    catalog.many(
        """INSERT OR IGNORE INTO vector (space, text_hash, data) SELECT ?1, ?2, ?3
        WHERE EXISTS (SELECT 1 FROM chunk WHERE text_hash = ?2)""",
        [(space.id, key, data) for key, data in zip(hashes, packed(vectors), strict=True)],
    )
    after = _last_vector(catalog)
    if after > before:
        note(catalog, "vectors added", before + 1, after)


def _last_vector(catalog: Catalog) -> int:
    return int(catalog.value("SELECT seq FROM sqlite_sequence WHERE name = 'vector'") or 0)


def settle(catalog: Catalog, space: Space | None = None) -> None:
    """Drop the vectors that nothing needs, and note up to which chunk every text is embedded in the space."""
    if catalog.value("SELECT 1 FROM loose LIMIT 1"):
        with catalog.writing():
            drop_loose_vectors(catalog)
    for gone in gone_spaces(catalog):
        while _drop_piece(catalog, gone):
            pass
    with catalog.reading():
        space = space or active_space(catalog)
        if space is None:
            return
        last = int(catalog.value("SELECT max(id) FROM chunk") or 0)
        waiting = catalog.value(f"SELECT min(c.id) {WITHOUT_VECTOR}", _reach(catalog, space))
    mark_complete(catalog, space, last if waiting is None else waiting - 1)


def _drop_piece(catalog: Catalog, space: int) -> bool:
    """Delete some vectors of a space that was let go, and with the last of them its row. Returns if any are left."""
    with catalog.writing():
        some = catalog.rows(
            "DELETE FROM vector WHERE id IN (SELECT id FROM vector WHERE space = ? LIMIT ?) RETURNING id",
            (space, PIECE),
        )
        if len(some) == PIECE:
            return True
        catalog.rows("DELETE FROM meta WHERE key = ?", (longer_key(space),))
        catalog.rows("DELETE FROM space WHERE id = ?", (space,))
        return False
