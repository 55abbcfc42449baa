"""Scores for people: a number in [0, 1] that means the same for every query.

Fused scores are relative to each query's own list, whose best is always near 1. This asks how sure the best is, from
how far it stands out of the dense list and how much of the question it holds, and scales the rest by their order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ammon.search.fuse import DEPTH
from ammon.types import Candidates, Why

GAP, SHARE, BIAS = 6.0, 3.0, -3.0


def confidence(dense: Candidates, whys: Sequence[Why], terms: int, depth: int = DEPTH) -> list[float]:
    """One score in [0, 1] for each of ``whys``, best first and never rising.

    ``terms`` is how many distinct terms the query has.
    """
    if not whys:
        return []
    low = float(dense.scores[min(len(dense), depth) - 1]) if len(dense) else 0.0
    best = max(_sure(why, low, terms) for why in whys[:1])
    top = max(whys[0].fused, 1e-9)
    return [best * min(1.0, why.fused / top) for why in whys]


def _sure(why: Why, low: float, terms: int) -> float:
    gap = 0.0 if why.dense_score is None else max(0.0, why.dense_score - low) / max(1e-6, 1 - low)
    share = len(why.matched) / max(1, terms)
    return 1 / (1 + math.exp(-(BIAS + GAP * gap + SHARE * share)))
