"""CSV and TSV: every row a passage of ``column: value`` lines, that knows its lines in the file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Final

from ammon.errors import SourceError
from ammon.sources import plain
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.rows import Rows, lines_of

_DELIMITERS: Final = "\t;|,"
"""Where two fit equally well the first is taken: commas stand in prose and in numbers, the others hardly."""
_SNIFFED_LINES: Final = 50
_SNIFFED_CHARACTERS: Final = 65_536
_NUMBER: Final = re.compile(r"\s*[-+(]?[$€£¥]?[\d.,]+(?:[eE][-+]?\d+)?\s*%?\)?\s*$")

_LONGEST_CELL: Final = 1 << 30
"""The csv module's own limit, 128 KB, refuses cells that hold whole documents. The file's size is the bound."""


MOST_CELLS: Final = 16_384
"""Cells of a row at most, as in a sheet. What has more is no table that anyone has looked at."""


def load(text: str, kind: Kind) -> Loaded:
    """Return the rows as passages; the text as it is, where a row has more than `MOST_CELLS`.

    Raises: SourceError with the code ``malformed``, if the file breaks off inside a quoted cell.
    """
    delimiter = "\t" if kind.media_type.startswith("text/tab") else _delimiter(text)
    csv.field_size_limit(_LONGEST_CELL)
    rows = Rows()
    columns: list[str] | None = None
    pending: tuple[list[str], tuple[int, int]] | None = None
    for cells, lines in _records(text, delimiter):
        if len(cells) > MOST_CELLS:
            return plain.load(text, kind)
        if columns is None:
            columns = header_of(cells)
            if columns is not None:
                pending = (cells, lines)
                continue
            columns = [f"column {number}" for number in range(1, len(cells) + 1)]
        rows.add(row_text(columns, cells), lines)
    if not rows and pending:
        rows.add(", ".join(pending[0]), pending[1])
    metadata = {"columns": [name for name in columns or () if name], "rows": len(rows)}
    return Loaded(rows, metadata=metadata, parts=rows.parts)


def _records(text: str, delimiter: str) -> Iterator[tuple[list[str], tuple[int, int]]]:
    """Yield each row that holds anything, with its first and last line."""
    reader = csv.reader(lines_of(text), delimiter=delimiter, strict=False)
    before = 0
    try:
        for cells in reader:
            first, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield cells, (first, before)
    except csv.Error as error:
        raise SourceError(f"Line {reader.line_num} is no row: {error}.", code="malformed") from error


def _delimiter(text: str) -> str:
    """The delimiter under which the first rows have the most equal number of cells."""
    sample = text[:_SNIFFED_CHARACTERS]
    best, chosen = 0.0, ","
    for delimiter in _DELIMITERS:
        widths = [len(row) for row in csv.reader(sample.splitlines()[:_SNIFFED_LINES], delimiter=delimiter) if row]
        usual = max(set(widths), key=widths.count, default=1)
        score = widths.count(usual) / len(widths) * min(usual, 20) if usual > 1 else 0.0
        if score > best:
            best, chosen = score, delimiter
    return chosen


def header_of(cells: list[str]) -> list[str] | None:
    """Return the names of the columns, if this row is a header: names are neither numbers nor repeated."""
    names = [" ".join(cell.split()) for cell in cells]
    given = [name for name in names if name]
    if not given or len(set(given)) < len(given) or any(map(is_number, given)):
        return None
    return [name or f"column {number}" for number, name in enumerate(names, 1)]


def is_number(text: str) -> bool:
    """Whether a cell holds a number, an amount or a percentage."""
    return _NUMBER.match(text) is not None


def row_text(columns: list[str], cells: list[str]) -> str:
    """Return a row as a passage has it: a line for each cell that holds something, behind its column's name."""
    named = len(columns)
    return "\n".join(
        f"{columns[number] if number < named else f'column {number + 1}'}: {cell.strip()}"
        for number, cell in enumerate(cells)
        if cell.strip()
    )
