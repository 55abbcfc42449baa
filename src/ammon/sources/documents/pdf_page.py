"""One page of a PDF → its lines: text, place as shown, size of type, by a few calls of PDFium's a line."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from ctypes import byref, c_double
from dataclasses import dataclass
from itertools import groupby
from operator import sub
from typing import Any, Final

import pypdfium2.raw as pdfium

HYPHEN: Final = "\ufffe"
"""What PDFium gives for a hyphen at a line's end, in place of the line's end; kept at the end of the line's text."""

SMALLEST: Final = 2.0
"""Sizes of type below this are no sizes."""

FROM_RIGHT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]{2,}")
"""Letters of scripts that are read from right to left."""

LONGEST_TITLE: Final = 90
"""Longer lines of the text's own size are no headings, however bold."""

GAP: Final = 1.0
"""Room between two cells of a table, as a share of the size of type; justified lines seldom have gaps as wide."""

_BOLD: Final = 600
_BOLD_NAME: Final = re.compile(rb"(?i:bold|black|heavy|demi)|[A-Z]{2}BX|-Bd|-Medi\b")
_NAME: Final = ctypes.create_string_buffer(256)
_DIVIDED: Final = re.compile(r"(?<=[^\W\d_])-$")
_SPACES: Final = re.compile(r"\s+")

