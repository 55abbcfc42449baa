"""nDCG, recall and reciprocal rank of one ranking. The same numbers as trec_eval, in a few lines, with no compiler."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence


def ndcg(ranking: Sequence[str], relevant: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first ``depth``, in [0, 1]; the gain of a document is its grade.

    Järvelin & Kekäläinen (2002), with the discount log2(rank + 1) as in trec_eval's ``ndcg_cut``.
    """
    gained = _discounted([relevant.get(document, 0) for document in ranking[:depth]])
    ideal = _discounted(sorted(relevant.values(), reverse=True)[:depth])
    return gained / ideal if ideal else 0.0


def recall(ranking: Sequence[str], relevant: Mapping[str, int], depth: int = 100) -> float:
    """Share of the relevant documents that stand in the first ``depth``, in [0, 1]."""
    wanted = {document for document, grade in relevant.items() if grade > 0}
    return len(wanted.intersection(ranking[:depth])) / len(wanted) if wanted else 0.0


def reciprocal_rank(ranking: Sequence[str], relevant: Mapping[str, int], depth: int = 10) -> float:
    """One over the rank of the first relevant document; 0 when none stands in the first ``depth``."""
    for rank, document in enumerate(ranking[:depth], 1):
        if relevant.get(document, 0) > 0:
            return 1 / rank
    return 0.0


def _discounted(gains: Sequence[int]) -> float:
    return sum(max(gain, 0) / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))
