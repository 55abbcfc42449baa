"""What a library holds, as plain values that two libraries of the same content have in common: no ids, no times of writing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import tantivy

from ammon import Library
from ammon.store.local.derived.lexical import LexicalIndex
from ammon.store.local.masks import Where
from ammon.store.local.store import LocalStore
from ammon.types import Candidates, Skip, Vectors

Row: TypeAlias = tuple[Any, ...]

DOCUMENTS = """SELECT uri, media_type, size, modified, content_hash, title, language, encoding, encoding_confidence,
metadata, state, code, reason, tail FROM document"""
CHUNKS = """SELECT d.uri, c.ordinal, c.start, c."end", c.page, c.first_line, c.last_line, c.heading, c.lead, c.text,
c.text_hash, c.tokens FROM chunk AS c JOIN document AS d ON d.id = c.document"""
VECTORS = "SELECT v.text_hash, v.data FROM vector AS v JOIN space AS s ON s.id = v.space WHERE s.state = 'active'"


@dataclass(frozen=True)
class Holdings:
    """Rows of all columns but ids, each under its uri or hash; what the walk left out; hits of a few queries."""

    documents: dict[str, Row]
    chunks: dict[tuple[str, int], Row]
    vectors: dict[bytes, bytes]
    left_out: frozenset[Skip]

    def without(self, uris: set[str]) -> Holdings:
        """The same, but for these documents, and for vectors, of which some may be theirs."""
        documents = {uri: row for uri, row in self.documents.items() if uri not in uris}
        chunks = {key: row for key, row in self.chunks.items() if key[0] not in uris}
        left_out = frozenset(skip for skip in self.left_out if skip.uri not in uris)
        return Holdings(documents, chunks, {}, left_out)


def holdings(library: Library) -> Holdings:
    """All that the catalog holds."""
    catalog, ledger = library.store.catalog, library.store.ledger
    with catalog.reading():
        return Holdings(
            {row[0]: row[1:] for row in catalog.rows(DOCUMENTS)},
            {row[:2]: row[2:] for row in catalog.rows(CHUNKS)},
            dict(catalog.rows(VECTORS)),
            frozenset([*ledger.failed(), *ledger.skipped()]),
        )


def require_tidy(library: Library) -> None:
    """See that nothing waits, nothing is left over, and both indexes hold exactly the catalog's chunks."""
    store = library.store
    assert library.status().pending == 0
    assert store.catalog.value("SELECT count(*) FROM loose") == 0
    assert store.catalog.value("SELECT count(*) FROM vector WHERE text_hash NOT IN (SELECT text_hash FROM chunk)") == 0
    assert store.catalog.value("SELECT count(*) FROM chunk WHERE document NOT IN (SELECT id FROM document)") == 0
    require_indexes(store)


def require_indexes(store: LocalStore) -> None:
    """See that the indexes hold what the catalog holds, id for id."""
    with store.catalog.reading():
        wanted = [row[0] for row in store.catalog.rows("SELECT id FROM chunk ORDER BY id")]
        assert lexical_ids(store.words.current()) == wanted
        rows = store.catalog.rows(
            """SELECT c.id, v.id FROM chunk AS c JOIN vector AS v ON v.text_hash = c.text_hash
            JOIN space AS s ON s.id = v.space WHERE s.state = 'active' ORDER BY c.id"""
        )
        current = store.nearest.current()
        held = current[0].ids if current else np.empty(0, np.int64)
        assert sorted(held.tolist()) == [chunk for chunk, _ in rows]
        if current:
            assert current[0].rows_of(np.array([chunk for chunk, _ in rows], np.int64)).tolist() == [v for _, v in rows]


def lexical_ids(index: LexicalIndex) -> list[int]:
    """Every chunk id in the index, in order."""
    every = tantivy.Query.term_query(index._index.schema, "kind", "chunk", "basic")
    hits = index._searcher.search(every, max(1, index.count())).hits
    held: list[Any] = list(index._searcher.fast_field_values("id", [address for _, address in hits]))
    return sorted(held)


Place: TypeAlias = tuple[float, str, int, str]
"""A score and where the passage stands: uri, first character, text."""


def places(store: LocalStore, found: Candidates) -> list[Place]:
    """What was found, best first; ids, which depend on the order of writing, decide no tie."""
    records = store.records(found.ids)
    scores = [round(float(score), 3) for score in found.scores]
    rows = [
        (-score, record.uri, record.chunk.start, record.chunk.text)
        for score, record in zip(scores, records, strict=True)
    ]
    return sorted(rows)


def found_by_words(store: LocalStore, text: str, k: int = 10_000, where: Where = None) -> list[Place]:
    """What the keyword leg finds."""
    return places(store, store.lexical(text, k, where))


def found_by_vector(store: LocalStore, vector: Vectors, k: int = 10_000, where: Where = None) -> list[Place]:
    """What the dense leg finds."""
    return places(store, store.dense(vector, k, where))