# Where PDFium writes coordinates; made once, for making them costs more than the call. One thread reads.
_LEFT, _TOP, _RIGHT, _BOTTOM = c_double(), c_double(), c_double(), c_double()
_LTRB: Final = (byref(_LEFT), byref(_TOP), byref(_RIGHT), byref(_BOTTOM))
_LRBT: Final = (byref(_LEFT), byref(_RIGHT), byref(_BOTTOM), byref(_TOP))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, its edges in points from the page's top left corner as shown, and its type.

    ``at`` is its place among the characters of the page, as `pieces_of` wants it; ``gap`` the widest between what the
    file draws of it at once, in points, and below 0 where there is none.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool
    at: int
    gap: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """How a page is shown: the corners of what is visible, in the page's own coordinates, and its rotation."""

    left: float
    bottom: float
    right: float
    top: float
    turns: int

    @property
    def height(self) -> float:
        """Of the page as shown, in points."""
        return self.right - self.left if self.turns % 2 else self.top - self.bottom

    @property
    def width(self) -> float:
        """Of the page as shown, in points."""
        return self.top - self.bottom if self.turns % 2 else self.right - self.left

    def shown(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        """Edges (left, top, right, bottom) as shown, from the page's own coordinates."""
        west, east = left - self.left, right - self.left
        north, south = self.top - top, self.top - bottom
        width, height = self.right - self.left, self.top - self.bottom
        match self.turns:
            case 1:
                return height - south, west, height - north, east
            case 2:
                return width - east, height - south, width - west, height - north
            case 3:
                return north, width - east, south, width - west
            case _:
                return west, north, east, south


def view_of(page: Any) -> View:
    """How the page is shown."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDF_GetPageBoundingBox(page, byref(box)):
        width, height = page.get_size()
        return View(0, 0, width, height, 0)
    return View(box.left, box.bottom, box.right, box.top, pdfium.FPDFPage_GetRotation(page))


def lines_of(text_page: Any, view: View) -> Iterator[Line]:
    """The lines of a page, in the order in which the file has them."""
    at = 0
    for whole in _read(text_page, _text(text_page)).split("\r\n"):
        # One that ends in a hyphen comes joined with the next.
        for text in whole.replace(HYPHEN, HYPHEN + "\n").split("\n"):
            if text and not text.isspace():
                yield _line(text_page, view, text, at)
            at += len(text)
        at += 2


def _read(text_page: Any, text: str) -> str:
    """The text, with letters in the order in which they are read that are one sign of a script from right to left.

    PDFium turns such scripts round, sign by sign as they stand; the letters of one sign, such as those of lam-alef,
    it must not.
    """
    for run in FROM_RIGHT.finditer(text):
        signs = groupby(range(*run.span()), lambda at: _character(text_page, at))
        turned = "".join(text[at] for _, letters in signs for at in reversed(list(letters)))
        text = text[: run.start()] + turned + text[run.end() :]
    return text


def _line(text_page: Any, view: View, text: str, at: int) -> Line:
    left, top, right, bottom, gap = _edges(text_page, view, at, len(text))
    size = pdfium.FPDFText_GetFontSize(text_page, at)
    # Of long lines nobody asks.
    last = at + len(text.rstrip()) - 1
    bold = len(text) < LONGEST_TITLE and _is_bold(text_page, at) and _is_bold(text_page, last)
    # A size of 1 is one that the text's matrix enlarges: what is seen is the height.
    seen = size if size > SMALLEST else (bottom - top) * 0.8
    return Line(text, left, top, right, bottom, round(seen, 1), bold, at, gap)


def _is_bold(text_page: Any, at: int) -> bool:
    if pdfium.FPDFText_GetFontWeight(text_page, at) >= _BOLD:
        return True
    # Few files say the weight right; most say it in the font's name.
    size = pdfium.FPDFText_GetFontInfo(text_page, at, _NAME, len(_NAME), None)
    return _BOLD_NAME.search(_NAME.raw[: min(size, len(_NAME))]) is not None


def pieces_of(text_page: Any, view: View, line: Line) -> list[Line]:
    """The stretches of a line that stand clearly apart, as the cells of a table do, or the lines of two columns."""
    cuts: list[tuple[int, int]] = []
    start = 0
    # Only between words may there be a gap: most characters need not be looked at.
    for space in _SPACES.finditer(line.text.rstrip()):
        at, following = space.span()
        if (
            at
            and _start(text_page, view, line.at + following) - _end(text_page, view, line.at + at - 1) > GAP * line.size
        ):
            cuts.append((start, at))
            start = following
    if not cuts:
        return [line]
    cuts.append((start, len(line.text)))
    texts = [_DIVIDED.sub(HYPHEN, line.text[first:last]) for first, last in cuts]
    return [_line(text_page, view, text, line.at + first) for text, (first, _) in zip(texts, cuts, strict=True)]


def _start(text_page: Any, view: View, at: int) -> float:
    return view.shown(*_character(text_page, at))[0]


def _end(text_page: Any, view: View, at: int) -> float:
    return view.shown(*_character(text_page, at))[2]


def _character(text_page: Any, at: int) -> tuple[float, float, float, float]:
    pdfium.FPDFText_GetCharBox(text_page, at, *_LRBT)
    return _LEFT.value, _BOTTOM.value, _RIGHT.value, _TOP.value


def _text(text_page: Any) -> str:
    """The page's text, one UTF-16 unit a position: characters beyond the basic plane stay two surrogates."""
    count = pdfium.FPDFText_CountChars(text_page)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    got = pdfium.FPDFText_GetText(text_page, 0, count, buffer)
    return bytes(buffer)[: 2 * max(got - 1, 0)].decode("utf-16-le", "surrogatepass")


def _edges(text_page: Any, view: View, at: int, count: int) -> tuple[float, float, float, float, float]:
    """Left, top, right and bottom edge of a stretch as shown, and the widest gap in it."""
    found = []
    for number in range(pdfium.FPDFText_CountRects(text_page, at, count)):
        pdfium.FPDFText_GetRect(text_page, number, *_LTRB)
        found.append((_LEFT.value, _BOTTOM.value, _RIGHT.value, _TOP.value))
    if not found:
        return 0.0, 0.0, 0.0, 0.0, -1.0
    lefts, bottoms, rights, tops = zip(*found, strict=True)
    starts, ends = (bottoms, tops) if view.turns % 2 else (lefts, rights)
    # On a page that is shown turned they may come from the far end.
    gaps = max(map(sub, starts[1:], ends), default=-1.0), max(map(sub, starts, ends[1:]), default=-1.0)
    return *view.shown(min(lefts), min(bottoms), max(rights), max(tops)), max(gaps)
