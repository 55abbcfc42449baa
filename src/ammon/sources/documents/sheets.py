"""Workbooks (xlsx, xlsb, xls, ods) → each row a passage of ``column: value`` lines that knows its sheet and its row.

Values are what a person sees: by the formats of numbers, but in xlsb, where they are as they are.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import python_calamine as calamine

from ammon.errors import SourceError
from ammon.sources.documents import ods
from ammon.sources.documents.embedded import add_held, add_objects
from ammon.sources.documents.number_formats import moment, plain
from ammon.sources.documents.odf import refuse_encrypted
from ammon.sources.documents.odf_objects import Objects
from ammon.sources.documents.ole import BROKEN
from ammon.sources.documents.package import Package
from ammon.sources.documents.pictures import Pictures
from ammon.sources.documents.sheet_rows import Record, Span, add_asides, add_sheet
from ammon.sources.documents.workbook import Look, Looks, Workbook
from ammon.sources.documents.xls import Formats
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading
from ammon.sources.rows import Rows
from ammon.types import Remark

MOST_CELLS: Final = 20_000_000
"""Of one sheet, as it says itself or as it comes out: beyond it takes more memory than a file may."""

_HINT: Final = "Delete the empty rows and columns between, or save it as CSV."
_BROKEN: Final = (calamine.CalamineError, calamine.XmlError, calamine.ZipError, ValueError, OSError)


def load(data: bytes, kind: Kind, reading: Reading) -> Loaded:
    """Return the rows of all sheets as passages, those of hidden sheets too.

    Raises: SourceError with the code ``malformed``, ``encrypted``, ``bomb``, ``too-large`` or ``needs-ocr``.
    """
    if not data.startswith(b"PK\x03\x04"):
        return _old(data, kind, reading)
    package = Package(data, reading)
    read = _open_document if "content.xml" in package.names else _office
    return read(package, data, kind, reading)


def _old(data: bytes, kind: Kind, reading: Reading) -> Loaded:
    """A workbook of Excel 97 to 2003."""
    book, rows, remarks = _opened(data), Rows(), list[Remark]()
    try:
        formats = Formats(data)
    except BROKEN as error:
        formats = Formats(b"")
        remarks.append(Remark("malformed", f"How its numbers are shown cannot be read: {error}."))
    for number, name in enumerate(book.sheet_names, 1):
        reading.pages(number, len(book.sheet_names))
        remarks += _add(rows, book, name, number, Looks(formats.looks(name)))
    add_held(data, reading)
    return _loaded(rows, book.sheet_names, ("", "", {}), kind, remarks)


def _office(package: Package, data: bytes, kind: Kind, reading: Reading) -> Loaded:
    workbook = Workbook(package)
    book, rows, remarks = _opened(data), Rows(), list[Remark]()
    pictures = Pictures(package, reading)
    for number, name in enumerate(book.sheet_names, 1):
        reading.pages(number, len(book.sheet_names))
        cells = workbook.sheets[name].cells if name in workbook.sheets else 0
        if cells > MOST_CELLS:
            remarks.append(Remark("too-large", f"Sheet {name} spans {cells:,} cells; {MOST_CELLS:,} are read."))
        else:
            remarks += _add(rows, book, name, number, workbook.looks(name))
        add_asides(rows, workbook.beside(name, pictures), name, number)
    for text in workbook.unplaced():
        rows.add(text)
    if not rows and workbook.sheets and all(part.cells > MOST_CELLS for part in workbook.sheets.values()):
        raise SourceError(remarks[0].text, code="too-large", hint=_HINT)
    pictures.demand("" if not rows else "rows")
    add_objects(package, reading)
    return _loaded(rows, book.sheet_names, package.properties(), kind, [*remarks, *pictures.remarks])


def _open_document(package: Package, _data: bytes, kind: Kind, reading: Reading) -> Loaded:
    refuse_encrypted(package)
    objects, rows, names = Objects(package, reading), Rows(), list[str]()
    for number, sheet in enumerate(ods.sheets_of(package), 1):
        reading.pages(number, number)
        names.append(sheet.name)
        add_sheet(rows, sheet.records(), sheet.name, number)
        add_asides(rows, sheet.beside(objects), sheet.name, number)
    for text in objects.rest():
        rows.add(text)
    objects.pictures.demand("" if not rows else "rows")
    return _loaded(rows, names, package.properties("meta.xml"), kind, objects.pictures.remarks)


def _opened(data: bytes) -> Any:
    try:
        return calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError as error:
        raise SourceError("It is encrypted.", code="encrypted", hint="Save it without a password.") from error
    except _BROKEN as error:
        raise SourceError(f"It is no workbook that can be read: {error}.", code="malformed") from error


def _loaded(
    rows: Rows, names: Sequence[str], stated: tuple[str, str, dict[str, Any]], kind: Kind, remarks: Iterable[Remark]
) -> Loaded:
    title, language, metadata = stated
    metadata = metadata | {"sheets": list(names), "rows": len(rows)}
    return Loaded(rows, title, language, metadata, rows.parts, kind.media_type, remarks=tuple(remarks))


def _add(rows: Rows, book: Any, name: str, number: int, looks: Looks) -> list[Remark]:
    """Add the rows of one sheet; what cannot be read of it is remarked. Raises: SourceError, for too large a sheet."""
    try:
        add_sheet(rows, _records(book.get_sheet_by_name(name), name, looks), name, number)
    except _BROKEN as error:
        return [Remark("malformed", f"Sheet {name} cannot be read: {error}.")]
    return []


def _records(sheet: Any, name: str, looks: Looks) -> Iterator[Record]:
    if sheet.start is None:
        return
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise SourceError(
            f"Sheet {name} spans {sheet.total_height * sheet.total_width:,} cells; {MOST_CELLS:,} are read.",
            code="too-large",
            hint=_HINT,
        )
    top, left = sheet.start
    spans: dict[int, list[Span]] = {}
    for (first, column), (last, end) in sheet.merged_cell_ranges or ():
        if column >= left:
            spans.setdefault(first + 1, []).append((column - left, last - first + 1, end - column + 1))
    for at, cells in enumerate(sheet.iter_rows(), top + 1):
        row = looks.row(at)
        said = [_seen(cell, row[column]) if column in row else _said(cell) for column, cell in enumerate(cells, left)]
        yield Record(at, said, tuple(spans.get(at, ())))


def _seen(value: object, look: Look) -> str:
    """A cell as its format shows it."""
    match value:
        case bool():
            return _said(value)
        case float() if look.shown is not None:
            return look.shown(value)
        case datetime() if look.code:
            return moment(look.code, value)
        case "" | None:
            return look.instead
        case _:
            return _said(value)


def _said(value: object) -> str:
    """A cell as it is: whole numbers without a fraction, dates and times in ISO 8601."""
    match value:
        case bool():
            return str(value).upper()
        case float():
            return plain(value)
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("seconds")
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case None:
            return ""
        case _:
            return str(value).strip()
