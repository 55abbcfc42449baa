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
LARGEST_STEP = 255

FIRST_BYTES = b"SQLite format 3\0" + PAGE_BYTES.to_bytes(2) + b"\2\2" + bytes([CHECKSUM_BYTES, 64, 32, 32])
"""How a catalog with checksums begins: page size, that there is a log, bytes kept free, and three constants."""

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
    """The page as it was when its checksum was made, if one byte differs and it is clear which; else ``None``.

    Every change of one byte that would explain the checksum is tried. What is wrong in the highest byte of a word
    leaves too little trace to say in which word, and is not mended: about a quarter of all cases.
    """
    content = np.frombuffer(page, "<u4")
    sums = content[:_WORDS] @ weights(_WORDS)
    found = []
    if np.count_nonzero(sums.view(np.uint8) != content[_WORDS:].view(np.uint8)) <= 1:
        found.append((0, page[: _WORDS * 4] + sums.tobytes()))
    missing = content[_WORDS:] - sums
    for place in range(4):
        for word, step in np.argwhere(_first_sums(place) == missing[0]):
            change = (int(step) - LARGEST_STEP) << 8 * place
            if change * int(weights(_WORDS)[word, 1]) % 2**32 == int(missing[1]):
                found.append((place, _stepped(page, 4 * int(word) + place, int(step) - LARGEST_STEP)))
    options = [(place, option) for place, option in found if option]
    return options[0][1] if len(options) == 1 and options[0][0] < 3 else None


@cache
def _first_sums(place: int) -> Words:
    """What the first sum changes by, for each word and each change of its byte at ``place``: ``(words, 511)``."""
    steps = np.arange(-LARGEST_STEP, LARGEST_STEP + 1).astype(np.uint32) << np.uint32(8 * place)
    return weights(_WORDS)[:, :1] * steps


def _stepped(page: bytes, at: int, step: int) -> bytes:
    """The page with ``step`` added to one byte; empty where that is no byte any more."""
    value = page[at] + step
    return page[:at] + bytes([value]) + page[at + 1 :] if 0 <= value < 256 else b""


def restored(page: bytes, number: int) -> bytes | None:
    """Page ``number`` as it was, as far as its checksum proves it; ``None`` where that cannot be told.

    Zeros prove nothing: they are their own checksum.
    """
    if len(page) != PAGE_BYTES or not any(page):
        return None
    attempts = (page, FIRST_BYTES + page[len(FIRST_BYTES) :]) if number == 1 else (page,)
    for attempt in attempts:
        if are_sound(np.frombuffer(attempt, np.uint8).reshape(1, PAGE_BYTES))[0]:
            return attempt
    return mended(page)
