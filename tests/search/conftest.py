"""A real local store filled with small documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ammon.store.local.spaces import claim_space
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry
from toy_embedder import TrigramEmbedder

Fill = Callable[..., LocalStore]


def make_entry(uri: str, texts: Sequence[str], gap: str = "\n\n", title: str = "", **source: Any) -> Entry:
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
