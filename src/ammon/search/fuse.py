"""Two ranked lists → one: a convex combination of min-max scores, with a leg that cannot serve the query gated.

Bruch, Gai & Ingber (2023, "An Analysis of Fusion Functions for Hybrid Retrieval", section 4) show why scores beat
ranks. Knows ids and numbers; knows nothing of texts, models or stores.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ammon.types import Candidates, Ids

WEIGHT = 0.5
"""Share of the dense leg; the keyword leg has the rest. `benchmarks/fusion_sweep.py` is the measurement."""

DEPTH = 100
"""Each leg's scores are normalised over so many of its best."""


Owners = Callable[[Ids], Ids]
"""Chunk ids → the ids of their documents, in the same order."""


def fuse(
    dense: Candidates,
    lexical: Candidates,
    *,
    weight: float = WEIGHT,
    depth: int = DEPTH,
    documents: Owners | None = None,
) -> Candidates:
    """The union of both lists with scores in [0, 1], best first, ties by id.

    ``weight`` in [0, 1] is the dense leg's share; a leg that found nothing leaves all of it to the other. What a leg
    did not find counts as its last. Ranks beyond ``depth`` count 0 in their leg, so that however long the lists are,
    the best come out the same; what counts 0 in both keeps the order of its uncut scores.

    With ``documents``, it is documents that are ranked: the best passage of each stands where the document's best
    passage of either leg puts it, be they two.
    """
    if not len(dense) or not len(lexical):
        weight = 1.0 if len(dense) else 0.0
    # not np.union1d, whose first call imports all of numpy.ma
    ids = np.array(sorted({*dense.ids.tolist(), *lexical.ids.tolist()}), np.int64)
    meaning, words = _spread(dense, ids, _last(dense, depth)), _spread(lexical, ids, _rest(lexical, depth))
    counted = (
        weight * _counted(meaning, dense.ids[:depth], ids),
        (1 - weight) * _counted(words, lexical.ids[:depth], ids),
    )
    total = counted[0] + counted[1] if documents is None else _by_document(*counted, documents(ids))
    uncut = np.where(total > 0, 0, weight * meaning + (1 - weight) * words)
    order = np.lexsort((ids, -uncut, -total))
    return Candidates(ids[order], total[order].astype(np.float32))


def _by_document(meaning: NDArray[np.float64], words: NDArray[np.float64], documents: Ids) -> NDArray[np.float64]:
    """The sums, but for the best passage of each document: its document's best ``meaning`` and best ``words``."""
    total = meaning + words
    order = np.lexsort((-total, documents))
    first = np.flatnonzero(np.diff(documents[order], prepend=-1))
    if len(first):
        total[order[first]] = np.maximum.reduceat(meaning[order], first) + np.maximum.reduceat(words[order], first)
    return total


def _spread(leg: Candidates, ids: Ids, low: float) -> NDArray[np.float64]:
    """A leg's scores at ``ids``, mapped so that its best is 1 and ``low`` is 0."""
    if not len(leg):
        return np.zeros(len(ids))
    width = max(float(leg.scores[0]) - low, 1e-9)
    scores = np.full(len(ids), min(0.0, (float(leg.scores[-1]) - low) / width))
    scores[np.searchsorted(ids, leg.ids)] = (leg.scores.astype(np.float64) - low) / width
    return scores


def _counted(scores: NDArray[np.float64], best: Ids, ids: Ids) -> NDArray[np.float64]:
    """``scores`` of a leg's ``best``, and 0 for all others."""
    places = np.searchsorted(ids, best)
    counted = np.zeros(len(ids))
    counted[places] = np.maximum(scores[places], 0)
    return counted


def _last(leg: Candidates, depth: int) -> float:
    """The lowest score of the best ``depth``; a lone candidate stands above it."""
    if not len(leg):
        return 0.0
    low = float(leg.scores[min(len(leg), depth) - 1])
    return low if low < float(leg.scores[0]) else low - 1.0


def _rest(leg: Candidates, depth: int) -> float:
    """As `_last`, but 0 when the list ends before ``depth``: what follows holds no term and would score 0."""
    return _last(leg, depth) if len(leg) >= depth else 0.0
