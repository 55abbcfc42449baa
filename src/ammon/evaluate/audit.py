"""An approximate index against the exact answer. Knows both as functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from ammon.types import Candidates, Vectors

Nearest = Callable[[Vectors, int], Candidates]
"""A vector of shape ``(dim,)`` and ``k`` → the ``k`` nearest, best first."""

TIE = 1e-5


def audit(index: Nearest, exact: Nearest, vectors: Iterable[NDArray[np.float32]], *, k: int = 10) -> float:
    """Mean recall@k of ``index`` against ``exact`` over query vectors, in [0, 1]; 1 when there is nothing to find.

    A passage as near as the exact list's last (within 1e-5 of cosine) is as good as it: equal texts are equal answers.
    """
    shares = [_share(index(vector, k), exact(vector, k)) for vector in vectors]
    return float(np.mean(shares)) if shares else 1.0


def _share(found: Candidates, right: Candidates) -> float:
    if not len(right):
        return 1.0
    as_near = int(np.count_nonzero(found.scores >= right.scores[-1] - TIE))
    return min(as_near, len(right)) / len(right)
