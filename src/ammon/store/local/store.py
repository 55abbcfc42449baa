"""The local store: a catalog and what is derived from it, behind the `Store` port."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from ammon.errors import LibraryDamaged
from ammon.store.local import backlog, filters
from ammon.store.local.catalog import Catalog, batches, marks
from ammon.store.local.compaction import tidy
from ammon.store.local.derived.kept_lexical import KeptLexical
from ammon.store.local.derived.kept_vectors import KeptVectors
from ammon.store.local.documents import RECORD_COLUMNS, drop_documents, listed, put_entries, record_of
from ammon.store.local.files.checkpoints import keep_log_short
from ammon.store.local.ledger import Ledger
from ammon.store.local.masks import Masks, Where
from ammon.store.local.recognised import Recognised
from ammon.types import Candidates, Entry, Ids, Pending, Record, Vectors

RESCORED_BEYOND = 40
"""How many more candidates of the 4-bit scan than hits are scored exactly; on 110,000 × 384, 30 are enough for a
recall@10 of 0.999."""


class LocalStore:
    """A library's folder as a `Store`. Safe to share between threads; any number of processes may open one folder."""

    def __init__(self, folder: Path, *, create: bool = True, lock_timeout: float = 30.0) -> None:
        """Raises: LibraryNotFound, LibraryNewer, LibraryDamaged, LibraryError."""
        self.catalog = Catalog(folder, create=create, lock_timeout=lock_timeout)
        self.ledger = Ledger(self.catalog)
        self.recognised = Recognised(self.catalog)
        self.words = KeptLexical(self.catalog)
        self.nearest = KeptVectors(self.catalog)
        self._masks = Masks(self.catalog)
        if not self.catalog.witnessed:
            # Before anything is written, which would make up for the lead that the index has.
            try:
                self.words.check()
            except LibraryDamaged:
                self.close()
                raise

    def put(self, entries: Iterable[Entry]) -> None:
        """Store documents with their chunks, replacing any of the same uri, as one transaction.

        Each is let go as soon as it is stored: the text of a large one takes several times its bytes.
        """
        with self.catalog.locked():
            with self.catalog.writing():
                put_entries(self.catalog, entries)
            self.words.write()
            keep_log_short(self.catalog)

    def remove(self, uris: Sequence[str]) -> int:
        """Remove documents by uri, as one transaction. Returns how many were there."""
        with self.catalog.locked():
            with self.catalog.writing():
                removed = drop_documents(self.catalog, uris)
            self.words.write()
            keep_log_short(self.catalog)
        return removed

    def pending(self, limit: int, after: int = 0) -> list[Pending]:
        """Up to ``limit`` distinct texts past chunk ``after`` that have no vector in the active space yet."""
        return backlog.pending(self.catalog, limit, after)

    def put_vectors(self, hashes: Sequence[bytes], vectors: Vectors, fingerprint: str = "") -> None:
        """Store the vectors of texts by their hash, durably, as one transaction. A space must have been claimed.

        Raises: ModelChanged when the active space is not of the model with this ``fingerprint``, if one is given.
        """
        with self.catalog.locked():
            backlog.put_vectors(self.catalog, hashes, vectors, fingerprint)
            keep_log_short(self.catalog)

    def settle(self) -> None:
        """Tidy up after a run, within bounds: note how far embedding has come, drop what nothing needs; see `tidy`."""
        tidy(self.catalog, self.words, self.nearest)

    def prepare(self) -> None:
        """Load the vector index and bring it up to date, which the first `dense` of a process would have to do."""
        self.nearest.current()

    def dense(self, vector: Vectors, k: int, where: Where = None, fingerprint: str = "") -> Candidates:
        """The ``k`` chunks of highest cosine to ``vector`` (shape ``(dim,)``), exactly scored.

        Raises: ModelChanged when the active space is not of the model with this ``fingerprint``, if one is given.
        """
        if k <= 0:
            return Candidates(np.empty(0, np.int64), np.empty(0, np.float32))
        with self.catalog.reading():
            ids, rows = self.nearest.search(vector, k + RESCORED_BEYOND, self._masks.allowed(where), fingerprint)
        if not len(ids):
            return Candidates(ids, np.empty(0, np.float32))
        scores = rows @ vector.astype(np.float32)
        best = np.lexsort((ids, -scores))[:k]
        return Candidates(ids[best], scores[best])

    def lexical(self, text: str, k: int, where: Where = None) -> Candidates:
        """The ``k`` chunks of highest BM25 score for the terms of ``text``; those without a term are not matches."""
        return self.words.search(text, k, self._masks.allowed(where))

    def records(self, ids: Ids) -> list[Record]:
        """The chunks of these ids, in this order; ids that are gone are left out."""
        found: dict[int, Record] = {}
        for some in batches(ids):
            rows = self.catalog.rows(
                f"""SELECT {RECORD_COLUMNS} FROM chunk AS c CROSS JOIN document AS d ON d.id = c.document
                WHERE c.id IN ({marks(some)})""",
                some,
            )
            found.update((row[0], record_of(row)) for row in rows)
        return [found[chunk_id] for chunk_id in ids.tolist() if chunk_id in found]

    def documents_of(self, ids: Ids) -> Ids:
        """The id of each chunk's document, in this order; 0 where the chunk is gone."""
        found: dict[int, int] = {}
        for some in batches(ids):
            found.update(self.catalog.rows(f"SELECT id, document FROM chunk WHERE id IN ({marks(some)})", some))
        return np.array([found.get(chunk_id, 0) for chunk_id in ids.tolist()], np.int64)

    def documents(self, where: Where = None) -> Iterator[Record]:
        """The first chunk of every document that satisfies the filter, by uri."""
        node = filters.parse(where)
        condition, bindings = filters.compile_sql(node) if node is not None else ("1", [])
        return listed(self.catalog, condition, bindings)

    def close(self) -> None:
        """Give back files and memory. Closing twice is harmless."""
        self.words.close()
        self.nearest.close()
        self.catalog.close()
