"""The two derived indexes of a local library, kept abreast of the catalog.

A reader catches up in memory; only who holds the write lock writes their files. Anything doubtful is rebuilt from the
catalog, without reading a source or embedding a text again.
"""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import numpy as np

from ammon.errors import LibraryBusy, LibraryDamaged, LibraryError
from ammon.store.local.catalog import Catalog
from ammon.store.local.lexical import LexicalIndex
from ammon.store.local.masks import Mask
from ammon.store.local.replay import removed_since, texts_since, vectors_since
from ammon.store.local.spaces import Space, active_space
from ammon.store.local.vectors import VectorIndex
from ammon.types import Candidates, Ids, Vectors

LEXICAL_NAME = "lexical"
SAVE_AFTER_ROWS = 4096
SAVE_AFTER_SHARE = 0.05
"""The vector file is written anew once this many rows, or this share of them, would have to be replayed."""

WASTE = 1.0
"""Removed passages for each one that is left, past which the lexical index is built anew."""


def vector_file(folder: Path, space: int) -> Path:
    """Where the vector index of a space is kept."""
    return folder / f"vectors-{space}.idx"


class DerivedIndexes:
    """Opens, catches up and saves the lexical and the vector index of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._guard = threading.RLock()
        self._lexical: LexicalIndex | None = None
        self._vectors: VectorIndex | None = None
        self._space: Space | None = None
        self._saved_rows = 0

    def lexical(self) -> LexicalIndex:
        """The lexical index, as far as the catalog has come."""
        with self._guard:
            if self._lexical is None:
                self._lexical = self._open_lexical()
            index, wanted = self._lexical, self._catalog.sequence()
            if index.sequence < wanted:
                index.reload()
            if index.sequence < wanted:
                self._catch_up_lexical()
            return self._lexical

    def _open_lexical(self) -> LexicalIndex:
        path = self._catalog.folder / LEXICAL_NAME
        try:
            return LexicalIndex.open(path, library=self._catalog.uuid)
        except LibraryError:
            # The folder cannot be written: the same index, in memory.
            return LexicalIndex.open(None, library=self._catalog.uuid)

    def _catch_up_lexical(self) -> None:
        """Replay what is missing, unless another process is at it right now: it will then have written it."""
        try:
            with self._catalog.locked(timeout=0):
                self.write_lexical()
        except LibraryBusy:
            return
        except LibraryError:
            self._lexical = LexicalIndex.open(None, library=self._catalog.uuid)
            self._replay_lexical(self._lexical)

    def write_lexical(self) -> None:
        """Bring the lexical index up to the catalog, durably; the caller holds the write lock."""
        with self._guard:
            self._lexical = self._lexical or self._open_lexical()
            try:
                self._lexical.reload()
                self._replay_lexical(self._lexical)
            except LibraryDamaged:
                self._lexical = self._fresh_lexical()
                self._replay_lexical(self._lexical)

    def _replay_lexical(self, index: LexicalIndex) -> None:
        with self._catalog.reading():
            wanted = self._catalog.sequence()
            if index.sequence < wanted:
                removed = removed_since(self._catalog, index.sequence).tolist() if index.sequence else []
                index.apply(texts_since(self._catalog, index.sequence), removed, wanted)

    def _fresh_lexical(self) -> LexicalIndex:
        """An empty lexical index in place of the one there is."""
        shutil.rmtree(self._catalog.folder / LEXICAL_NAME, ignore_errors=True)
        return self._open_lexical()

    def renew_lexical(self) -> None:
        """Build the lexical index anew from the catalog. Raises: LibraryBusy."""
        with self._guard, self._catalog.locked():
            self._lexical = self._fresh_lexical()
            self.write_lexical()

    def search_lexical(self, text: str, k: int, allowed: Mask | None) -> Candidates:
        """The ``k`` best chunks for the terms of ``text``; an index found damaged is built anew first."""
        try:
            return self.lexical().search(text, k, allowed)
        except LibraryDamaged:
            self.renew_lexical()
            return self.lexical().search(text, k, allowed)

    def vectors(self) -> tuple[VectorIndex, Space] | None:
        """The vector index of the active space, up to date; ``None`` before anything was embedded."""
        with self._guard:
            space = active_space(self._catalog)
            if space is None:
                return None
            if self._vectors is None or self._space is None or self._space.id != space.id:
                self._vectors = self._load_vectors(space)
            self._space = space
            self._catch_up_vectors(self._vectors, space)
            return self._vectors, space

    def search_vectors(self, vector: Vectors, k: int, allowed: Mask | None) -> Ids:
        """About the ``k`` nearest chunk ids, best first; see `VectorIndex.search`."""
        with self._guard:
            found = self.vectors()
            return found[0].search(vector, k, allowed) if found else np.empty(0, np.int64)

    def _load_vectors(self, space: Space) -> VectorIndex:
        path = vector_file(self._catalog.folder, space.id)
        index = VectorIndex.load(path, library=self._catalog.uuid, space=space.id, dim=space.dim)
        if index is not None and index.sequence > self._catalog.sequence():
            index = None
        self._saved_rows = len(index) if index is not None else 0
        return index if index is not None else VectorIndex(space.dim)

    def _catch_up_vectors(self, index: VectorIndex, space: Space) -> None:
        with self._catalog.reading():
            wanted = self._catalog.sequence()
            # Another thread may have brought it further than this thread's view of the catalog.
            if index.sequence >= wanted:
                return
            if index.sequence:
                index.remove(removed_since(self._catalog, index.sequence))
            for ids, vectors in vectors_since(self._catalog, index.sequence, space.id, space.dim):
                index.add(ids, vectors)
            index.sequence = wanted

    def tidy(self) -> None:
        """Write the vector index if it has moved on; build a lexical index anew that is mostly removed text."""
        self.save_vectors()
        if self.lexical().waste() > WASTE:
            self.renew_lexical()

    def save_vectors(self, *, always: bool = False) -> None:
        """Write the vector index to its file when enough has changed since, or ``always``. Takes the write lock."""
        with self._guard:
            found = self.vectors()
            if found is None:
                return
            index, space = found
            behind = abs(len(index) - self._saved_rows)
            if not always and behind < min(SAVE_AFTER_ROWS, 1 + SAVE_AFTER_SHARE * len(index)):
                return
            with self._catalog.locked():
                path = vector_file(self._catalog.folder, space.id)
                index.save(path, library=self._catalog.uuid, space=space.id)
            self._saved_rows = len(index)

    def close(self) -> None:
        """Let go of both indexes."""
        with self._guard:
            self._lexical = self._vectors = self._space = None
