"""One page of a PDF → its lines: text, place as shown, size of type, by a few calls of PDFium's a line."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import byref, c_double
from dataclasses import dataclass
from typing import Any, Final

import pypdfium2.raw as pdfium

HYPHEN: Final = "\ufffe"
"""What PDFium gives for a hyphen at a line's end, in place of the line's end; kept at the end of the line's text."""

SMALLEST: Final = 2.0
"""Sizes of type below this are no sizes."""

GAP: Final = 1.0
"""Room between two cells of a table, as a share of the size of type; justified lines seldom have gaps as wide."""

_BOLD: Final = 600


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, its edges in points from the page's top left corner as shown, and its type.

    ``at`` is its place among the characters of the page, as `cells_of` wants it.
    """

    text: str
    left: float
    top: float
    right: float
    bottom: float
    size: float
    bold: bool
    at: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line, with its left and right edge."""

    text: str
    left: float
    right: float


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
    for whole in _text(text_page).split("\r\n"):
        # One that ends in a hyphen comes joined with the next.
        for text in whole.replace(HYPHEN, HYPHEN + "\n").split("\n"):
            if text and not text.isspace():
                yield _line(text_page, view, text, at)
            at += len(text)
        at += 2


def _line(text_page: Any, view: View, text: str, at: int) -> Line:
    left, top, right, bottom = view.shown(*_edges(text_page, at, len(text)))
    size, weight = pdfium.FPDFText_GetFontSize(text_page, at), pdfium.FPDFText_GetFontWeight(text_page, at)
    # A size of 1 is one that the text's matrix enlarges: what is seen is the height.
    seen = size if size > SMALLEST else (bottom - top) * 0.8
    return Line(text, left, top, right, bottom, round(seen, 1), weight >= _BOLD, at)


def cells_of(text_page: Any, view: View, line: Line) -> list[Cell]:
    """The stretches of a line that stand clearly apart, as the cells of a table do."""
    cells: list[Cell] = []
    start, left, right = 0, line.left, line.left
    for at, letter in enumerate(line.text):
        if letter.isspace():
            continue
        here, _, end, _ = view.shown(*_character(text_page, line.at + at))
        if at > start and here - right > GAP * line.size and line.text[at - 1].isspace():
            cells.append(Cell(line.text[start:at].strip(), left, right))
            start, left = at, here
        right = end
    return [*cells, Cell(line.text[start:].strip(), left, right)]


def _character(text_page: Any, at: int) -> tuple[float, float, float, float]:
    left, right, bottom, top = c_double(), c_double(), c_double(), c_double()
    pdfium.FPDFText_GetCharBox(text_page, at, byref(left), byref(right), byref(bottom), byref(top))
    return left.value, bottom.value, right.value, top.value


def _text(text_page: Any) -> str:
    """The page's text, one UTF-16 unit a position: characters beyond the basic plane stay two surrogates."""
    count = pdfium.FPDFText_CountChars(text_page)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    got = pdfium.FPDFText_GetText(text_page, 0, count, buffer)
    return bytes(buffer)[: 2 * max(got - 1, 0)].decode("utf-16-le", "surrogatepass")


def _edges(text_page: Any, start: int, count: int) -> tuple[float, float, float, float]:
    """Left, bottom, right and top edge of a stretch, in the page's own coordinates."""
    left, top, right, bottom = c_double(), c_double(), c_double(), c_double()
    edges: tuple[float, float, float, float] | None = None
    for number in range(max(pdfium.FPDFText_CountRects(text_page, start, count), 0)):
        pdfium.FPDFText_GetRect(text_page, number, byref(left), byref(top), byref(right), byref(bottom))
        here = (left.value, bottom.value, right.value, top.value)
        edges = (
            here
            if edges is None
            else (
                min(edges[0], here[0]),
                min(edges[1], here[1]),
                max(edges[2], here[2]),
                max(edges[3], here[3]),
            )
        )
    return edges or (0.0, 0.0, 0.0, 0.0)
