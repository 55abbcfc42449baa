"""What an xlsx keeps beside the values of its cells: how they are shown, and what else stands on its sheets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import groupby
from operator import itemgetter
from string import ascii_uppercase
from typing import Any, Final, TypeAlias
from xml.sax.saxutils import unescape

from ammon.sources.documents.number_formats import BUILT_IN, Shown, shown_by
from ammon.sources.documents.package import Package, attribute, local_name, texts, whole_number
from ammon.sources.documents.pictures import Pictures
from ammon.sources.documents.sheet_rows import Aside

_CELL: Final = re.compile(rb"""<(?:\w+:)?c\s[^<>]*?\br=["']([A-Z]{1,3})(\d{1,7})["'][^<>]*(?<!/)>""")
"""A cell of XML that holds something, with its place."""

_TAG: Final = (
    rb"""<(?:\w+:)?c(?:\s+(?:r=["']([A-Z]{1,3})(\d{1,7})["']|s=["'](\d{1,5})["']|t=["'](str)["']|"""
    rb"""[\w:]+=["'][^<>"']*["']))*+\s*>"""
)
_STYLED: Final = re.compile(_TAG)
"""The same with its style, and whether it is a string."""

_LOOK: Final = re.compile(
    _TAG + rb"(?:<(?:\w+:)?f(?:\s[^<>]*)?>([^<]*)</(?:\w+:)?f>)?"
    rb"(?:<(?:\w+:)?v>(#[^<]*)<|(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?(</(?:\w+:)?c>))?"
)
"""The same with its formula, its error, and its end where it has no value."""

_UNVALUED: Final = re.compile(rb">#|f>\s*(?:</(?:\w+:)?c>|<(?:\w+:)?v(?: ?/>|></))")
"""Stands where a cell has an error, or a formula without a value."""

_LONGEST_TAG: Final = 200
_LONGEST_CELL: Final = 1 << 14
_MOST_FORMATS: Final = 65_536
_NEVER: Final = 1 << 32
_LONGEST_ROW: Final = 8
_WITH_WORDS: Final = ("comments", "threadedComment", "table", "drawing")
_DRAWN: Final = ("chart", "chartEx", "diagramData")
_OLD_COPY: Final = "[Threaded comment]"
"""What Excel writes before the copy of a comment for its older versions."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell is shown: by a number format's code, which is ``shown`` for numbers.

    ``instead`` is what it says for want of a value.
    """

    code: str = ""
    shown: Shown | None = None
    instead: str = ""


RowLooks: TypeAlias = tuple[int, dict[int, Look]]
"""A row, from 1, and the looks of its cells, by column from 0."""


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet's member; ``cells`` spans its first to its last, ``unvalued`` tells that some lack a value."""

    member: str
    cells: int
    unvalued: bool


class Workbook:
    """The parts of an xlsx. ``sheets`` are by name; there are none in a package of another kind."""

    def __init__(self, package: Package) -> None:
        """Raises: SourceError, as the package does. All members are weighed: the parser unpacks by itself."""
        self._package = package
        main = next((name for kind, name in package.targets("").values() if kind == "officeDocument"), "")
        book, related = package.xml(main) if main.endswith(".xml") else None, package.targets(main)
        listed = [each for each in (book.iter() if book is not None else ()) if local_name(each) == "sheet"]
        names = {related.get(attribute(each, "id"), ("", ""))[1]: attribute(each, "name") for each in listed}
        self.sheets = {names[name]: _part(package, name) for name in package.names if name in names}
        for name in package.names:
            if name not in names:
                package.weigh(name)
        styles = next((name for kind, name in related.values() if kind == "styles"), "xl/styles.xml")
        self._styles = _looks_of(package.xml(styles)) if self.sheets else {}
        self._told: set[str] = set()

    def looks(self, name: str) -> Looks:
        """How the cells of a sheet are shown, as far as the parser of values does not know."""
        part = self.sheets.get(name)
        if part is None or not (part.unvalued or self._styles):
            return Looks(iter(()))
        read = _valued if part.unvalued else _styled
        return Looks(read(self._package.pieces(part.member), self._styles))

    def beside(self, name: str, pictures: Pictures) -> Iterator[Aside]:
        """What stands on a sheet beside its cells, with the row it is on: comments, boxes, charts, pictures."""
        part = self.sheets.get(name)
        for kind, target in self._package.targets(part.member).values() if part is not None else ():
            root = self._package.xml(target) if kind in _WITH_WORDS and target not in self._told else None
            self._told.add(target)
            match kind if root is not None else "":
                case "comments" | "threadedComment":
                    yield from _comments(root)
                case "table":
                    yield from _hidden_head(root)
                case "drawing":
                    yield from self._drawn(target, root, pictures)
                case _:
                    continue

    def unplaced(self) -> Iterator[str]:
        """Comments and words of drawings that belong to no sheet."""
        for name in self._package.names:
            folder, _, file = name.rpartition("/")
            drawn = folder in ("xl/drawings", "xl/charts") or (folder.startswith("xl") and "comment" in file.lower())
            if drawn and file.endswith(".xml") and name not in self._told:
                yield _words(self._package.xml(name))

    def _drawn(self, member: str, root: Any, pictures: Pictures) -> Iterator[Aside]:
        """What is drawn on a sheet, each at the row at which it starts."""
        related = self._package.targets(member)
        for anchor in root:
            at = next((int(row) for row in texts(anchor, "row") if row.isdecimal() and len(row) < _LONGEST_ROW), 0) + 1
            yield _words(anchor), at
            for value in [value for each in anchor.iter() for value in each.attrib.values()]:
                kind, target = related.get(value, ("", ""))
                if kind == "image":
                    yield pictures.said(target), at
                elif kind in _DRAWN and target not in self._told and (inner := self._package.xml(target)) is not None:
                    self._told.add(target)
                    yield _words(inner), at


class Looks:
    """The looks of a sheet's cells, asked for row by row from the top, so that none is kept."""

    def __init__(self, looks: Iterator[RowLooks]) -> None:
        self._looks = looks
        self._next: RowLooks = (0, {})

    def row(self, at: int) -> dict[int, Look]:
        """The looks of the cells of a row (from 1), by column (from 0)."""
        found: dict[int, Look] = {}
        while self._next[0] <= at:
            if self._next[0] == at:
                found |= self._next[1]
            self._next = next(self._looks, (_NEVER, {}))
        return found


def _part(package: Package, member: str) -> SheetPart:
    """A sheet, with the cells from the first to the last row and column in which there is anything.

    The parser takes the memory of them all at once, and ends the process where it does not get it.
    """
    columns, rows = set[bytes](), set[int]()
    rest, unvalued = b"", False
    for piece in package.pieces(member):
        places = _CELL.findall(rest + piece)
        columns.update({letters for letters, _ in places})
        numbers = [int(number) for _, number in places]
        rows.update((min(numbers), max(numbers)) if numbers else ())
        unvalued = unvalued or _UNVALUED.search(rest + piece) is not None
        rest = piece[-_LONGEST_TAG:]
    across = [_column(letters) + 1 for letters in columns]
    spanned = (max(rows) - min(rows) + 1) * (max(across) - min(across) + 1) if rows else 0
    return SheetPart(member, spanned, unvalued)


@lru_cache(maxsize=1 << 14)
def _column(letters: bytes) -> int:
    """``A`` → 0, ``AA`` → 26."""
    return reduce(lambda so_far, letter: so_far * 26 + letter - 64, letters, 0) - 1


def _styled(pieces: Iterator[bytes], styles: Mapping[bytes, Look]) -> Iterator[RowLooks]:
    """The cells whose style shows them otherwise than they are, in the file's order; some of them twice."""
    rest = b""
    for piece in pieces:
        cells = _STYLED.findall(rest + piece)
        looks = ((number, letters, styles[style]) for letters, number, style, _ in cells if style in styles)
        yield from _by_row(looks)
        rest = piece[-_LONGEST_TAG:]


def _valued(pieces: Iterator[bytes], styles: Mapping[bytes, Look]) -> Iterator[RowLooks]:
    """The same, and the cells that have no value, but an error or a formula."""
    rest = b""
    for piece in pieces:
        found = list[tuple[bytes, bytes, Look]]()
        for letters, number, style, string, formula, error, end in _LOOK.findall(rest + piece):
            instead = error or (b"=" + formula if formula and end and not string else b"")
            if instead:
                said = unescape(instead.decode("utf-8", "replace"), {"&quot;": '"', "&apos;": "'"})
                found.append((number, letters, Look(instead=said)))
            elif style in styles:
                found.append((number, letters, styles[style]))
        yield from _by_row(found)
        rest = piece[-_LONGEST_CELL:]


def _by_row(looks: Iterable[tuple[bytes, bytes, Look]]) -> Iterator[RowLooks]:
    for number, cells in groupby(looks, itemgetter(0)):
        if number:
            yield int(number), {_column(letters): look for _, letters, look in cells}


def _looks_of(styles: Any) -> dict[bytes, Look]:
    """The looks of cells by the number of their style, without those that show a value as it is."""
    named, codes = dict(BUILT_IN), list[str]()
    for each in styles.iter() if styles is not None else ():
        match local_name(each):
            case "numFmt":
                named[whole_number(attribute(each, "numFmtId"), _MOST_FORMATS)] = attribute(each, "formatCode")
            case "cellXfs":
                codes = [attribute(xf, "numFmtId") for xf in each]
            case _:
                continue
    shown = [named.get(whole_number(code, _MOST_FORMATS), "") for code in codes]
    return {
        str(number).encode(): Look(code, shown_by(code))
        for number, code in enumerate(shown)
        if code and code.lower() not in ("general", "@")
    }


def _comments(root: Any) -> Iterator[Aside]:
    """Comments, those on a cell with its row."""
    for each in root.iter():
        if local_name(each) in ("comment", "threadedComment"):
            place = attribute(each, "ref")
            said = _joined(each, ("t", "text"))
            if said and not said.startswith(_OLD_COPY):
                yield f"Comment on {place}: {said}", _row(place)


def _hidden_head(table: Any) -> Iterator[Aside]:
    """The name and the columns of a table whose head is in no cells."""
    if attribute(table, "headerRowCount") == "0":
        columns = [attribute(each, "name") for each in table.iter() if local_name(each) == "tableColumn"]
        yield f"{attribute(table, 'displayName')}: {', '.join(columns)}", _row(attribute(table, "ref"))


def _row(place: str) -> int:
    """``B6`` or ``B6:C9`` → 6; the first row for what is no place."""
    return whole_number(place.partition(":")[0].lstrip(ascii_uppercase), _NEVER, 1)


def _words(root: Any) -> str:
    """The words of a drawing, a line for each paragraph."""
    paragraphs = [each for each in root.iter() if local_name(each) == "p"]
    lines = [_joined(each, ("t",)) for each in paragraphs] if paragraphs else texts(root, "t")
    return "\n".join(filter(None, lines))


def _joined(element: Any, names: tuple[str, ...]) -> str:
    return "".join(each.text or "" for each in element.iter() if local_name(each) in names).strip()
