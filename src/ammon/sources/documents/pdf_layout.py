"""Lines of pages → blocks: what is a heading, a table, a running head, and which lines go together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

from ammon.sources.documents.pdf_page import Line

HEAD_ZONE: Final = 0.1
"""Share of a page's height, at the top and at the bottom, in which running heads and page numbers stand."""

LARGER: Final = 1.12
"""A heading's type is larger than the text's by this factor, or it is bold and stands alone."""

LONGEST_HEADING: Final = 150
HEADING_LINES: Final = 3
HEADING_GAP: Final = 3.0
"""The widest gap in a heading, as a share of the size of type: between its number and its words."""

PARAGRAPH_GAP: Final = 0.6
"""Room between two paragraphs, as a share of the size of type."""

_DIGITS: Final = re.compile(r"\d+")
_PAGE_NUMBER: Final = re.compile(
    r"\W*(?:page|seite|第)?\W*(?:\d{1,4}|[ivxlc]{1,7})\W*(?:(?:of|von|/|共)\W*\d{1,4})?\W*页?\W*", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"^\W*(?:\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+")
_OTHERS: Final = re.compile(r"[\W_]+")
_NUMBERED: Final = re.compile(r"(\d{1,2}(?:\.\d{1,2}){0,4})\.?\s+\S")

Kind = Literal["text", "heading", "table", "margin"]


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together. ``level`` is a heading's, from 1.

    ``rows`` are those of a table: the lines that a row stands in, and a cell for each column.
    """

    kind: Kind
    lines: tuple[Line, ...]
    level: int = 0
    rows: tuple[tuple[tuple[Line, ...], tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What is on a page, its lines and tables, in order, and its height in points.

    ``outline`` has the headings of it that the file lists, as `plain` gives them, with their levels from 1.
    """

    items: Sequence[Line | Block]
    height: float
    outline: Mapping[str, int] = field(default_factory=dict)

    @property
    def lines(self) -> Iterator[Line]:
        """All lines, those of tables too."""
        for item in self.items:
            yield from (item,) if isinstance(item, Line) else item.lines


class Styles:
    """What is usual in a document: the size of its text, what its headings look like, and what its margins say."""

    def __init__(self, pages: Sequence[Page]) -> None:
        sizes: Counter[float] = Counter()
        for page in pages:
            for line in page.lines:
                sizes[line.size] += len(line.text)
        self.body = sizes.most_common(1)[0][0] if sizes else 10.0
        larger = sorted((size for size in sizes if size >= self.body * LARGER), reverse=True)
        self._levels = {size: level for level, size in enumerate(_distinct(larger), 1)}
        self._repeated = _repeated(pages)
        # What repeats all that a document says is what it says.
        if all(self.is_margin(line, page) for page in pages for line in page.lines):
            self._repeated = set()

    def is_margin(self, line: Line, page: Page) -> bool:
        """Whether the line is a running head or foot, or a page's number."""
        return _in_zone(line, page) and _shape(line, page) in self._repeated

    def level(self, line: Line, *, alone: bool, listed: int = 0) -> int:
        """The level of the heading that the line is; 0 for none. ``listed`` is that which the file's outline gives."""
        larger, bold = line.size >= self.body * LARGER, line.bold and alone
        if not (larger or bold or listed):
            return 0
        text = line.text.strip()
        if len(text) > LONGEST_HEADING or not any(each.isalpha() for each in text) or text.endswith((",", ";", "，")):
            return 0
        numbered = _NUMBERED.match(text)
        if larger:
            by_size = next((level for size, level in self._levels.items() if abs(size - line.size) < 1), 1)
            return min(numbered[1].count(".") + 2 if numbered and by_size > 1 else by_size, 6)
        if listed or (line.size >= self.body * 0.95 and not text.endswith((".", "。", ":"))):
            deepest = len(set(self._levels.values()))
            return min(numbered[1].count(".") + 2 if numbered else max(deepest + 1, listed), 6)
        return 0


def plain(title: str) -> str:
    """A heading's letters alone: not its number, nor how it is written."""
    return _OTHERS.sub("", _NUMBER.sub("", title)).lower()


