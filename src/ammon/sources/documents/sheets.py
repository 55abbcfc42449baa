"""Workbooks (xlsx, xlsb, xls, ods) → each row a passage of ``column: value`` lines that knows its sheet and its row."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import reduce
from itertools import chain, islice
from typing import Any, Final

import python_calamine as calamine

from ammon.errors import SourceError
from ammon.sources.documents.package import Package, attribute, local_name, texts
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading
from ammon.sources.rows import Rows
from ammon.sources.table import header_of, row_text
from ammon.types import Remark

MOST_CELLS: Final = 20_000_000
"""Of one sheet, as it says itself or as it comes out: beyond it takes more memory than a file may."""

MOST_CHARACTERS: Final = 40_000_000
HEADER_WITHIN: Final = 10
"""Rows from the top among which the names of the columns are looked for."""

_HINT: Final = "Delete the empty rows and columns between, or save it as CSV."
_CELL: Final = re.compile(rb"""<(?:\w+:)?c\s[^<>]*?\br=["']([A-Z]{1,3})(\d{1,7})["'][^<>]*(?<!/)>""")
"""A cell of XML that holds something, with its place."""

_LONGEST_TAG: Final = 200
_DRAWN: Final = ("xl/drawings", "xl/charts")
_BROKEN: Final = (calamine.CalamineError, calamine.XmlError, calamine.ZipError, ValueError, OSError)


def load(data: bytes, kind: Kind, reading: Reading) -> Loaded:
    """Return the rows of all sheets as passages.

    Raises: SourceError with the code ``malformed``, ``encrypted``, ``bomb`` or ``too-large``.
    """
    package = None if data[:4] != b"PK\x03\x04" else Package(data, reading)
    far = _far_sheets(package) if package is not None else {}
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError as error:
        raise SourceError("It is encrypted.", code="encrypted", hint="Save it without a password.") from error
    except _BROKEN as error:
        raise SourceError(f"It is no workbook that can be read: {error}.", code="malformed") from error
    rows, remarks = Rows(), list[Remark]()
    for number, name in enumerate(book.sheet_names, 1):
        reading.pages(number, len(book.sheet_names))
        if far.get(name, 0) > MOST_CELLS:
            remarks.append(Remark("too-large", f"Sheet {name} spans {far[name]:,} cells; {MOST_CELLS:,} are read."))
            continue
        try:
            _add(rows, book.get_sheet_by_name(name), name, number)
        except _BROKEN as error:
            remarks.append(Remark("malformed", f"Sheet {name} cannot be read: {error}."))
    if not rows and far and all(spanned > MOST_CELLS for spanned in far.values()):
        raise SourceError(remarks[0].text, code="too-large", hint=_HINT)
    title, language, metadata = package.properties() if package else ("", "", {})
    if package is not None:
        _beside(rows, package)
    metadata |= {"sheets": list(book.sheet_names), "rows": len(rows)}
    return Loaded(rows, title, language, metadata, rows.parts, kind.media_type, remarks=tuple(remarks))


def _far_sheets(package: Package) -> dict[str, int]:
    """The cells that each sheet of an xlsx would span in memory, from its first to its last; weighs all members.

    The parser takes that memory at once, and ends the process where it does not get it.
    """
    main = next((name for kind, name in package.targets("").values() if kind == "officeDocument"), "")
    book, related = package.xml(main) if main.endswith(".xml") else None, package.targets(main)
    listed = [each for each in (book.iter() if book is not None else ()) if local_name(each) == "sheet"]
    sheets = {related.get(attribute(each, "id"), ("", ""))[1]: attribute(each, "name") for each in listed}
    spanned = {sheets[name]: _span(package.pieces(name)) for name in package.names if name in sheets}
    for name in package.names:
        if name not in sheets:
            package.weigh(name)
    return spanned


def _span(pieces: Iterator[bytes]) -> int:
    """The cells from the first to the last row and column in which there is anything."""
    columns, rows = set[bytes](), set[int]()
    rest = b""
    for piece in pieces:
        places = _CELL.findall(rest + piece)
        columns.update({letters for letters, _ in places})
        numbers = [int(number) for _, number in places]
        rows.update((min(numbers), max(numbers)) if numbers else ())
        rest = piece[-_LONGEST_TAG:]
    across = [reduce(lambda so_far, letter: so_far * 26 + letter - 64, letters, 0) for letters in columns]
    return (max(rows) - min(rows) + 1) * (max(across) - min(across) + 1) if rows else 0


def _add(rows: Rows, sheet: Any, name: str, number: int) -> None:
    """Add the rows of one sheet. Raises: SourceError with the code ``too-large``."""
    if sheet.start is None:
        return
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise SourceError(
            f"Sheet {name} spans {sheet.total_height * sheet.total_width:,} cells; {MOST_CELLS:,} are read.",
            code="too-large",
            hint=_HINT,
        )
    rows.add(f"## {name}", heading=(name,), page=number, kind="margin")
    numbered = enumerate(sheet.iter_rows(), sheet.start[0] + 1)
    records = ((at, said) for at, cells in numbered if any(said := [_said(cell) for cell in cells]))
    first = list(islice(records, HEADER_WITHIN))
    head = next((place for place, (_, said) in enumerate(first) if _names(said)), -1)
    columns = _names(first[head][1]) if head >= 0 else []
    # A sheet that is nothing but its head says that.
    alone = head >= 0 and len(first) == head + 1
    for at, said in first[: head + 1 if alone else max(head, 0)]:
        _row(rows, "\n".join(filter(None, said)), at, name, number)
    for at, said in chain(first[head + 1 :], records):
        _row(rows, row_text(columns, said), at, name, number)


def _names(said: list[str]) -> list[str]:
    """The names of the columns, where a row may be the head of a table; else nothing."""
    return (header_of(said) or []) if sum(map(bool, said)) > 1 else []


def _row(rows: Rows, text: str, at: int, name: str, number: int) -> None:
    rows.add(text, (at, at), (name,), number)
    if rows.length > MOST_CHARACTERS:
        raise SourceError(
            f"It holds more than {MOST_CHARACTERS:,} characters with its column names.",
            code="too-large",
            hint="Save its sheets as CSV files of their own.",
        )


def _said(value: object) -> str:
    """A cell as people see it: whole numbers without a fraction, dates and times in ISO 8601."""
    match value:
        case bool():
            return str(value).upper()
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
        case None:
            return ""
        case _:
            return str(value).strip()


def _beside(rows: Rows, package: Package) -> None:
    """Add what stands beside the cells: comments, text boxes, the words of charts."""
    for name in package.names:
        for said in _spoken(package, name):
            rows.add(said)


def _spoken(package: Package, name: str) -> Iterator[str]:
    folder, _, file = name.rpartition("/")
    if file.endswith(".xml") and folder.startswith("xl") and ("comment" in file.lower() or folder in _DRAWN):
        yield "\n".join(texts(package.xml(name), "t"))
