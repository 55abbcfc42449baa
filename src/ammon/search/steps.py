"""The steps that search can take after fusion, made ready for a store: what `Library.search(steps=…)` is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ammon.ports import Step, Store
from ammon.search import diversify as _diversify
from ammon.search import expand as _expand
from ammon.search import rerank as _rerank
from ammon.search.rerank import READ, Reranker
from ammon.store.local.passages import read_passage
from ammon.store.local.store import LocalStore
from ammon.types import Hit, Record

__all__ = ["Reranker", "diversify", "expand", "rerank"]


def rerank(model: str | Reranker, *, depth: int = READ, cache: Path | None = None, threads: int = 0) -> Step:
    """A step that sorts the first ``depth`` hits again; see `ammon.search.rerank`.

    ``model`` is a cross-encoder: one that is loaded, or its folder or Hugging Face repo, loaded now into ``cache``
    to run on ``threads`` (0: every core). Raises: ModelNotFound.
    """
    if isinstance(model, str):
        from ammon.embed import load_reranker

        return _rerank.rerank(load_reranker(model, cache=cache, threads=threads), depth=depth)
    return _rerank.rerank(model, depth=depth)


def diversify(store: LocalStore, *, balance: float = _diversify.BALANCE) -> Step:
    """A step that orders hits so that each is relevant and unlike those before it; see `ammon.search.diversify`."""
    return _diversify.diversify(store.nearest.vectors_of, balance=balance)


def expand(store: LocalStore, count: int = 1) -> Step:
    """A step that widens each hit by ``count`` chunks on each side; see `ammon.search.expand`."""

    def text_at(document_id: int, start: int, end: int) -> str:
        return read_passage(store.catalog, document_id, start, end)

    def neighbours(hit: Hit, reach: int) -> list[Record]:
        return around(store, hit, reach)

    return _expand.expand(neighbours, text_at, count=count)


def around(store: Store, hit: Hit, reach: int) -> list[Record]:
    """The records from ``reach`` chunks before ``hit`` to ``reach`` after it, in its document.

    A document's chunks have consecutive ids, because they are always stored together.
    """
    ids = np.arange(max(1, hit.chunk_id - reach), hit.chunk_id + reach + 1, dtype=np.int64)
    return [record for record in store.records(ids) if record.document_id == hit.document_id]
