"""More like this: a document as the query. The mean of its chunks' vectors, and its rarest terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ammon.errors import InputError
from ammon.normalising import normalised
from ammon.ports import Embedder, Store
from ammon.search.fuse import DEPTH, WEIGHT, fuse
from ammon.search.hits import with_matched
from ammon.search.retrieve import NONE, hits_of
from ammon.store.local.derived.terms import terms
from ammon.types import Candidates, Chunk, Document, Hit, Vectors

MOST_CHUNKS = 64
"""A longer document is read at so many places, evenly spread: their mean hardly moves after that."""


def similar(
    store: Store,
    embedder: Embedder | None,
    document: Document,
    chunks: Sequence[Chunk],
    k: int = 10,
    *,
    where: Any = None,
) -> list[Hit]:
    """The ``k`` chunks most like ``document``, best first; chunks of the document itself, by uri, are left out.

    ``chunks`` are the document's own; without an ``embedder`` its terms decide alone. The keyword leg takes the most
    telling terms of the text by itself.
    Raises: InputError for a document without text, BadFilter, ModelUnavailable; ModelChanged when the store's vectors
    are not, or no longer, of the embedder's model.
    """
    if not document.text.strip():
        raise InputError(f"{document.uri} has no text to compare.")
    if k < 1:
        return []
    vector = None if embedder is None else _centre(embedder, chunks, document)
    fingerprint = "" if embedder is None else embedder.fingerprint
    distinct = tuple(dict.fromkeys(terms(document.text)))
    wanted = k + len(chunks)
    while True:
        deep = max(wanted, DEPTH)
        dense = NONE if vector is None else store.dense(vector, deep, where, fingerprint)
        lexical = store.lexical(document.text, deep, where)
        fused = fuse(dense, lexical, weight=WEIGHT)
        cut = Candidates(fused.ids[:wanted], fused.scores[:wanted])
        hits = [hit for hit in hits_of(store, cut, dense, lexical, distinct) if hit.uri != document.uri]
        if len(hits) >= k or len(fused) < wanted:
            return [with_matched(hit, distinct) for hit in hits[:k]]
        wanted *= 2


def _centre(embedder: Embedder, chunks: Sequence[Chunk], document: Document) -> Vectors:
    """The mean of the passages' unit rows, made unit again; shape ``(dim,)``."""
    step = max(1, -(-len(chunks) // MOST_CHUNKS))
    texts = [normalised(text) for text in [chunk.text for chunk in chunks[::step]] or [document.text]]
    mean = embedder.embed_passages(texts).mean(axis=0)
    centre: Vectors = (mean / max(float(np.linalg.norm(mean)), 1e-9)).astype(np.float32)
    return centre