def _distinct(sizes: Sequence[float]) -> list[float]:
    """Sizes, the largest first, without those less than a point below another."""
    kept: list[float] = []
    for size in sizes:
        if not kept or kept[-1] - size >= 1:
            kept.append(size)
    return kept


def _in_zone(line: Line, page: Page) -> bool:
    if line.top < -line.size or line.bottom > page.height + line.size:
        return False
    return line.bottom < page.height * HEAD_ZONE or line.top > page.height * (1 - HEAD_ZONE)


def _shape(line: Line, page: Page) -> tuple[str, int]:
    """What a line says, whatever its numbers, and where: to five points, from the nearer edge."""
    text = line.text.strip().lower()
    said = "#" if _PAGE_NUMBER.fullmatch(text) else _DIGITS.sub("#", text)
    from_edge = line.top if line.bottom < page.height / 2 else line.top - page.height
    return said, round(from_edge / 5)


def _repeated(pages: Sequence[Page]) -> set[tuple[str, int]]:
    """Shapes of lines that stand at the same place of several pages."""
    shapes: Counter[tuple[str, int]] = Counter()
    for page in pages:
        shapes.update({_shape(line, page) for line in page.lines if _in_zone(line, page)})
    return {shape for shape, count in shapes.items() if count >= (2 if len(pages) < 6 or shape[0] == "#" else 3)}


def blocks_of(page: Page, styles: Styles) -> Iterator[Block]:
    """The blocks of a page, in order."""
    margins = [item for item in page.items if isinstance(item, Line) and styles.is_margin(item, page)]
    beside = frozenset(margins)
    yield from (Block("margin", (line,)) for line in margins if line.top < page.height / 2)
    waiting: list[Line] = []
    for item in page.items:
        if isinstance(item, Block):
            yield from _texts(waiting, styles, page.outline)
            waiting = []
            yield item
        elif item not in beside:
            waiting.append(item)
    yield from _texts(waiting, styles, page.outline)
    yield from (Block("margin", (line,)) for line in margins if line.top >= page.height / 2)


def _texts(lines: Sequence[Line], styles: Styles, outline: Mapping[str, int]) -> Iterator[Block]:
    """Paragraphs and headings."""
    group: list[Line] = []
    ends = False
    for line in lines:
        listed = _listed(line, outline)
        if group and (ends or listed or _parted(group[-1], line)):
            yield _text(group, styles, outline)
            group = []
        group.append(line)
        ends = bool(listed)
    if group:
        yield _text(group, styles, outline)


def _listed(line: Line, outline: Mapping[str, int]) -> int:
    """The level that the outline gives the line; 0 for none."""
    return outline.get(plain(line.text), 0) if outline and len(line.text) <= LONGEST_HEADING else 0


def _text(group: Sequence[Line], styles: Styles, outline: Mapping[str, int]) -> Block:
    alone = len(group) == 1
    level = styles.level(group[0], alone=alone, listed=_listed(group[0], outline) if alone else 0)
    if not level or sum(len(line.text) for line in group) > LONGEST_HEADING or not _is_stack(group):
        return Block("text", tuple(group))
    alike = alone or all(styles.level(line, alone=False) == level for line in group)
    return Block("heading", tuple(group), level) if alike else Block("text", tuple(group))


def _is_stack(lines: Sequence[Line]) -> bool:
    """Whether a few lines stand one below another without wide gaps, as those of a heading do; a form's do not."""
    if any(line.bottom - line.top > max(line.right - line.left, 2 * line.size) for line in lines):
        # Printed up the side of the page.
        return False
    apart = any(line.gap > HEADING_GAP * line.size for line in lines)
    beside = any(following.top + following.size / 2 < line.bottom for line, following in pairwise(lines))
    return len(lines) <= HEADING_LINES and not apart and not beside


def _parted(line: Line, following: Line) -> bool:
    """Whether a paragraph ends between two lines."""
    size = max(line.size, following.size)
    gap = following.top - line.bottom
    if abs(line.size - following.size) > 0.15 * size and min(len(line.text), len(following.text)) > 3:
        return True
    return gap > PARAGRAPH_GAP * size or following.bottom < line.top - size
