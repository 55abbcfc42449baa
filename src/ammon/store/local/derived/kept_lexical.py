"""The lexical index of one catalog, kept abreast of it.

A reader catches up by itself; only who holds the write lock writes the index's files. Anything doubtful is built anew
from the catalog, without reading a source again.
"""

from __future__ import annotations

import threading

from ammon.errors import LibraryBusy, LibraryError
from ammon.store.local.catalog import Catalog
from ammon.store.local.derived.lexical import IndexDamaged, LexicalIndex, create_index, find_index
from ammon.store.local.derived.replay import last_of_texts, must_rebuild, removed_since, texts_since
from ammon.store.local.files.connection import log_path
from ammon.store.local.files.continuity import refuse_older
from ammon.store.local.files.disk import may_write
from ammon.store.local.masks import Mask
from ammon.types import Candidates

LEXICAL_NAME = "lexical"

WASTE = 1.0
"""Removed passages for each one that is left, past which the index is built anew."""


class KeptLexical:
    """Opens, catches up and renews the lexical index. Safe to share between threads."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._path = catalog.folder / LEXICAL_NAME
        self._guard = threading.RLock()
        self._index: LexicalIndex | None = None

    def current(self) -> LexicalIndex:
        """The index with every chunk of the catalog. Raises: LibraryDamaged.

        New vectors alone are no reason to write it: readers in a row would leave no writer the lock.
        """
        with self._guard:
            index = self._index = self._index or self._found()
            wanted = last_of_texts(self._catalog)
            if index is not None and index.sequence < wanted:
                try:
                    index.reload()
                except IndexDamaged:
                    index = None
                if index is None or index.path is None:
                    # Damaged, or just being replaced by another process; or in memory, and maybe no longer needed.
                    index = self._index = self._found()
            if index is not None and index.sequence >= wanted:
                return index
        return self._caught_up(index)

    def search(self, text: str, k: int, allowed: Mask | None) -> Candidates:
        """The ``k`` best chunks for the terms of ``text``; an index found damaged is built anew first."""
        try:
            return self.current().search(text, k, allowed)
        except IndexDamaged:
            self.renew()
            return self.current().search(text, k, allowed)

    def write(self) -> LexicalIndex:
        """Bring the index up to the catalog, durably, and return it; the caller holds the write lock."""
        with self._guard:
            try:
                index = self._index = self._index or self._found() or self._created()
                index.reload()
                self._replay(index)
            except IndexDamaged:
                index = self._index = self._created()
                self._replay(index)
            return index

    def renew(self) -> None:
        """Build an index anew in place of one that is damaged. Raises: LibraryBusy."""
        with self._catalog.locked(), self._guard:
            self._index = self._created()
            self._replay(self._index)

    def tidy(self, most: float = WASTE) -> None:
        """Write the index without the removed passages if there are more than ``most`` for each one that is left."""
        if self.current().waste() > most:
            with self._catalog.locked(), self._guard:
                self._replay(self.write(), anew=True)

    def close(self) -> None:
        """Let go of the index."""
        with self._guard:
            self._index = None

    def check(self) -> None:
        """Make sure that the catalog has come as far as the index. Raises: WentBack."""
        with self._guard:
            self._index = self._index or self._found()

    def _found(self) -> LexicalIndex | None:
        """The index there is; ``None`` where it cannot be gone on from. Raises: WentBack."""
        index = find_index(self._path, library=self._catalog.uuid)
        if index is not None and index.sequence > self._catalog.sequence():
            refuse_older(self._catalog.path, index.sequence, LEXICAL_NAME)
        return index

    def _created(self) -> LexicalIndex:
        try:
            return create_index(self._path, library=self._catalog.uuid)
        except LibraryError:
            # The folder cannot be written: the same index, in memory.
            return create_index(None, library=self._catalog.uuid)

    def _caught_up(self, index: LexicalIndex | None) -> LexicalIndex:
        """The index with what it misses. While another process writes, one that is merely behind will do.

        What it misses is not acknowledged yet, or only just. One that is empty, or not there, is waited for. Who may
        not write leaves it to whoever has a log open; where nobody has, he has an index of his own, in memory.
        """
        will_do = index is not None and index.sequence > 0
        try:
            with self._catalog.locked(timeout=0 if will_do else None):
                return self.write()
        except LibraryError as error:
            if index is not None and will_do and (isinstance(error, LibraryBusy) or _is_anothers(self._catalog)):
                return index
            with self._guard:
                index = self._index = create_index(None, library=self._catalog.uuid)
                self._replay(index)
                return index

    def _replay(self, index: LexicalIndex, *, anew: bool = False) -> None:
        """Bring the index up to the catalog, from the beginning if it must be or ``anew``."""
        with self._catalog.reading():
            wanted = self._catalog.sequence()
            if index.sequence < wanted or anew:
                anew = anew or must_rebuild(self._catalog, index.sequence)
                reached = 0 if anew else index.sequence
                removed = removed_since(self._catalog, reached)
                index.apply(texts_since(self._catalog, reached), removed, wanted, anew=anew)


def _is_anothers(catalog: Catalog) -> bool:
    """Whether others may write the library, and do, and this process may not."""
    return log_path(catalog.path).exists() and not may_write(catalog.folder)
