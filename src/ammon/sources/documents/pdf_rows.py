"""Lines of a page → rows of lines side by side: in reading order where there are columns, or as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median
from typing import Final

from ammon.sources.documents.pdf_layout import LARGER, Block
from ammon.sources.documents.pdf_order import in_order
from ammon.sources.documents.pdf_page import GAP, Line

FEWEST_ROWS: Final = 3
FULL: Final = 0.6
"""Share of a table's cells that hold something, and of those of its fullest row."""

MANY: Final = 4
"""So many columns are not in line by chance."""

SPARSE: Final = 0.3
"""What `FULL` is for a table of many columns."""

WIDE: Final = 1.06
"""A line drawn at once whose characters take this much more room than is usual on its page may have gaps in it."""

FEWEST_LINES: Final = 5
"""Fewer lines side by side are no columns."""

COLUMN: Final = 10
"""The least width of a column of text, in sizes of type; the cells of tables are seldom as wide."""

FILLED: Final = 0.8
"""Lines of a column fill this share of its width; cells of tables vary more."""

MOSTLY: Final = 0.6
"""The share of a column's lines that fill it."""

ROW_GAP: Final = 2.5
"""Room between two rows of a table at most, as a share of the size of type."""

SAMPLE: Final = 12
"""Lines looked at, before all are, for the gap between two columns."""

Pieces = Callable[[Line], list[Line]]


class Row:
    """Lines side by side, from left to right, and the pieces of them that stand apart."""

    def __init__(self, lines: Sequence[Line], pieces: Pieces, usual: float) -> None:
        self.lines = lines
        self.may_part = len(lines) > 1 or _is_wide(lines[0], usual)
        self._pieces = pieces
        self._usual = usual
        self._cells: list[Line] = []

    @property
    def cells(self) -> list[Line]:
        """What stands apart. Costly, so asked for only where it ``may_part``."""
        if not self._cells:
            for line in self.lines:
                pieces = self._pieces(line) if _is_wide(line, self._usual) else [line]
                touching = self._cells and pieces[0].left - self._cells[-1].right < GAP / 2 * line.size
                if touching:
                    self._cells[-1] = _joined(self._cells[-1], pieces.pop(0))
                self._cells += pieces
        return self._cells

    def only(self, cells: Sequence[Line]) -> Row:
        """A row of some of the cells."""
        return Row(cells, self._pieces, self._usual)


def _joined(one: Line, other: Line) -> Line:
    """Two lines, such as a word and its superscript, as one."""
    top, bottom = min(one.top, other.top), max(one.bottom, other.bottom)
    return Line(one.text + other.text, one.left, top, other.right, bottom, one.size, one.bold, one.at, one.gap)


def _is_wide(line: Line, usual: float) -> bool:
    """Whether there may be a gap in the line."""
    if line.gap > 0:
        return line.gap > GAP * line.size
    return line.right - line.left > WIDE * usual * len(line.text) * line.size and " " in line.text.strip()


def with_tables(lines: Sequence[Line], pieces: Pieces) -> Iterator[Line | Block]:
    """The lines of a page in reading order, those that make up a table replaced by it.

    ``pieces`` tells what stands apart in a line.
    """
    usual = _usual_width(lines)
    rows = [Row(group, pieces, usual) for group in _beside(in_order(lines))]
    for stretch in _by_columns(rows):
        yield from _tables(stretch)


