"""Large stores of made-up texts and vectors, filled quickly, and brute force over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ammon.store.local.documents import text_hash
from ammon.store.local.spaces import claim_space
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry, Ids, Vectors, embedded_text

DIM = 128
TOPICS = 40
WORDS = [f"{first}{second}{third}" for first in "bdfglm" for second in "aeiou" for third in "nrst"]


class TopicEmbedder:
    """Unit rows that depend on the text alone, in as many clusters as there are topics, as those of real texts are."""

    name = "topics"
    fingerprint = "topics"
    dim = DIM
    max_tokens = 512
    languages: frozenset[str] = frozenset()
    tokenizer = None

    def __init__(self) -> None:
        self._centres = np.random.default_rng(7).standard_normal((TOPICS, DIM))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        rows = np.empty((len(texts), DIM))
        for at, text in enumerate(texts):
            seed = int.from_bytes(text_hash(text)[:8], "little")
            rows[at] = self._centres[seed % TOPICS] + np.random.default_rng(seed).standard_normal(DIM)
        unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        return self.embed_passages([instruction + text for text in texts])


def sentence(random: np.random.Generator, count: int = 12) -> str:
    """Words, the common ones common."""
    return " ".join(WORDS[min(int(rank), len(WORDS)) - 1] for rank in random.zipf(1.3, count))


def passage(uri: str, text: str, **metadata: object) -> Entry:
    """A document of one passage."""
    chunk = Chunk(0, 0, len(text), text, 1, 1, tokens=len(text.split()))
    return Entry(Document(uri, text, metadata=metadata), [chunk], content_hash=uri)


def fill(place: Path, entries: Iterable[Entry]) -> LocalStore:
    """A store of these documents with their vectors."""
    store, model = LocalStore(place), TopicEmbedder()
    claim_space(store.catalog, model.name, model.fingerprint, model.dim)
    put(store, list(entries))
    return store


def put(store: LocalStore, entries: Sequence[Entry]) -> None:
    """Put documents with their vectors into a store, as one batch."""
    store.put(entries)
    texts = list({embedded_text(chunk.heading, chunk.text) for entry in entries for chunk in entry.chunks})
    if texts:
        store.put_vectors([text_hash(text) for text in texts], TopicEmbedder().embed_passages(texts))
    store.settle()


class BruteForce:
    """Every chunk's id and exact vector, compared one by one."""

    def __init__(self, store: LocalStore) -> None:
        self.ids: Ids = np.array([row[0] for row in store.catalog.rows("SELECT id FROM chunk ORDER BY id")], np.int64)
        there, rows = store.nearest.vectors_of(self.ids)
        self._rows = rows[np.argsort(there)].astype(np.float64)

    def nearest(self, vector: Vectors, k: int, allowed: NDArray[np.bool_]) -> Ids:
        """The ``k`` ids nearest to ``vector`` among those that are ``allowed``, by place."""
        scores = self._rows[allowed] @ vector.astype(np.float64)
        best: Ids = self.ids[allowed][np.lexsort((self.ids[allowed], -scores))[:k]]
        return best


def recall(found: Ids, best: Ids) -> float:
    """The share of ``best`` that was found; of nothing, all."""
    return len(set(found.tolist()) & set(best.tolist())) / len(best) if len(best) else 1.0


Matching = Callable[[int], bool]
