"""Scores for people: a number in [0, 1] that means the same for every query.

Fused scores are relative to each query's own list, whose best is always near 1. This asks how sure the best is, from
how far it stands out of the dense list and how much of the question it holds, and scales the rest by their order.
"""

from __future__ import annotations

import math

from ammon.search.fuse import DEPTH
from ammon.types import Candidates, Why

GAP, SHARE, BIAS = 17.2, 1.9, -5.3
WORDS_SHARE, WORDS_BIAS = 5.2, -2.1
"""Logistic fits of "the best hit is relevant" over 5 sets and as many questions put to a corpus of other matters: AUC
0.945, and 0.85 from words alone (the raw cosine: 0.83). The words' fit serves where the dense list tells nothing.
"""

FEW = 10
"""A dense list shorter than this has no tail to stand out of."""


def confidence(best: Why, share: float, dense: Candidates, *, depth: int = DEPTH) -> float:
    """How sure it is that the best hit answers, in [0, 1].

    ``share`` is of the query's terms that the hit holds. The hit's cosine counts by how far it stands above the
    ``depth``-th of the dense list, as a share of what is left to 1: that needs no knowledge of the model's own scale.
    """
    if best.dense_score is None or len(dense) < FEW:
        return _logistic(WORDS_BIAS + WORDS_SHARE * share)
    low = float(dense.scores[min(len(dense), depth) - 1])
    gap = max(0.0, best.dense_score - low) / max(1e-6, 1 - low)
    return _logistic(BIAS + GAP * gap + SHARE * share)


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))
