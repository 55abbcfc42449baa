"""OpenDocument text, presentations and drawings → text as Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.documents.odf_objects import Objects
from ammon.sources.documents.outline import Outline, markdown_table
from ammon.sources.documents.package import Package, attribute, local_name, whole_number
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading

DEEPEST: Final = 60
_SILENT: Final = frozenset({"tracked-changes", "sequence-decls", "forms", "script", "event-listeners"})
_DRAWN: Final = frozenset({"image", "object", "object-ole"})
_ASIDE: Final = _DRAWN | {"note", "annotation", "text-box", "table"}
_MOST_REPEATED: Final = 1_000
_MOST_COLUMNS: Final = 50
_LOWEST_HEADING: Final = 10


def load(data: bytes, _kind: Kind, reading: Reading) -> Loaded:
    """Return the document's text. Raises: SourceError with the code ``malformed``, ``encrypted`` or ``bomb``."""
    package = Package(data, reading)
    refuse_encrypted(package)
    root = package.xml("content.xml")
    if root is None:
        raise SourceError("It has no content.", code="malformed")
    objects = Objects(package, reading)
    writer = _Writer(objects)
    styles = package.xml("styles.xml")
    margins = ("header", "footer", "header-left", "footer-left")
    for each in styles.iter() if styles is not None else ():
        if local_name(each) in margins:
            writer.outline.block("\n".join(filter(None, map(said, _paragraphs(each)))), "margin")
    body = next((each for each in root.iter() if local_name(each) == "body"), root)
    writer.blocks(body, 0)
    for text in objects.rest():
        writer.outline.block(text)
    title, language, metadata = package.properties("meta.xml")
    outline = writer.outline
    objects.pictures.demand(outline.text())
    if writer.page:
        metadata["pages"] = writer.page
    return Loaded(outline.text(), title, language, metadata, outline.parts, remarks=objects.pictures.remarks)


def refuse_encrypted(package: Package) -> None:
    """Raises: SourceError with the code ``encrypted``, for a package whose manifest names a key."""
    manifest = package.xml("META-INF/manifest.xml")
    for each in manifest.iter() if manifest is not None else ():
        if local_name(each) == "encryption-data":
            raise SourceError("It is encrypted.", code="encrypted", hint="Save it without a password.")


class _Writer:
    """One document on its way to an outline. ``page`` is the slide or drawing that is being read."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self.outline = Outline()
        self.page: int | None = None

    def blocks(self, parent: Any, depth: int, indent: int = 0) -> None:
        if depth > DEEPEST:
            return
        for each in parent:
            match local_name(each):
                case "h":
                    level = max(whole_number(attribute(each, "outline-level"), _LOWEST_HEADING, 1), 1)
                    self.outline.heading(level, said(each), page=self.page)
                    self._aside(each, depth)
                case "p":
                    self.outline.block(said(each), page=self.page)
                    self._aside(each, depth)
                case "list":
                    self._list(each, depth, indent)
                case "table":
                    self.outline.block(markdown_table(list(_rows(each))), page=self.page)
                case "page":
                    self.page = (self.page or 0) + 1
                    self.outline.under(1, "")
                    self._slide(each, depth)
                case "notes":
                    text = "\n".join(filter(None, map(said, _paragraphs(each))))
                    self.outline.block(f"Notes: {text}" if text else "", page=self.page)
                case name if name in _DRAWN:
                    self.outline.block(self._objects.said(each), page=self.page)
                case name if name not in _SILENT and name:
                    self.blocks(each, depth + 1, indent)
                case _:
                    continue

    def _slide(self, page: Any, depth: int) -> None:
        """A slide's frames: the title first, then the others in the file's order."""
        frames = sorted(page, key=lambda each: attribute(each, "class") != "title")
        for frame in frames:
            if attribute(frame, "class") == "title":
                text = " ".join(filter(None, map(said, _paragraphs(frame))))
                self.outline.heading(1, text, page=self.page)
            else:
                self.blocks([frame], depth + 1)

    def _list(self, element: Any, depth: int, indent: int) -> None:
        if depth > DEEPEST:
            return
        for item in element:
            for each in item:
                if local_name(each) == "list":
                    self._list(each, depth + 1, indent + 1)
                elif local_name(each) in ("p", "h"):
                    text = said(each)
                    self.outline.block(f"{'  ' * indent}- {text}" if text else "", page=self.page)
                    self._aside(each, depth)
                else:
                    self.blocks([each], depth + 1, indent)

    def _aside(self, paragraph: Any, depth: int) -> None:
        """What stands in a paragraph and is not of it: notes, comments, boxes."""
        for each in paragraph.iter():
            name = local_name(each)
            if name not in _ASIDE or _within(each, paragraph):
                continue
            if name == "note":
                self.outline.block(f"[{_citation(each)}] {' '.join(map(said, _paragraphs(each)))}", page=self.page)
            elif name == "annotation":
                self.outline.block(f"Comment: {' '.join(map(said, _paragraphs(each)))}", page=self.page)
            else:
                self.blocks([each], depth + 1)


def _within(element: Any, paragraph: Any) -> bool:
    """Whether an element stands in another such inside the paragraph."""
    for parent in element.iterancestors():
        if parent is paragraph:
            return False
        if local_name(parent) in _ASIDE:
            return True
    return False


def _citation(note: Any) -> str:
    return next((each.text or "" for each in note if local_name(each) == "note-citation"), "")


def _paragraphs(element: Any) -> Iterator[Any]:
    return (each for each in element.iter() if local_name(each) in ("p", "h"))


def said(element: Any) -> str:
    """The text of a paragraph, without that of notes and boxes in it."""
    return "".join(_pieces(element, 0)).strip()


def _pieces(element: Any, depth: int) -> Iterator[str]:
    yield element.text or ""
    for each in element:
        name = local_name(each)
        if name == "s":
            yield " " * whole_number(attribute(each, "c"), _MOST_REPEATED, 1)
        elif name in ("tab", "line-break"):
            yield "\t" if name == "tab" else "\n"
        elif name == "note":
            yield f"[{_citation(each)}]"
        elif name in ("title", "desc") and each.text:
            yield f"[{each.text}]"
        elif name and name not in _ASIDE and name not in _SILENT and depth < DEEPEST:
            yield from _pieces(each, depth + 1)
        yield each.tail or ""


def _rows(table: Any) -> Iterator[list[str]]:
    """The rows of a table; those that are repeated and empty are left out."""
    for row in table.iter():
        if local_name(row) != "table-row" or _table_of(row) is not table:
            continue
        cells: list[str] = []
        for cell in row:
            if local_name(cell) in ("table-cell", "covered-table-cell"):
                text = " ".join(filter(None, map(said, _paragraphs(cell))))
                cells += [text] * whole_number(attribute(cell, "number-columns-repeated"), _MOST_COLUMNS, 1)
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield cells


def _table_of(row: Any) -> Any:
    return next((each for each in row.iterancestors() if local_name(each) == "table"), None)
