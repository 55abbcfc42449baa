"""OpenDocument spreadsheets → the rows of their sheets as they are shown, one by one, so that none is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped]

from ammon.errors import SourceError
from ammon.sources.documents.odf import said
from ammon.sources.documents.odf_objects import Objects
from ammon.sources.documents.package import Package, attribute, local_name, whole_number
from ammon.sources.documents.sheet_rows import Aside, Record, Span

_MOST_COLUMNS: Final = 1 << 14
_MOST_ROWS: Final = 1 << 20
_CACHED: Final = "'file:"
"""How the name of a sheet starts that is a copy of one of another file."""


class Sheet:
    """A sheet on its way: first its ``records`` are to be read, then what stands ``beside`` them."""

    def __init__(self, name: str, rows: Iterator[Any]) -> None:
        self.name = name
        self._rows = rows
        self._comments: list[Aside] = []
        self._shapes: list[tuple[Any, int]] = []

    def beside(self, objects: Objects) -> Iterator[Aside]:
        """Comments, boxes, pictures and objects on the rows that were read. Raises: SourceError."""
        yield from self._comments
        for shape, at in self._shapes:
            yield "\n".join(said(each) for each in shape.iter() if local_name(each) == "p"), at
            for each in shape.iter():
                yield objects.said(each), at

    def records(self) -> Iterator[Record]:
        """The rows, those that are repeated as often as they are. Raises: SourceError."""
        at = 1
        for element in self._rows:
            if local_name(element) == "shapes":
                self._shapes += [(each, at) for each in element]
                continue
            count = whole_number(attribute(element, "number-rows-repeated"), _MOST_ROWS, 1)
            cells, spans = self._cells(element, at)
            for repeated in range(count if any(cells) else 0):
                yield Record(at + repeated, list(cells), spans)
            at += count

    def _cells(self, row: Any, at: int) -> tuple[list[str], tuple[Span, ...]]:
        cells, spans, gap = list[str](), list[Span](), 0
        for cell in row:
            if local_name(cell) not in ("table-cell", "covered-table-cell"):
                continue
            count = whole_number(attribute(cell, "number-columns-repeated"), _MOST_COLUMNS, 1)
            text = "\n".join(filter(None, (said(each) for each in cell if local_name(each) == "p")))
            self._beside(cell, at)
            if not text:
                gap = min(gap + count, _MOST_COLUMNS)
                continue
            cells += [""] * gap
            down = whole_number(attribute(cell, "number-rows-spanned"), _MOST_ROWS, 1)
            across = whole_number(attribute(cell, "number-columns-spanned"), _MOST_COLUMNS, 1)
            spans += [(len(cells), down, across)] if max(down, across) > 1 else []
            cells += [text] * count
            gap = 0
            if len(cells) > _MOST_COLUMNS:
                raise SourceError(f"It has a row of more than {_MOST_COLUMNS:,} cells.", code="too-large")
        return cells, tuple(spans)

    def _beside(self, cell: Any, at: int) -> None:
        for each in cell:
            if local_name(each) == "annotation":
                text = "\n".join(filter(None, (said(line) for line in each.iter() if local_name(line) == "p")))
                self._comments.append((f"Comment: {text}" if text else "", at))
            elif local_name(each) not in ("p", "table"):
                self._shapes.append((each, at))


def sheets_of(package: Package) -> Iterator[Sheet]:
    """The sheets in their order; each must be read before the next. Raises: SourceError."""
    events = _events(package)
    for event, element in events:
        if event == "start" and local_name(element) == "table":
            name, rows = attribute(element, "name"), _rows_within(events, element)
            if not name.startswith(_CACHED):
                yield Sheet(name, rows)
            # What of it was not asked for.
            for _ in rows:
                continue


def _rows_within(events: Iterator[tuple[str, Any]], table: Any) -> Iterator[Any]:
    """The rows of a table, and its shapes, each let go once it has been seen."""
    for event, element in events:
        if event == "end" and element is table:
            element.clear()
            return
        if event == "end" and local_name(element) in ("table-row", "shapes"):
            yield element
            element.clear()


def _events(package: Package) -> Iterator[tuple[str, Any]]:
    parser = etree.XMLPullParser(
        ("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True
    )
    try:
        for piece in package.pieces("content.xml"):
            parser.feed(piece)
            yield from parser.read_events()
    except etree.XMLSyntaxError as error:
        raise SourceError(f"Its part content.xml is no XML: {error}.", code="malformed") from error
