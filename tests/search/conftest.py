"""A real local store filled with small documents, and a toy embedder that obeys the port's laws."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from ammon.store.local.spaces import claim_space
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry, Vectors

Fill = Callable[..., LocalStore]


class TrigramEmbedder:
    """Unit rows that count the hashed letter triples of a text: texts that look alike are near."""

    name = "trigrams"
    fingerprint = "trigrams"
    dim = 64
    max_tokens = 512

    def __init__(self, languages: frozenset[str] = frozenset()) -> None:
        self.languages = languages

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        rows = np.full((len(texts), self.dim), 1e-3, np.float32)
        for row, text in zip(rows, texts, strict=True):
            for at in range(len(text) - 2):
                row[hashlib.blake2b(text[at : at + 3].encode(), digest_size=1).digest()[0] % self.dim] += 1
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        return self.embed_passages([instruction + text for text in texts])


def make_entry(uri: str, texts: Sequence[str], gap: str = "\n\n", title: str = "", **source: int) -> Entry:
    """A document of one chunk a text, with ``gap`` before, between and after them."""
    chunks, whole = [], gap
    for ordinal, text in enumerate(texts):
        line = whole.count("\n") + 1
        chunks.append(Chunk(ordinal, len(whole), len(whole) + len(text), text, line, line + text.count("\n"), tokens=1))
        whole += text + gap
    return Entry(Document(uri, whole, title=title, metadata={"name": uri}), chunks, content_hash=uri, **source)


@pytest.fixture
def entry() -> Callable[..., Entry]:
    """Makes a document: uri and the texts of its chunks."""
    return make_entry


@pytest.fixture
def fruit() -> list[Entry]:
    """Three documents of five chunks."""
    return [
        make_entry("a", ["apples ripen in autumn", "pears ripen off the tree"], title="Orchard"),
        make_entry("b", ["quinces are hard and sour"]),
        make_entry("c", ["苹果在秋天成熟", "the price of apples rose"]),
    ]


@pytest.fixture
def english() -> TrigramEmbedder:
    """A model that reads English only."""
    return TrigramEmbedder(frozenset({"en"}))


@pytest.fixture
def embedder() -> TrigramEmbedder:
    return TrigramEmbedder()


@pytest.fixture
def fill(tmp_path: Path, embedder: TrigramEmbedder) -> Fill:
    """Makes a library of entries, each with its vectors unless told otherwise."""

    def make(*entries: Entry, vectors: bool = True) -> LocalStore:
        store = LocalStore(tmp_path / "library")
        store.put(entries)
        if vectors:
            claim_space(store.catalog, embedder.name, embedder.fingerprint, embedder.dim)
            pending = store.pending(100_000)
            store.put_vectors([each.text_hash for each in pending], embedder.embed_passages([p.text for p in pending]))
        return store

    return make
