"""Word (OOXML) → text as Markdown: headings, lists, tables, notes, comments, text boxes; not what was deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.documents.embedded import add_objects
from ammon.sources.documents.outline import Outline, markdown_table
from ammon.sources.documents.package import Package, attribute, described, local_name, texts, whole_number
from ammon.sources.documents.pictures import Pictures
from ammon.sources.documents.word_styles import DEEPEST_LIST, Styles
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading

DEEPEST: Final = 60
"""Tables and boxes inside one another, beyond which nothing is read."""

_WITHOUT_TEXT: Final = frozenset(
    {
        "del",
        "moveFrom",
        "instrText",
        "delText",
        "Fallback",
        "rPr",
        "pPr",
        "sectPr",
        "tblPr",
        "trPr",
        "tcPr",
        "sdtPr",
        "rt",
    }
)
_MARKS: Final = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
_APART: Final = frozenset({"num", "den", "sub", "sup", "deg", "lim"})
"""Pieces of an equation, which are words of their own."""

_MOST_COLUMNS: Final = 63
"""That a table of Word's can have."""

_BREAK: Final = "lastRenderedPageBreak"
_ASIDE: Final = (("footnotes", "footnote"), ("endnotes", "endnote"), ("comments", "comment"))


def load(data: bytes, _kind: Kind, reading: Reading) -> Loaded:
    """Return the document's text. Raises: SourceError with the code ``malformed``, ``encrypted`` or ``bomb``."""
    package = Package(data, reading)
    main = next((name for kind, name in package.targets("").values() if kind == "officeDocument"), "word/document.xml")
    root = package.xml(main)
    if root is None:
        raise SourceError("It has no main part.", code="malformed")
    pictures = Pictures(package, reading)
    reader = _Reader(package, main, pictures)
    reader.read(root)
    add_objects(package, reading)
    title, language, metadata = package.properties()
    outline = reader.outline
    pictures.demand(outline.text())
    return Loaded(
        outline.text(), title, language, metadata, outline.parts, remarks=pictures.remarks, how=reader.how_paged
    )


class _Reader:
    """One document on its way to an outline."""

    def __init__(self, package: Package, main: str, pictures: Pictures) -> None:
        self._package = package
        self._pictures = pictures
        self._related = package.targets(main)
        self._styles = Styles(package, self._related)
        self._counts: Counter[tuple[str, int]] = Counter()
        self._page: int | None = None
        self.outline = Outline()

    @property
    def how_paged(self) -> tuple[str, ...]:
        """Where the numbers of pages come from."""
        return () if self._page is None else ("Its pages end where Word last ended them.",)

    def read(self, root: Any) -> None:
        body = next((each for each in root if local_name(each) == "body"), root)
        # Word notes where its pages ended; without that, nobody knows.
        if any(local_name(each) == _BREAK for each in body.iter()):
            self._page = 1
        self._margins("header")
        self._blocks(body, 0)
        self.outline.under(1, "")
        for part, name in _ASIDE:
            self._aside(part, name)
        self._drawn()
        self._margins("footer")

    def _blocks(self, parent: Any, depth: int) -> None:
        if depth > DEEPEST:
            return
        for each in parent:
            match local_name(each):
                case "p":
                    self._paragraph(each, depth)
                case "tbl":
                    self._table(each, depth)
                case "sdt" | "sdtContent" | "ins" | "moveTo" | "customXml" | "smartTag":
                    self._blocks(each, depth + 1)
                case _:
                    continue

    def _paragraph(self, element: Any, depth: int) -> None:
        text = "".join(_pieces(element)).strip()
        behind = self._turn(element)
        style = self._styles.of(element)
        if style.level and text:
            self.outline.heading(style.level, text, page=self._page)
        elif text:
            self.outline.block(self._listed(text, style.numbering), page=self._page)
        for box in _boxes(element):
            self._blocks(box, depth + 1)
        self._shown(element, "p")
        if self._page is not None:
            self._page += behind

    def _shown(self, element: Any, kind: str) -> None:
        """Write what is said in the pictures of a paragraph or table."""
        for each in element.iter():
            if local_name(each) in ("blip", "imagedata"):
                owner = next((above for above in each.iterancestors() if local_name(above) == kind), None)
                if owner is element:
                    named = attribute(each, "embed") or attribute(each, "id")
                    self.outline.block(self._pictures.said(self._related.get(named, ("", ""))[1]), page=self._page)

    def _turn(self, element: Any) -> int:
        """Turn the page as often as it ends before a paragraph's or table's first text; return how often after it."""
        before = behind = 0
        spoken = False
        for each in element.iter() if self._page is not None else ():
            name = local_name(each)
            spoken = spoken or (name == "t" and bool(each.text))
            before += name == _BREAK and not spoken
            behind += name == _BREAK and spoken
        if self._page is not None:
            self._page += before
        return behind

    def _listed(self, text: str, numbering: tuple[str, int] | None) -> str:
        if numbering is None:
            return text
        number, level = numbering
        indent = "  " * level
        if self._styles.is_bullet(number, level):
            return f"{indent}- {text}"
        self._counts[numbering] += 1
        for deeper in range(level + 1, DEEPEST_LIST + 1):
            self._counts.pop((number, deeper), None)
        return f"{indent}{self._counts[numbering]}. {text}"

    def _table(self, element: Any, depth: int) -> None:
        rows = [list(_cells(row)) for row in element.iter() if local_name(row) == "tr" and _owner(row) is element]
        if rows and max(map(len, rows)) == 1:
            # A frame around text rather than a table.
            for row in element.iter():
                if local_name(row) == "tc" and _owner(row) is element:
                    self._blocks(row, depth + 1)
            return
        behind = self._turn(element)
        self.outline.block(markdown_table(rows), page=self._page)
        self._shown(element, "tbl")
        if self._page is not None:
            self._page += behind

    def _members(self, kind: str) -> list[str]:
        return [name for found, name in self._related.values() if found == kind]

    def _margins(self, kind: str) -> None:
        said = dict.fromkeys(
            "\n".join(filter(None, ("".join(_pieces(each)).strip() for each in root.iter() if local_name(each) == "p")))
            for name in self._members(kind)
            if (root := self._package.xml(name)) is not None
        )
        for text in said:
            self.outline.block(text, "margin")

    def _aside(self, part: str, name: str) -> None:
        """Notes or comments."""
        for member in self._members(part):
            root = self._package.xml(member)
            for each in root if root is not None else ():
                said = ("".join(_pieces(inner)).strip() for inner in each.iter() if local_name(inner) == "p")
                text = " ".join(filter(None, said))
                if text and local_name(each) == name:
                    self.outline.block(f"{_sign(each)} {text}")

    def _drawn(self) -> None:
        """What charts and diagrams say."""
        for kind in ("chart", "diagramData", "chartEx"):
            for member in self._members(kind):
                root = self._package.xml(member)
                said = texts(root, "t", "v") if root is not None else []
                self.outline.block(" ".join(said))


