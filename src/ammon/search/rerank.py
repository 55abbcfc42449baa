"""Sort hits again by a model that reads question and passage together. Knows nothing of how the model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ammon.ports import Step
from ammon.types import Hit, Query

READ = 50
"""Hits that are read; the rest keep their order below them."""


class Reranker(Protocol):
    """A cross-encoder."""

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers ``query``, shape ``(len(texts),)``, in (0, 1)."""
        ...


def rerank(reranker: Reranker, *, depth: int = READ) -> Step:
    """A step that sorts the first ``depth`` hits by the reranker's score, ties in their old order.

    A read hit's ``score`` becomes the reranker's; those below are cut so that scores never rise.
    """

    def step(query: Query, hits: list[Hit]) -> list[Hit]:
        read = hits[:depth]
        if not read:
            return hits
        scores = np.asarray(reranker.score(query.text, [hit.text for hit in read]), np.float64)
        order = np.argsort(-scores, kind="stable")
        ranked = [_scored(read[place], float(scores[place])) for place in order]
        lowest = ranked[-1].score
        return [*ranked, *(replace(hit, score=min(hit.score, lowest)) for hit in hits[depth:])]

    return step


def _scored(hit: Hit, score: float) -> Hit:
    return replace(hit, score=min(1.0, max(0.0, score)), why=replace(hit.why, reranked=score))
