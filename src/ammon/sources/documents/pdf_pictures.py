"""Where on a page that has a text of its own there are pictures, which may have words in them."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from ctypes import byref, c_float, c_ulong
from hashlib import sha256
from typing import Any, Final, TypeAlias

import numpy as np
import pypdfium2.raw as pdfium

from ammon.sources.documents.pdf_page import Line, View
from ammon.sources.recognising import Image

MOST_PAGES: Final = 100
"""Of one document whose pictures are recognised: about a second each."""

LEAST: Final = 0.02
"""Share of the page below which a picture is a sign or an ornament."""

Edges: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom in points, as shown."""


class Shown:
    """The pictures in one document. Each is met once, however many pages it is on, as a letter's head is."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def on(self, page: Any, view: View, lines: Sequence[Line]) -> list[Edges]:
        """Where the pictures are on a page, without those that text stands on: scans with a text layer, backgrounds."""
        return [
            edges
            for image, edges in _images(page, view)
            if _area(edges) > LEAST * view.width * view.height
            and not any(_within(line, edges) for line in lines)
            and self._is_new(image)
        ]

    def _is_new(self, image: Any) -> bool:
        mark = _mark(image)
        new = mark not in self._seen
        self._seen.add(mark)
        return new


def only(image: Image, places: Sequence[Edges], scale: float) -> Image:
    """The image of a page with nothing on it but what is at these places; ``scale`` is in pixels a point."""
    kept = np.full_like(image, 255)
    for edges in places:
        left, top, right, bottom = (max(round(each * scale), 0) for each in edges)
        kept[top:bottom, left:right] = image[top:bottom, left:right]
    return kept


def _images(page: Any, view: View) -> Iterator[tuple[Any, Edges]]:
    """The images of a page with their edges, cut where the page ends."""
    for number in range(pdfium.FPDFPage_CountObjects(page)):
        shape = pdfium.FPDFPage_GetObject(page, number)
        image = _image_in(shape)
        left, bottom, right, top = c_float(), c_float(), c_float(), c_float()
        if image and pdfium.FPDFPageObj_GetBounds(shape, byref(left), byref(bottom), byref(right), byref(top)):
            x0, y0, x1, y1 = view.shown(left.value, bottom.value, right.value, top.value)
            yield image, (max(x0, 0.0), max(y0, 0.0), min(x1, view.width), min(y1, view.height))


def _image_in(shape: Any) -> Any:
    """An image, or the first in a form that stands on the page as a whole; ``None`` for any other shape."""
    kind = pdfium.FPDFPageObj_GetType(shape)
    if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
        return shape
    count = pdfium.FPDFFormObj_CountObjects(shape) if kind == pdfium.FPDF_PAGEOBJ_FORM else 0
    inner = (pdfium.FPDFFormObj_GetObject(shape, number) for number in range(max(count, 0)))
    return next((each for each in inner if pdfium.FPDFPageObj_GetType(each) == pdfium.FPDF_PAGEOBJ_IMAGE), None)


def _mark(image: Any) -> bytes:
    """What an image is known by: its bytes as the file has them."""
    size = pdfium.FPDFImageObj_GetImageDataRaw(image, None, 0)
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFImageObj_GetImageDataRaw(image, buffer, c_ulong(size))
    return sha256(buffer.raw).digest()


def _area(edges: Edges) -> float:
    left, top, right, bottom = edges
    return max(right - left, 0.0) * max(bottom - top, 0.0)


def _within(line: Line, edges: Edges) -> bool:
    """Whether the middle of a line is there."""
    left, top, right, bottom = edges
    return left < (line.left + line.right) / 2 < right and top < (line.top + line.bottom) / 2 < bottom
