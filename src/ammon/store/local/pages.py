"""The catalog's pages and their checksums: many verified at once, and a single wrong byte put right.

The last 8 bytes of each page are its checksum (https://sqlite.org/cksumvfs.html): two sums over its 32-bit words,
which are also those of SQLite's write-ahead log (https://sqlite.org/fileformat2.html, section 4.2). Both are linear in
the words, modulo 2^32: a product with fixed weights.
"""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

PAGE_BYTES = 4096
CHECKSUM_BYTES = 8
_WORDS = (PAGE_BYTES - CHECKSUM_BYTES) // 4

Words: TypeAlias = NDArray[np.uint32]
Pages: TypeAlias = NDArray[np.uint8]
"""Whole pages, shape ``(n, 4096)``."""


@cache
def weights(words: int) -> Words:
    """By how much each of ``words`` words, an even number, counts in the first and the second sum: ``(words, 2)``."""
    rows = np.empty((words, 2), np.uint32)
    even, odd = (1, 1), (0, 1)
    for at in range(words - 2, -1, -2):
        rows[at], rows[at + 1] = even, odd
        even, odd = _next(even), _next(odd)
    return rows


def _next(sums: tuple[int, int]) -> tuple[int, int]:
    """What two sums count for after two words more."""
    first, second = sums
    return (first + second) % 2**32, (first + 2 * second) % 2**32


def are_sound(pages: Pages) -> NDArray[np.bool_]:
    """Which pages match their checksum, shape ``(n,)``."""
    words = pages.view("<u4")
    sound: NDArray[np.bool_] = (words[:, :_WORDS] @ weights(_WORDS) == words[:, _WORDS:]).all(axis=1)
    return sound


def mended(page: bytes) -> bytes | None:
    """The page as it was when its checksum was made, if one byte differs; ``None`` when it is past that.

    Every change of one byte that would explain the checksum is tried. The checksum has 64 bits and there are two
    million such changes, so that a wrong one fits by chance in one of 10^13 cases.
    """
    content = np.frombuffer(page, "<u4")
    sums = content[:_WORDS] @ weights(_WORDS)
    found = []
    if np.count_nonzero(sums.view(np.uint8) != content[_WORDS:].view(np.uint8)) <= 1:
        found.append(page[: _WORDS * 4] + sums.tobytes())
    missing = content[_WORDS:] - sums
    for place in range(4):
        steps = np.arange(-255, 256).astype(np.uint32) << np.uint32(8 * place)
        fits = (weights(_WORDS)[:, None, :] * steps[None, :, None] == missing).all(axis=2)
        found += [_stepped(page, 4 * word + place, step - 255) for word, step in np.argwhere(fits)]
    options = {option for option in found if option is not None}
    return options.pop() if len(options) == 1 else None


def _stepped(page: bytes, at: int, step: int) -> bytes | None:
    """The page with ``step`` added to one byte, if that still is a byte."""
    value = page[at] + step
    return page[:at] + bytes([value]) + page[at + 1 :] if 0 <= value < 256 else None
