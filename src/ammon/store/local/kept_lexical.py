"""The lexical index of one catalog, kept abreast of it.

A reader catches up by itself; only who holds the write lock writes the index's files. Anything doubtful is built anew
from the catalog, without reading a source again.
"""

from __future__ import annotations

import shutil
import threading

from ammon.errors import LibraryBusy, LibraryDamaged, LibraryError
from ammon.store.local.catalog import Catalog
from ammon.store.local.disk import written
from ammon.store.local.lexical import LexicalIndex, sweep
from ammon.store.local.masks import Mask
from ammon.store.local.replay import removed_since, texts_since
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
        """The index, as far as the catalog has come. Raises: LibraryDamaged."""
        with self._guard:
            index = self._index = self._index or self._open()
            wanted = self._catalog.sequence()
            if index.sequence < wanted:
                index.reload()
            if index.sequence < wanted:
                self._catch_up()
            return self._index

    def search(self, text: str, k: int, allowed: Mask | None) -> Candidates:
        """The ``k`` best chunks for the terms of ``text``; an index found damaged is built anew first."""
        try:
            return self.current().search(text, k, allowed)
        except LibraryDamaged:
            self.renew()
            return self.current().search(text, k, allowed)

    def write(self) -> None:
        """Bring the index up to the catalog, durably; the caller holds the write lock."""
        with self._guard:
            self._index = self._index or self._open()
            try:
                self._index.reload()
                self._replay(self._index)
            except LibraryDamaged:
                self._index = self._fresh()
                self._replay(self._index)

    def renew(self) -> None:
        """Build the index anew from the catalog. Raises: LibraryBusy."""
        with self._guard, self._catalog.locked():
            self._index = self._fresh()
            self.write()

    def tidy(self) -> None:
        """Remove what killed processes have left, and build the index anew if it is mostly removed text."""
        sweep(self._path)
        if self.current().waste() > WASTE:
            self.renew()

    def close(self) -> None:
        """Let go of the index."""
        with self._guard:
            self._index = None

    def _open(self) -> LexicalIndex:
        try:
            return LexicalIndex.open(self._path, library=self._catalog.uuid)
        except LibraryError:
            # The folder cannot be written: the same index, in memory.
            return LexicalIndex.open(None, library=self._catalog.uuid)

    def _catch_up(self) -> None:
        """Replay what is missing, unless another process is at it right now: it will then have written it."""
        try:
            with self._catalog.locked(timeout=0):
                self.write()
        except LibraryBusy:
            return
        except LibraryError:
            self._index = LexicalIndex.open(None, library=self._catalog.uuid)
            self._replay(self._index)

    def _replay(self, index: LexicalIndex) -> None:
        with self._catalog.reading():
            wanted = self._catalog.sequence()
            if index.sequence < wanted:
                removed = removed_since(self._catalog, index.sequence).tolist() if index.sequence else []
                index.apply(texts_since(self._catalog, index.sequence), removed, wanted)

    def _fresh(self) -> LexicalIndex:
        """An empty index in place of the one there is."""
        with written(self._path):
            if self._path.is_dir():
                shutil.rmtree(self._path)
            else:
                self._path.unlink(missing_ok=True)
        return self._open()
