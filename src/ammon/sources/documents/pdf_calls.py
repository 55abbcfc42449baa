"""The calls of PDFium that are made for each line of a page, bound so that a call costs little.

Half of what such a call costs is turning arguments into those of C. So pointers are made once, and the types of
arguments are not declared, for to declare them is to have each checked: a number is passed as an ``int``, a pointer of
`byref` as it is. The interpreter's lock is kept: letting go of it takes as long as the call. One thread reads.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from ctypes import PYFUNCTYPE, byref, c_double, c_int, c_ulong, c_void_p, cast, create_string_buffer
from functools import lru_cache
from itertools import repeat
from operator import add
from typing import Any, Final, TypeAlias

import pypdfium2.raw as pdfium

_BOLD: Final = 600
_BOLD_NAME: Final = re.compile(rb"(?i:bold|black|heavy|demi)|[A-Z]{2}BX|-Bd|-Medi\b")
_ROOM: Final = 128
"""So many edges are asked for in one go."""

TextPage: TypeAlias = Any
"""A page's text, as the functions here want it."""

Edges: TypeAlias = Sequence[list[float]]
"""Edges of several things on a page, in points and in its own coordinates: all left, bottom, right and top ones."""


def _bound(function: Any, result: Any) -> Callable[..., Any]:
    return PYFUNCTYPE(result)(cast(function, c_void_p).value or 0)


_count_rectangles: Final = _bound(pdfium.FPDFText_CountRects, c_int)
_rectangle: Final = _bound(pdfium.FPDFText_GetRect, None)
_box: Final = _bound(pdfium.FPDFText_GetCharBox, None)
_size: Final = _bound(pdfium.FPDFText_GetFontSize, c_double)
_weight: Final = _bound(pdfium.FPDFText_GetFontWeight, c_int)
_font: Final = _bound(pdfium.FPDFText_GetFontInfo, c_ulong)

_SIDES: Final = [(c_double * _ROOM)() for _ in range(4)]
_LEFT, _BOTTOM, _RIGHT, _TOP = ([byref(side, 8 * at) for at in range(_ROOM)] for side in _SIDES)
_NAME: Final = create_string_buffer(256)
_NAME_ROOM: Final = byref(_NAME), c_ulong(len(_NAME)), None


def called(text_page: Any) -> TextPage:
    """A page's text that pypdfium2 has opened, for the other functions."""
    return byref(text_page.contents)


def rectangles(page: TextPage, at: int, length: int) -> Edges:
    """The edges of what the file draws at once, of a stretch of characters."""
    return _edges(_rectangle, page, range(_count_rectangles(page, at, length)), (_LEFT, _TOP, _RIGHT, _BOTTOM))


def characters(page: TextPage, numbers: Sequence[int]) -> Edges:
    """The edges of the characters that have these numbers."""
    return _edges(_box, page, numbers, (_LEFT, _RIGHT, _BOTTOM, _TOP))


def _edges(call: Callable[..., Any], page: TextPage, numbers: Sequence[int], places: Sequence[list[Any]]) -> Edges:
    count = len(numbers)
    if count > _ROOM:
        halves = numbers[: count // 2], numbers[count // 2 :]
        return list(map(add, *(_edges(call, page, half, places) for half in halves)))
    deque(map(call, repeat(page), numbers, *places), 0)
    return [side[:count] for side in _SIDES]


def size_of(page: TextPage, at: int) -> float:
    """The size of type of a character, as the file has it."""
    return float(_size(page, at))


def is_bold(page: TextPage, at: int) -> bool:
    """Whether a character is in bold type."""
    if _weight(page, at) >= _BOLD:
        return True
    # Few files say the weight right; most say it in the font's name.
    length = _font(page, at, *_NAME_ROOM)
    return _says_bold(_NAME.raw[:length])


@lru_cache(256)
def _says_bold(name: bytes) -> bool:
    return _BOLD_NAME.search(name) is not None
