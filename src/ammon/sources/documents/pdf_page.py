"""One page of a PDF → its lines: text, place as shown, size of type, by a few calls of PDFium's a line."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from ctypes import byref
from dataclasses import dataclass
from itertools import compress, groupby
from operator import itemgetter, sub
from typing import Any, Final, NamedTuple

import pypdfium2.raw as pdfium

from ammon.sources.documents.pdf_calls import TextPage, called, characters, is_bold, rectangles, size_of

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

_DIVIDED: Final = re.compile(r"(?<=[^\W\d_])-$")
_SPACES: Final = re.compile(r"\s+")


class Line(NamedTuple):
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
    page, at = called(text_page), 0
    for whole in _read(page, _text(text_page)).split("\r\n"):
        # One that ends in a hyphen comes joined with the next.
        for text in whole.replace(HYPHEN, HYPHEN + "\n").split("\n"):
            if text and not text.isspace():
                yield _line(page, view, text, at)
            at += len(text)
        at += 2


def _read(page: TextPage, text: str) -> str:
    """The text, with letters in the order in which they are read that are one sign of a script from right to left.

    PDFium turns such scripts round, sign by sign as they stand; the letters of one sign, such as those of lam-alef,
    it must not.
    """

    def turned(run: re.Match[str]) -> str:
        places = zip(*characters(page, range(*run.span())), strict=True)
        signs = [[letter for _, letter in sign] for _, sign in groupby(zip(places, run[0], strict=True), itemgetter(0))]
        return "".join(letter for sign in signs for letter in reversed(sign))

    return FROM_RIGHT.sub(turned, text)


def _line(page: TextPage, view: View, text: str, at: int) -> Line:
    left, top, right, bottom, gap = _edges(page, view, at, len(text))
    size = size_of(page, at)
    # Of long lines nobody asks.
    bold = len(text) < LONGEST_TITLE and is_bold(page, at) and is_bold(page, at + len(text.rstrip()) - 1)
    # A size of 1 is one that the text's matrix enlarges: what is seen is the height.
    seen = size if size > SMALLEST else (bottom - top) * 0.8
    return Line(text, left, top, right, bottom, round(seen, 1), bold, at, gap)


def _edges(page: TextPage, view: View, at: int, count: int) -> tuple[float, float, float, float, float]:
    """Left, top, right and bottom edge of a stretch as shown, and the widest gap in it."""
    lefts, bottoms, rights, tops = rectangles(page, at, count)
    if not lefts:
        return 0.0, 0.0, 0.0, 0.0, -1.0
    starts, ends = (bottoms, tops) if view.turns % 2 else (lefts, rights)
    # On a page that is shown turned they may come from the far end.
    gaps = max(map(sub, starts[1:], ends), default=-1.0), max(map(sub, starts, ends[1:]), default=-1.0)
    return *view.shown(min(lefts), min(bottoms), max(rights), max(tops)), max(gaps)


def pieces_of(text_page: Any, view: View, line: Line) -> list[Line]:
    """The stretches of a line that stand clearly apart, as the cells of a table do, or the lines of two columns."""
    page = called(text_page)
    # Only between words may there be a gap: most characters need not be looked at.
    spaces = [space.span() for space in _SPACES.finditer(line.text.rstrip()) if space.start()]
    beside = characters(page, [line.at + number for at, following in spaces for number in (at - 1, following)])
    shown = [view.shown(*edges) for edges in zip(*beside, strict=True)]
    apart = [
        following[0] - before[2] > GAP * line.size for before, following in zip(shown[::2], shown[1::2], strict=True)
    ]
    cuts = list(compress(spaces, apart))
    if not cuts:
        return [line]
    firsts, lasts = [0, *(following for _, following in cuts)], [*(at for at, _ in cuts), len(line.text)]
    texts = [_DIVIDED.sub(HYPHEN, line.text[first:last]) for first, last in zip(firsts, lasts, strict=True)]
    return [_line(page, view, text, line.at + first) for text, first in zip(texts, firsts, strict=True)]


def _text(text_page: Any) -> str:
    """The page's text, one UTF-16 unit a position: characters beyond the basic plane stay two surrogates."""
    count = pdfium.FPDFText_CountChars(text_page)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    got = pdfium.FPDFText_GetText(text_page, 0, count, buffer)
    return bytes(buffer)[: 2 * max(got - 1, 0)].decode("utf-16-le", "surrogatepass")