def _beside(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines that follow one another and stand side by side, from left to right."""
    group: list[Line] = []
    for line in lines:
        last = group[-1] if group else None
        if last and _level(last, line) and line.left >= last.right:
            group.append(line)
        else:
            if group:
                yield group
            group = [line]
    if group:
        yield group


def _level(one: Line, other: Line) -> bool:
    """Whether two lines stand at the same height."""
    return abs((one.top + one.bottom) - (other.top + other.bottom)) < 0.8 * other.size


def _usual_width(lines: Sequence[Line]) -> float:
    """The width of a character, as a share of the size of type, that most lines have or exceed a little."""
    widths = sorted(
        (line.right - line.left) / len(line.text) / line.size for line in lines if len(line.text) > 20 and line.size
    )
    return widths[len(widths) // 4] if widths else 0.4


def _by_columns(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Stretches of rows in reading order: of columns that the file has line beside line, the left one comes first."""
    gutter = _gutter(rows)
    if gutter is None:
        yield rows
        return
    for crossed, group in groupby(rows, lambda row: any(cell.left < gutter < cell.right for cell in row.cells)):
        stretch = list(group)
        left = [(row, [cell for cell in row.cells if cell.right <= gutter]) for row in stretch]
        right = [(row, [cell for cell in row.cells if cell.left >= gutter]) for row in stretch]
        if crossed or sum(bool(one and other) for (_, one), (_, other) in zip(left, right, strict=True)) < 2:
            yield stretch
        else:
            for side in (left, right):
                yield from _by_columns([row.only(cells) for row, cells in side if cells])


def _gutter(rows: Sequence[Row]) -> float | None:
    """Where the gap between two columns of text is, if lines of both stand side by side; ``None`` else."""
    likely = [row for row in rows if row.may_part and _width(row.lines[0], row.lines[-1]) > 2 * COLUMN]
    sample = likely[:: max(len(likely) // SAMPLE, 1)]
    if len(likely) < FEWEST_LINES or sum(_sides(row) is not None for row in sample) * 3 < len(sample):
        return None
    sides = [found for row in likely if (found := _sides(row))]
    if len(sides) < FEWEST_LINES:
        return None
    gutter = median((one.right + other.left) / 2 for one, other in sides)
    agreeing = [(one, other) for one, other in sides if one.right < gutter < other.left]
    columns = zip(*agreeing, strict=True)
    if len(agreeing) < max(FEWEST_LINES, len(sides) / 2) or not all(map(_is_column, columns)):
        return None
    return gutter


def _sides(row: Row) -> tuple[Line, Line] | None:
    """The first two cells side by side that are as wide as columns."""
    return next((pair for pair in pairwise(row.cells) if min(map(_width, pair)) >= COLUMN), None)


def _width(line: Line, last: Line | None = None) -> float:
    """From the line's left edge to its right one, or to that of the last one beside it, in sizes of type."""
    return ((last or line).right - line.left) / line.size if line.size else 0.0


def _is_column(cells: Sequence[Line]) -> bool:
    """Whether most of the cells fill the width that they share."""
    widths = sorted(cell.right - cell.left for cell in cells)
    whole = widths[int(0.8 * len(widths))]
    return sum(width >= FILLED * whole for width in widths) >= MOSTLY * len(widths)


def _tables(rows: Sequence[Row]) -> Iterator[Line | Block]:
    at = 0
    while at < len(rows):
        end = _last_parted(rows, at)
        table = _table(rows[at:end]) if end - at >= FEWEST_ROWS else None
        if table is not None:
            yield table
            at = end
        else:
            yield from rows[at].lines
            at += 1


def _last_parted(rows: Sequence[Row], at: int) -> int:
    """The end of the rows from ``at`` on that have more than one cell; ``at`` itself where they are too few.

    Rows are looked at from the last that a table must have back to the first, for most rows are no table's.
    """
    first = rows[at : at + FEWEST_ROWS]
    if len(first) < FEWEST_ROWS or not all(map(_is_parted, reversed(first))):
        return at
    end = at + 1
    while end < len(rows) and _is_parted(rows[end]) and _follows(rows[end - 1].lines[0], rows[end].lines[0]):
        end += 1
    return end


def _is_parted(row: Row) -> bool:
    return row.may_part and len(row.cells) > 1


def _follows(line: Line, following: Line) -> bool:
    """Whether a row may be the next of a table: near it, below it, and in no larger type."""
    return (
        following.size <= LARGER * line.size
        and -line.size < following.top - line.bottom <= ROW_GAP * line.size
        and following.bottom > line.bottom
    )


def _table(rows: Sequence[Row]) -> Block | None:
    """The table that these rows are; ``None`` where their cells do not stand in columns."""
    columns = _columns([cell for row in rows for cell in row.cells])
    if not 2 <= len(columns) <= 30:
        return None
    placed = [_placed(row.cells, columns) for row in rows]
    kept = [(tuple(row.lines), tuple(cells)) for row, cells in zip(rows, placed, strict=True) if cells]
    full = max((sum(map(bool, cells)) for _, cells in kept), default=0)
    filled = sum(sum(map(bool, cells)) for _, cells in kept) / (len(rows) * len(columns))
    if len(kept) < len(rows) or full < FULL * len(columns) or filled < (SPARSE if len(columns) >= MANY else FULL):
        return None
    return Block("table", tuple(line for lines, _ in kept for line in lines), rows=tuple(kept))


def _columns(cells: Sequence[Line]) -> list[tuple[float, float]]:
    """Stretches from left to right that cells take, no gap of which any cell bridges."""
    columns: list[tuple[float, float]] = []
    for cell in sorted(cells, key=lambda cell: cell.left):
        if columns and cell.left < columns[-1][1]:
            columns[-1] = (columns[-1][0], max(columns[-1][1], cell.right))
        else:
            columns.append((cell.left, cell.right))
    return columns


def _placed(cells: Sequence[Line], columns: Sequence[tuple[float, float]]) -> list[str] | None:
    """A row's cells by column; ``None`` where two share one."""
    row = [""] * len(columns)
    for cell in cells:
        at = next(number for number, (left, right) in enumerate(columns) if left <= cell.left <= right)
        if row[at]:
            return None
        row[at] = cell.text.strip()
    return row
