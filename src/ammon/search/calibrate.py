"""Scores for people: a number in [0, 1] that means the same for every query.

Fused scores are relative to each query's own list, whose best is always near 1. This asks how sure the best is, from
how far it stands out of the dense list and how much of the question it holds, and scales the rest by their order.
"""

from __future__ import annotations

import math

from ammon.search.fuse import DEPTH
from ammon.types import Candidates, Why

GAP, SHARE, BIAS = 6.0, 3.0, -3.0


def confidence(best: Why, share: float, dense: Candidates, *, depth: int = DEPTH) -> float:
    """How sure it is that the best hit answers, in [0, 1].

    ``share`` is of the query's terms that the hit holds. The hit's cosine counts by how far it stands above the
    ``depth``-th of the dense list, as a share of what is left to 1: that needs no knowledge of the model's own scale.
    """
    low = float(dense.scores[min(len(dense), depth) - 1]) if len(dense) else 0.0
    gap = 0.0 if best.dense_score is None else max(0.0, best.dense_score - low) / max(1e-6, 1 - low)
    return 1 / (1 + math.exp(-(BIAS + GAP * gap + SHARE * share)))
