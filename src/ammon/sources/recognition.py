"""Text in images, by PP-OCRv6 on the runtime that the embedding model uses; the models are in rapidocr's package.

Its classifier of lines is off: it turns long upright lines over. Which way up a page is, is decided for the page.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from ammon.extras import import_openvino
from ammon.sources.recognising import Image, Line

SURE: Final = 0.9
"""A page whose lines are less certain than this on average may be upside down."""

TALL: Final = 1.5
"""Lines are taken for upright ones lying on their side where most are so much higher than wide."""

LONGEST_SIDE: Final = 2000
"""Pixels of the side of what the detector takes at once; a larger image is cut into tiles."""

TRIED: Final = 6
"""Lines that tell whether a page is upside down."""

OVERLAP: Final = 200
COLUMN: Final = 8
"""Lines of a column of text are on average at least so many times as wide as high; cells of a table are shorter."""

FEWEST: Final = 3
"""Lines that a column has at least."""


def is_installed() -> bool:
    """Whether the extra for text recognition is installed."""
    return find_spec("rapidocr") is not None


class Recogniser:
    """Reads images. Loading it takes seconds, reading a page some more."""

    def __init__(self) -> None:
        import_openvino()
        import rapidocr
        from rapidocr import EngineType, RapidOCR

        models = Path(rapidocr.__file__).parent / "models"
        self._engine: Any = RapidOCR(
            params={
                "Global.use_cls": False,
                "Global.log_level": "critical",
                "Global.max_side_len": LONGEST_SIDE,
                # Threads beyond the cores themselves wait for one another, and take time for it.
                "EngineConfig.openvino.inference_num_threads": max((os.cpu_count() or 2) // 2, 1),
                "Det.engine_type": EngineType.OPENVINO,
                "Rec.engine_type": EngineType.OPENVINO,
                # Named, so that nothing is ever looked for elsewhere.
                "Det.model_path": str(models / "PP-OCRv6_det_small.onnx"),
                "Rec.model_path": str(models / "PP-OCRv6_rec_small.onnx"),
            }
        )

    def lines(self, image: Image) -> list[Line]:
        """The lines of an image, in reading order, whichever way it is turned; edges are in the image as given."""
        height, width = image.shape[:2]
        lines, turns = self._read(image), 0
        if lines and sum(_height(line) > TALL * _width(line) for line in lines) > len(lines) / 2:
            # The engine turned each of them to the left, and so has read the page turned by one quarter.
            lines, turns = [_turned(line, width) for line in lines], 1
        if lines and _certainty(lines) < SURE:
            over = np.ascontiguousarray(np.rot90(image, turns + 2))
            if self._is_better(over, lines, turns, (width, height)):
                lines, turns = self._read(over), turns + 2
        return [_back(line, turns, width, height) for line in in_order(lines)]

    def _is_better(self, over: Image, lines: Sequence[Line], turns: int, size: tuple[int, int]) -> bool:
        """Whether some of the lines, the longest, read better on the page turned over than they were read."""
        tried = sorted(lines, key=_width, reverse=True)[:TRIED]
        wide, high = size if turns == 0 else size[::-1]
        scores = []
        for line in tried:
            edges = (wide - line.right, high - line.bottom, wide - line.left, high - line.top)
            left, top, right, bottom = (max(round(edge), 0) for edge in edges)
            said = self._engine(np.ascontiguousarray(over[top:bottom, left:right, ::-1]), use_det=False)
            scores.append(float(said.scores[0]) if said.scores else 0.0)
        return sum(scores) / len(scores) > _certainty(tried)

    def _read(self, image: Image) -> list[Line]:
        """The lines of an upright image, tile by tile."""
        lines: list[Line] = []
        for top in _starts(image.shape[0]):
            for left in _starts(image.shape[1]):
                tile = image[top : top + LONGEST_SIDE, left : left + LONGEST_SIDE]
                lines += [line for line in self._tile(tile, left, top) if not _seen(line, lines)]
        return lines

    def _tile(self, tile: Image, left: int, top: int) -> list[Line]:
        # The engine takes colours in the order of OpenCV.
        said = self._engine(np.ascontiguousarray(tile[:, :, ::-1]), use_det=True)
        if said.boxes is None or said.txts is None:
            return []
        found = []
        for corners, text, score in zip(said.boxes, said.txts, said.scores, strict=True):
            (west, north), (east, south) = corners.min(axis=0), corners.max(axis=0)
            edges = (float(west) + left, float(north) + top, float(east) + left, float(south) + top)
            found.append(Line(text, *edges, round(float(score), 4)))
        return found


def _starts(length: int) -> range:
    """Where tiles begin along a side."""
    return range(0, max(length - OVERLAP, 1), LONGEST_SIDE - OVERLAP) if length > LONGEST_SIDE else range(1)


def _seen(line: Line, lines: Sequence[Line]) -> bool:
    """Whether a line of an overlapping tile is there already, at least for the most part."""
    for other in lines:
        width = min(line.right, other.right) - max(line.left, other.left)
        height = min(line.bottom, other.bottom) - max(line.top, other.top)
        if width > 0 and height > 0 and width * height > 0.5 * min(_area(line), _area(other)):
            return True
    return False


def _width(line: Line) -> float:
    return line.right - line.left


def _height(line: Line) -> float:
    return line.bottom - line.top


def _area(line: Line) -> float:
    return _width(line) * _height(line)


def _certainty(lines: Sequence[Line]) -> float:
    return sum(line.confidence for line in lines) / len(lines)


def _turned(line: Line, width: int) -> Line:
    """A line of an image of this width, in the image turned to the left by one quarter."""
    return Line(line.text, line.top, width - line.right, line.bottom, width - line.left, line.confidence)


def _back(line: Line, turns: int, width: int, height: int) -> Line:
    """A line of an image that was turned left by so many quarters, in the image as it was (``width`` × ``height``)."""
    left, top, right, bottom = line.left, line.top, line.right, line.bottom
    match turns:
        case 1:
            edges = width - bottom, left, width - top, right
        case 2:
            edges = width - right, height - bottom, width - left, height - top
        case 3:
            edges = top, height - right, bottom, height - left
        case _:
            return line
    return Line(line.text, *edges, line.confidence)


def in_order(lines: Sequence[Line]) -> list[Line]:
    """The lines as they are read: row by row, and column by column where there are columns of text."""
    size = median(map(_height, lines)) if lines else 0.0
    ordered: list[Line] = []
    waiting: list[Line] = []
    for block in _split(lines, lambda line: (line.top, line.bottom), size):
        # Blocks one below the other with a gap down through all are read as one: a row alone tells no columns.
        if len(_split([*waiting, *block], _sides, 0.5 * size)) > 1:
            waiting += block
        else:
            ordered += _by_column(waiting, size)
            waiting = block
    return ordered + _by_column(waiting, size)


def _sides(line: Line) -> tuple[float, float]:
    return line.left, line.right


def _by_column(lines: Sequence[Line], size: float) -> list[Line]:
    return [line for column in _columns(lines, size) for line in _rows(column, size)]


def _columns(lines: Sequence[Line], size: float) -> Sequence[Sequence[Line]]:
    """The columns of text that the lines stand in; all of them as one where they do not."""
    columns = _split(lines, _sides, 0.5 * size)
    return columns if all(len(column) >= FEWEST and _is_text(column) for column in columns) else [lines]


def _is_text(column: Sequence[Line]) -> bool:
    return median(_width(line) / max(_height(line), 1) for line in column) >= COLUMN


def _split(lines: Sequence[Line], extent: Callable[[Line], tuple[float, float]], least: float) -> list[list[Line]]:
    """The lines cut wherever a gap of at least ``least`` goes through all of them."""
    groups: list[list[Line]] = []
    reached = float("-inf")
    for line in sorted(lines, key=lambda line: extent(line)[0]):
        start, end = extent(line)
        if start - reached >= least or not groups:
            groups.append([])
        groups[-1].append(line)
        reached = max(reached, end)
    return groups


def _rows(lines: Sequence[Line], size: float) -> list[Line]:
    """Row by row, each from left to right."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.top + line.bottom):
        middle = (line.top + line.bottom) / 2
        last = rows[-1][0] if rows else None
        if last is not None and abs((last.top + last.bottom) / 2 - middle) < 0.5 * size:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.left)]
