"""Which texts are run together: those of about one length, under a budget of tokens, so that padding costs little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

BUDGET = 4096  # tokens a batch, padding included: beyond this the activations leave the second-level cache
STEP = 16  # lengths are rounded up to this, so that the runtime meets at most 32 shapes of 512


def batches(lengths: Sequence[int], *, budget: int = BUDGET) -> Iterator[list[int]]:
    """Yield lists of indexes into ``lengths``, longest first; each index once; ``count × length ≤ budget`` tokens,
    but for a single text that is longer.

    Those of one batch are all of one `rounded` length. How far a text is padded then depends on nothing but itself,
    and so does its vector: in 8-bit arithmetic another padding can turn the last digits of a sum into a cosine of
    0.9996.
    """
    alike: dict[int, list[int]] = {}
    for index, length in enumerate(lengths):
        alike.setdefault(rounded(length), []).append(index)
    for whole in sorted(alike, reverse=True):
        size = max(1, budget // whole)
        yield from (alike[whole][start : start + size] for start in range(0, len(alike[whole]), size))


def rounded(length: int) -> int:
    """Return ``length`` rounded up to a multiple of 8 where it is short, else of 16."""
    step = STEP // 2 if length <= 4 * STEP else STEP
    return max(step, -(-length // step) * step)


def padded(rows: Sequence[Sequence[int]], pad: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return ids and mask, both int32 ``(n, length)``; ``length`` is that of the longest row, rounded up."""
    length = rounded(max(map(len, rows)))
    ids = np.full((len(rows), length), pad, np.int32)
    mask = np.zeros((len(rows), length), np.int32)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
        mask[at, : len(row)] = 1
    return ids, mask


def without_first(mask: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Return ``mask`` with the first ``count`` tokens of each row left out, but never a row's last one."""
    lengths = mask.sum(1, keepdims=True)
    return np.where(np.arange(mask.shape[1]) < np.minimum(count, lengths - 1), np.int32(0), mask)
