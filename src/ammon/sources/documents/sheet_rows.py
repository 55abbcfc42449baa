"""The rows of a sheet, whatever file it is from, → passages: where the head of its table is, and what spans rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, TypeAlias

from ammon.errors import SourceError
from ammon.sources.rows import Rows
from ammon.sources.table import header_of, is_number, row_text

MOST_CHARACTERS: Final = 40_000_000
HEADER_WITHIN: Final = 10
"""Rows from the top among which the names of the columns are looked for."""

LONGEST_REPEATED: Final = 200
"""Characters of a cell that is repeated in each row that it spans; what is longer is no name of these rows."""

_YEAR: Final = re.compile(r"(?:19|20)\d\d")

Span: TypeAlias = tuple[int, int, int]
"""A cell that was merged from several: its column, from 0, and how many rows and columns it is large."""

Aside: TypeAlias = tuple[str, int]
"""What stands beside the cells of a sheet, and its row, from 1."""


@dataclass(frozen=True, slots=True)
class Record:
    """A row: its number from 1, what its cells show, and those of them that span more than themselves."""

    at: int
    cells: list[str]
    spans: tuple[Span, ...] = ()


def add_asides(rows: Rows, asides: Iterable[Aside], name: str, number: int) -> None:
    """Add what stands beside the cells of the ``number``-th sheet. Raises: SourceError with the code ``too-large``."""
    for text, at in asides:
        rows.add(text, (at, at), (name,), number)


def add_sheet(rows: Rows, records: Iterable[Record], name: str, number: int) -> None:
    """Add the rows of the ``number``-th sheet, each with the names of its columns.

    A cell that spans several rows is repeated in each: it is the name of them all, and each is found by it. A head of
    two rows, of which the upper spans columns of the lower, gives names of both.

    Raises: SourceError with the code ``too-large``.
    """
    found = _filled(records)
    first = list(islice(found, HEADER_WITHIN))
    if not first:
        return
    rows.add(f"## {name}", heading=(name,), page=number, kind="margin")
    start, end, columns = _head(first)
    # A sheet that is nothing but its head says that.
    alone = bool(columns) and len(first) == end
    for record in first[: end if alone else start]:
        _add(rows, "\n".join(filter(None, record.cells)), record.at, name, number)
    for record in chain(first[end:], found):
        _add(rows, row_text(columns, record.cells), record.at, name, number)


def _add(rows: Rows, text: str, at: int, name: str, number: int) -> None:
    rows.add(text, (at, at), (name,), number)
    if rows.length > MOST_CHARACTERS:
        raise SourceError(
            f"It holds more than {MOST_CHARACTERS:,} characters with its column names.",
            code="too-large",
            hint="Save its sheets as CSV files of their own.",
        )


def _filled(records: Iterable[Record]) -> Iterator[Record]:
    """The rows in which there is anything, with what spans them."""
    reaching: dict[int, tuple[int, str]] = {}
    for record in records:
        cells = record.cells
        if not any(cells):
            continue
        for column, (last, text) in list(reaching.items()):
            if last < record.at:
                del reaching[column]
            elif column < len(cells) and not cells[column]:
                cells[column] = text
        for column, down, _ in record.spans:
            if down > 1 and column < len(cells) and 0 < len(cells[column]) <= LONGEST_REPEATED:
                reaching[column] = (record.at + down - 1, cells[column])
        yield record


def _head(first: list[Record]) -> tuple[int, int, list[str]]:
    """Where the head of the table starts and ends, and the names of its columns; nowhere and none without one."""
    for place, record in enumerate(first):
        grouped = _grouped(record, first[place + 1]) if place + 1 < len(first) else []
        if grouped:
            return place, place + 2, grouped
        names = (header_of(record.cells) or []) if sum(map(bool, record.cells)) > 1 else []
        if names:
            return place, place + 1, names
    return 0, 0, []


def _grouped(upper: Record, lower: Record) -> list[str]:
    """The names of columns of which the upper row names several at once; none where it does not."""
    across = [(column, columns) for column, _, columns in upper.spans if columns > 1 and upper.cells[column]]
    # A row with a single text is a title above the table.
    if not across or sum(map(bool, upper.cells)) < 2:
        return []
    above = list(upper.cells)
    for column, columns in across:
        under = lower.cells[column : column + columns]
        if not all(each and (not is_number(each) or _YEAR.fullmatch(each)) for each in under):
            return []
        above[column : column + columns] = [above[column]] * len(under)
    pairs = zip(above, lower.cells, strict=False)
    return header_of([" ".join(dict.fromkeys(filter(None, pair))) for pair in pairs]) or []
