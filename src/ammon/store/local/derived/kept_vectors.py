"""The vector index of a catalog's active space, kept abreast of it in memory, and saved now and then.

What its file does not hold yet is replayed from the catalog; a file in doubt is passed over, and everything replayed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ammon.errors import LibraryDamaged
from ammon.store.local.catalog import Catalog, batches, marks
from ammon.store.local.derived.replay import UNIT, changed_since, must_rebuild, removed_since, unpacked, vectors_since
from ammon.store.local.derived.vectors import VectorIndex, saved_sequence
from ammon.store.local.files.connection import WHEN_DAMAGED
from ammon.store.local.files.continuity import refuse_older
from ammon.store.local.masks import Mask
from ammon.store.local.spaces import Space, active_space, check_model
from ammon.types import Ids, Vectors

SAVE_AFTER_ROWS = 4096
SAVE_AFTER_SHARE = 0.05
"""The file is written anew once this many rows, or this share of them, have come or gone since it was written."""

_NOTHING = np.empty(0, np.int64), np.empty((0, 0), np.float32)


def vector_file(folder: Path, space: int) -> Path:
    """Where the vector index of a space is kept."""
    return folder / f"vectors-{space}.idx"


class KeptVectors:
    """Loads, catches up and saves the vector index. Safe to share between threads."""

    def __init__(self, catalog: Catalog, space_of: Callable[[Catalog], Space | None] = active_space) -> None:
        """``space_of`` tells whose vectors: those of the active space."""
        self._catalog = catalog
        self._space_of = space_of
        self._guard = threading.RLock()
        self._index: VectorIndex | None = None
        self._space: Space | None = None

    def current(self) -> tuple[VectorIndex, Space] | None:
        """The index of the active space, up to date; ``None`` before anything was embedded."""
        with self._guard, self._catalog.reading():
            space = self._space_of(self._catalog)
            if space is None:
                return None
            if self._index is None or self._space is None or self._space.id != space.id:
                self._index = self._load(space)
            self._space = space
            index = self._index = self._catch_up(self._index, space)
            return index, space

    def search(self, vector: Vectors, k: int, allowed: Mask | None, fingerprint: str = "") -> tuple[Ids, Vectors]:
        """About the ``k`` nearest chunks with their exact vectors, in no set order; see `VectorIndex.search`.

        Raises: ModelChanged when the space is not of the model with this ``fingerprint``, if one is given.
        """
        with self._guard:
            found = self.current()
            if found is None:
                return _NOTHING
            index, space = found
            check_model(self._catalog, space, fingerprint, len(vector))
            near = index.search(vector, k, allowed)
            rows = index.rows_of(near)
        return self._read(near, rows, space)

    def vectors_of(self, ids: Ids) -> tuple[Ids, Vectors]:
        """Those of ``ids`` that have a vector in the active space, with their vectors, in no set order."""
        with self._guard:
            found = self.current()
            return self._read(ids, found[0].rows_of(ids), found[1]) if found else _NOTHING

    def _read(self, ids: Ids, rows: Ids, space: Space) -> tuple[Ids, Vectors]:
        """The vectors of ``rows``; a chunk whose row is not there is left out. Raises: LibraryDamaged."""
        held: dict[int, bytes] = {}
        for some in batches(rows):
            held.update(self._catalog.rows(f"SELECT id, data FROM vector WHERE id IN ({marks(some)})", some))
        there = np.array([row in held for row in rows.tolist()], bool)
        vectors = unpacked([held[row] for row in rows[there].tolist()], space.dim)
        if not (np.abs(np.linalg.norm(vectors, axis=1) - 1) <= UNIT).all():
            raise LibraryDamaged("A vector of the catalog is not what was stored.", hint=WHEN_DAMAGED)
        return ids[there], vectors

    def save(self, *, always: bool = False) -> None:
        """Write the index to its file when enough has changed since, or ``always``. Takes the write lock."""
        if not always and not self._is_due():
            return
        # The lock before the guard, here as everywhere: two threads that took them crosswise would wait for ever.
        with self._catalog.locked(), self._guard:
            found = self.current()
            if found is None:
                return
            index, space = found
            index.save(vector_file(self._catalog.folder, space.id), library=self._catalog.uuid, space=space.id)

    def _is_due(self) -> bool:
        reached = self.reached()
        if reached is None or not self.is_behind():
            return self.is_behind()
        found = self.current()
        size = len(found[0]) if found else 0
        return changed_since(self._catalog, reached) >= min(SAVE_AFTER_ROWS, 1 + SAVE_AFTER_SHARE * size)

    def is_behind(self) -> bool:
        """Whether the file lacks a row that came, or still holds one that went."""
        reached = self.reached()
        return (
            self._space_of(self._catalog) is not None if reached is None else changed_since(self._catalog, reached) > 0
        )

    def reached(self) -> int | None:
        """The change that the file of the active space has come to; ``None`` when there is none to go on from."""
        space = self._space_of(self._catalog)
        if space is None:
            return None
        path = vector_file(self._catalog.folder, space.id)
        reached = saved_sequence(path, library=self._catalog.uuid, space=space.id)
        return None if reached is None or must_rebuild(self._catalog, reached) else reached

    def close(self) -> None:
        """Let go of the index."""
        with self._guard:
            self._index = self._space = None

    def _load(self, space: Space) -> VectorIndex:
        """The index in the file, or an empty one where it does not go on to what the catalog holds."""
        path = vector_file(self._catalog.folder, space.id)
        index = VectorIndex.load(path, library=self._catalog.uuid, space=space.id, dim=space.dim)
        if index is not None and index.sequence > self._catalog.sequence():
            refuse_older(self._catalog.path, index.sequence, path.name)
        if index is None or index.sequence > self._catalog.sequence() or must_rebuild(self._catalog, index.sequence):
            return VectorIndex(space.dim)
        return index

    def _catch_up(self, index: VectorIndex, space: Space) -> VectorIndex:
        """The index, or another in its place, as far as this view of the catalog has come."""
        wanted = self._catalog.sequence()
        # Another thread may have brought it further than this thread's view of the catalog.
        if index.sequence >= wanted:
            return index
        if must_rebuild(self._catalog, index.sequence):
            # The log does not reach back to it any more; the file does, or is passed over.
            index = self._load(space)
        index.remove(removed_since(self._catalog, index.sequence))
        for ids, rows, vectors in vectors_since(self._catalog, index.sequence, space.id, space.dim):
            index.add(ids, rows, vectors)
        index.sequence = wanted
        return index