def _sign(aside: Any) -> str:
    """What stands before a note or comment."""
    if local_name(aside) != "comment":
        return f"[{attribute(aside, 'id')}]"
    author = attribute(aside, "author")
    return f"Comment by {author}:" if author else "Comment:"


def _owner(element: Any) -> Any:
    """The table that a row or cell belongs to."""
    return next((each for each in element.iterancestors() if local_name(each) == "tbl"), None)


def _cells(row: Any) -> Iterator[str]:
    """The texts of a row's cells; one that spans several columns is followed by empty ones."""
    table = _owner(row)
    for cell in row.iter():
        if local_name(cell) != "tc" or _owner(cell) is not table:
            continue
        said = [each for each in cell if local_name(each) == "tcPr"]
        span = next((whole_number(attribute(each, "val"), _MOST_COLUMNS, 1) for each in _within(said, "gridSpan")), 1)
        going_on = any(attribute(each, "val", "continue") == "continue" for each in _within(said, "vMerge"))
        paragraphs = ("".join(_pieces(each)).strip() for each in cell.iter() if local_name(each) == "p")
        yield "" if going_on else " ".join(filter(None, paragraphs))
        yield from [""] * max(span - 1, 0)


def _within(elements: list[Any], name: str) -> Iterator[Any]:
    return (each for element in elements for each in element if local_name(each) == name)


def _pieces(element: Any) -> Iterator[str]:
    """The text of a paragraph, without that of boxes that stand in it."""
    stack = [iter(element)]
    while stack:
        each = next(stack[-1], None)
        if each is None:
            stack.pop()
            continue
        name = local_name(each)
        if name == "t":
            yield each.text or ""
        elif name in _MARKS:
            yield _MARKS[name]
        elif name in _APART:
            yield " "
            stack.append(iter(each))
        elif name == "docPr":
            yield described(each)
        elif name not in _WITHOUT_TEXT and name != "txbxContent":
            stack.append(iter(each))


def _boxes(element: Any) -> Iterator[Any]:
    """Text boxes in a paragraph; of two versions of one, the first."""
    for each in element.iter():
        if local_name(each) == "txbxContent":
            above = [local_name(parent) for parent in each.iterancestors()]
            upto = above.index("p") if "p" in above else len(above)
            if (
                "Fallback" not in above[: upto + 1]
                and next((parent for parent in each.iterancestors() if local_name(parent) == "p"), None) is element
            ):
                yield each
