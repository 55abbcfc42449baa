"""Lines of a page in reading order, where the file has them in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from ammon.sources.documents.pdf_page import FROM_RIGHT, Line

MOST_LINES: Final = 1_000
"""Lines of a page that are put in order; more are a table's or a drawing's."""

OVERLAP: Final = 0.3
"""Lines of one column may overlap by this share of their size: tall letters, tight setting."""

Stretch = tuple[float, float]


class Run(NamedTuple):
    """Lines that follow one another in the file, from the top down, with nothing else between them, and their room."""

    lines: list[Line]
    across: Stretch
    down: Stretch


ACROSS: Final[Callable[[Run], Stretch]] = attrgetter("across")
DOWN: Final[Callable[[Run], Stretch]] = attrgetter("down")


def in_order(lines: Sequence[Line]) -> Sequence[Line]:
    """The lines as they are read. What a file has in order stays, and so does what no gaps on the page tell apart."""
    if len(lines) > MOST_LINES:
        return lines
    leftward = 2 * sum(FROM_RIGHT.search(line.text) is not None for line in lines) > len(lines)
    if not any(_climbs(line, following, leftward=leftward) for line, following in pairwise(lines)):
        return lines
    runs = [Run(run, _across(run), _down(run)) for run in _runs(lines)]
    return [line for run in _ordered(runs, leftward=leftward) for line in run.lines]


def _climbs(line: Line, following: Line, *, leftward: bool) -> bool:
    """Whether a line stands above the one before it, and not in the next column."""
    is_next = following.right <= line.left if leftward else following.left >= line.right
    return following.bottom <= line.top and not is_next


def _runs(lines: Sequence[Line]) -> list[list[Line]]:
    runs: list[list[Line]] = []
    last: Line | None = None
    for line in lines:
        if last is None or line.bottom <= last.top or _is_between(lines, last, line):
            runs.append([])
        runs[-1].append(line)
        last = line
    return runs


def _is_between(lines: Sequence[Line], last: Line, line: Line) -> bool:
    """Whether the place between two lines is another's."""
    if line.top - last.bottom < line.size:
        return False
    left, right = min(last.left, line.left), max(last.right, line.right)
    return any(
        other.top >= last.bottom and other.bottom <= line.top and other.left < right and left < other.right
        for other in lines
    )


def _ordered(runs: list[Run], *, leftward: bool) -> Iterator[Run]:
    """Columns from left to right, or ``leftward``; where there are none, bands from the top down."""
    columns = _parted(runs, ACROSS)
    if len(columns) > 1:
        for column in reversed(columns) if leftward else columns:
            yield from _ordered(column, leftward=leftward)
        return
    bands = _joined(_parted(runs, DOWN))
    for band in bands:
        # What cannot be told apart stays as it is.
        yield from _ordered(band, leftward=leftward) if len(bands) > 1 else band


def _joined(bands: Sequence[list[Run]]) -> list[list[Run]]:
    """Bands, those that follow one another in the same columns as one."""
    joined: list[list[Run]] = []
    for band in bands:
        whole = [*joined[-1], *band] if joined else band
        if joined and len(_parted(joined[-1], ACROSS)) > 1 and len(_parted(whole, ACROSS)) > 1:
            joined[-1] = whole
        else:
            joined.append(band)
    return joined


def _parted(runs: Sequence[Run], stretch: Callable[[Run], Stretch]) -> list[list[Run]]:
    """The runs in groups between which there is a gap, in the order of the stretches that they take."""
    groups: list[list[int]] = []
    end = float("-inf")
    for first, last, number in sorted((*stretch(run), number) for number, run in enumerate(runs)):
        if first >= end:
            groups.append([])
        groups[-1].append(number)
        end = max(end, last)
    # Within a group the file's order is kept.
    return [[runs[number] for number in sorted(group)] for group in groups]


def _across(run: list[Line]) -> Stretch:
    return min(line.left for line in run), max(line.right for line in run)


def _down(run: list[Line]) -> Stretch:
    return min(line.top + OVERLAP * line.size for line in run), max(line.bottom for line in run)
