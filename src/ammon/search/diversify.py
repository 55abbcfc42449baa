"""Fewer passages that say the same: maximal marginal relevance. Knows hits and vectors; knows no store.

Carbonell & Goldstein (1998), equation 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ammon.ports import Step
from ammon.types import Hit, Ids, Query, Vectors

BALANCE = 0.7
"""1: relevance alone; 0: difference alone."""

VectorsOf = Callable[[Ids], tuple[Ids, Vectors]]
"""Chunk ids → those that have a vector, in any order, and their unit rows."""


def diversify(vectors_of: VectorsOf, *, balance: float = BALANCE) -> Step:
    """A step that orders hits so that each is relevant and unlike those before it; all are kept.

    Both sides are in [0, 1]: relevance is the score over the best score, likeness the largest cosine to a hit already
    taken, stretched from this list's own range. A hit without a vector is like none.
    """

    def step(query: Query, hits: list[Hit]) -> list[Hit]:
        if len(hits) < 3:
            return hits
        order = _order(_relevance(hits), _likeness(hits, vectors_of), min(query.k, len(hits)), balance)
        taken = set(order)
        return [hits[place] for place in order] + [hit for place, hit in enumerate(hits) if place not in taken]

    return step


def _order(relevance: NDArray[np.float64], likeness: NDArray[np.float64], count: int, balance: float) -> list[int]:
    """The first ``count`` places, greedily; a tie goes to the earlier."""
    nearest = np.zeros(len(relevance))
    left = np.ones(len(relevance), bool)
    order: list[int] = []
    for _ in range(count):
        worth = np.where(left, balance * relevance - (1 - balance) * nearest, -np.inf)
        best = int(np.argmax(worth))
        order.append(best)
        left[best] = False
        nearest = np.maximum(nearest, likeness[best])
    return order


def _relevance(hits: list[Hit]) -> NDArray[np.float64]:
    scores = np.array([hit.score for hit in hits])
    return scores / max(float(scores.max()), 1e-9)


def _likeness(hits: list[Hit], vectors_of: VectorsOf) -> NDArray[np.float64]:
    """Cosines between hits, ``(n, n)``, stretched to [0, 1] by the least of them; 0 where a vector is missing."""
    ids = np.array([hit.chunk_id for hit in hits], np.int64)
    found, rows = vectors_of(ids)
    places = {int(chunk_id): place for place, chunk_id in enumerate(ids)}
    held = np.array([places[int(chunk_id)] for chunk_id in found], np.int64)
    likeness = np.zeros((len(hits), len(hits)))
    if len(held) > 1:
        cosines = (rows @ rows.T).astype(np.float64)
        low = float(cosines.min())
        likeness[np.ix_(held, held)] = np.clip((cosines - low) / max(1 - low, 1e-9), 0, 1)
    return likeness
