"""Pieces that are too short to be passages, joined with their neighbours.

A cut at the best border leaves a title alone before a long paragraph, or a brace alone before a long function. Such a
fragment answers nothing, and still ranks high, since short texts do (it cost 0.04 nDCG@10 on one set).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from ammon.split.sizing import Size

FRAGMENT: Final = 8
"""A piece with fewer than one ``FRAGMENT``-th of the maximum's tokens is a fragment, unless it has more characters than
the maximum has tokens: a long row of dashes is one token to some models."""

SHORT: Final = 3
"""A piece with fewer than one ``SHORT``-th joins a neighbour under the same heading wherever both fit together, so that
no border is lost and passages are fuller: code falls into crumbs of one statement otherwise."""

_BORDERS: Final = ("\n\n", "\n#", "\r\n\r\n", "\n", "\r", "。", ". ", "! ", "? ", "; ", ", ", " ", "\t", "\u3000")
"""Where a stretch may be halved, the best first."""

_REACH: Final = 6
"""A border is taken up to one ``_REACH``-th of the stretch from its middle, so that halves stay alike."""

_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f\n")

Piece = tuple[int, int, int]
"""Start and end in the document's text, and tokens."""


@dataclass(frozen=True, slots=True)
class Joiner:
    """Joins the fragments among pieces of ``text``, by sizes of at most ``most`` tokens."""

    text: str
    size: Size
    most: int

    def __call__(self, pieces: Iterable[Piece], together: Callable[[int, int], bool]) -> list[Piece]:
        """Return the pieces with no fragment among them that has a neighbour.

        ``together`` tells of two places whether they stand under one heading.
        A fragment goes to what follows, as a title does; a last one, or one without letters and digits such as a
        brace, to what precedes. Where both exceed the maximum together, they become two halves.
        """
        kept: list[Piece] = []
        for piece in pieces:
            if kept and (self._is_fragment(kept[-1]) or (self._is_fragment(piece) and self._has_no_word(piece))):
                kept += self._joined(kept.pop(), piece)
            elif kept and together(kept[-1][1] - 1, piece[0]) and (both := self._fitting(kept[-1], piece)):
                kept[-1] = both
            else:
                kept.append(piece)
        if len(kept) > 1 and self._is_fragment(kept[-1]):
            last = kept.pop()
            kept += self._joined(kept.pop(), last)
        return kept

    def _fitting(self, left: Piece, right: Piece) -> Piece | None:
        """Both as one, if one of them is short and there is room."""
        start, end = left[0], right[1]
        if (
            min(left[2], right[2]) >= self.most // SHORT
            or left[2] + right[2] > self.most
            or end - start > 8 * self.most
        ):
            return None
        tokens = self.size(self.text[start:end])
        return (start, end, tokens) if tokens <= self.most else None

    def _is_fragment(self, piece: Piece) -> bool:
        start, end, tokens = piece
        return tokens < self.most // FRAGMENT and end - start < self.most

    def _has_no_word(self, piece: Piece) -> bool:
        return not any(map(str.isalnum, self.text[piece[0] : piece[1]]))

    def _joined(self, left: Piece, right: Piece) -> list[Piece]:
        if max(left[2], right[2]) > self.most:
            # A single character with more tokens than the maximum: nothing can stand beside it.
            return [left, right]
        start, end = left[0], right[1]
        tokens = self.size(self.text[start:end])
        if tokens <= self.most:
            return [(start, end, tokens)]
        return self._halved(start, end) or [left, right]

    def _halved(self, start: int, end: int) -> list[Piece]:
        """Two pieces of ``[start, end)`` of like size; none, if no place gives two that are whole and small enough."""
        low, high, reach = start, end, (end - start) // _REACH
        while high - low > 1:
            middle = (low + high) // 2
            cut = border(self.text, middle, reach)
            halves = [self._sized(start, cut), self._sized(cut, end)]
            if all(half[2] <= self.most and not self._is_fragment(half) for half in halves):
                return halves
            # Tokens are not spread evenly: the place wanders to the heavier side, and grows less choosy.
            low, high = (middle, high) if halves[0][2] < halves[1][2] else (low, middle)
            reach //= 2
        return []

    def _sized(self, start: int, end: int) -> Piece:
        first, last = trimmed(self.text, start, end)
        return first, last, self.size(self.text[first:last])


def border(text: str, middle: int, reach: int) -> int:
    """Return the best place to cut at most ``reach`` from ``middle``; never inside a character with its marks."""
    low, high = middle - reach, middle + reach
    for mark in _BORDERS:
        after = text.find(mark, middle, high)
        before = text.rfind(mark, low, middle)
        if after < 0 and before < 0:
            continue
        found = after if before < 0 or 0 <= after - middle < middle - before else before
        # White space and headings belong to the right half, full stops to the left one.
        return found if mark[0].isspace() else found + len(mark)
    return whole(text, middle, middle - reach)


def whole(text: str, cut: int, floor: int) -> int:
    """Return ``cut``, or the nearest place before it, down to ``floor``, that parts no character from its marks."""
    while cut > floor and (unicodedata.combining(text[cut]) or text[cut] in _JOINERS or text[cut - 1] == "\u200d"):
        cut -= 1
    return cut


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the stretch without white space at its ends; ``(end, end)`` where there is nothing else."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return (start + left, start + len(piece.rstrip())) if left < len(piece) else (end, end)
