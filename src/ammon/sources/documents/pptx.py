"""PowerPoint (OOXML) → text slide by slide: title as heading, boxes in reading order, tables, charts, notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from ammon.errors import SourceError
from ammon.sources.documents.embedded import add_objects
from ammon.sources.documents.outline import Outline, markdown_table
from ammon.sources.documents.package import Package, attribute, described, local_name, texts, whole_number
from ammon.sources.documents.pictures import Pictures
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading

_TITLES: Final = ("title", "ctrTitle")
_MARGINS: Final = ("sldNum", "ftr", "dt", "hdr")
_DEEPEST_LIST: Final = 8
_DRAWN: Final = ("chart", "chartEx", "diagramData")
Place: TypeAlias = tuple[int, ...]
"""From the top, from the left; of a shape in a group, behind the place of the group."""

_BESIDE: Final = 300_000
"""The height of a line, in English metric units (914,400 an inch)."""

_FAR: Final[Place] = (1 << 40, 0)
"""Where a shape stands that does not say: after all others, in the file's order."""


def load(data: bytes, _kind: Kind, reading: Reading) -> Loaded:
    """Return the slides' text. Raises: SourceError with the code ``malformed``, ``encrypted`` or ``bomb``."""
    package = Package(data, reading)
    main = next((name for kind, name in package.targets("").values() if kind == "officeDocument"), "")
    root = package.xml(main) if main else None
    if root is None:
        raise SourceError("It has no main part.", code="malformed")
    related = package.targets(main)
    listed = [_reference(each) for each in root.iter() if local_name(each) == "sldId"]
    slides = [related[each][1] for each in listed if each in related]
    outline, pictures = Outline(), Pictures(package, reading)
    for number, name in enumerate(slides, 1):
        reading.pages(number, len(slides))
        _slide(package, name, number, outline, pictures)
    add_objects(package, reading)
    title, language, metadata = package.properties()
    pictures.demand(outline.text())
    metadata["pages"] = len(slides)
    return Loaded(outline.text(), title, language, metadata, outline.parts, remarks=pictures.remarks)


def _reference(element: Any) -> str:
    """The id of the relationship that an element names."""
    return next((value for key, value in element.attrib.items() if key.endswith("}id")), "")


def _slide(package: Package, name: str, number: int, outline: Outline, pictures: Pictures) -> None:
    root = package.xml(name)
    if root is None:
        return
    outline.under(1, "")
    related = package.targets(name)
    shapes = [each for each in root.iter() if local_name(each) == "spTree"][:1]
    found = list(_shapes(shapes[0], (), _layout(package, related))) if shapes else []
    # A title stands first, wherever it is on the slide.
    for _, shape in sorted(found, key=lambda each: (_holder(each[1]) not in _TITLES, each[0])):
        _write(package, shape, related, number, outline)
        for each in shape.iter() if local_name(shape) in ("pic", "sp") else ():
            if local_name(each) == "blip":
                outline.block(pictures.said(related.get(attribute(each, "embed"), ("", ""))[1]), page=number)
    for kind, member in related.values():
        part = package.xml(member) if kind in ("notesSlide", "comments") else None
        if part is None:
            continue
        for text in _said(part, kind):
            outline.block(f"{'Notes' if kind == 'notesSlide' else 'Comment'}: {text}", page=number)


def _layout(package: Package, related: dict[str, tuple[str, str]]) -> dict[tuple[str, str], Place]:
    """Where a slide's layout, and the master of that, put what does not say where it stands."""
    places: dict[tuple[str, str], Place] = {}
    # A layout's holders are known by their numbers, a master's by what they are for.
    for kind, known_by in (("slideLayout", slice(1)), ("slideMaster", slice(-1, None))):
        name = next((name for found, name in related.values() if found == kind), "")
        root = package.xml(name) if name else None
        if root is None:
            break
        for shape in root.iter():
            place = _place(shape) if local_name(shape) == "sp" else None
            if place is not None:
                for key in _keys(shape)[known_by]:
                    places.setdefault(key, place)
        related = package.targets(name)
    return places


def _keys(shape: Any) -> list[tuple[str, str]]:
    """What a place is known by: a holder's number first, else what it is for."""
    for each in shape.iter():
        if local_name(each) == "ph":
            index = attribute(each, "idx")
            return [("idx", index)] * bool(index) + [("type", attribute(each, "type", "body"))]
    return []


def _shapes(tree: Any, above: Place, layout: dict[tuple[str, str], Place]) -> Iterator[tuple[Place, Any]]:
    """The shapes in a tree, each with its place; those of a group stay together, where the group stands."""
    for each in tree:
        kind = local_name(each)
        if kind == "grpSp":
            yield from _shapes(each, above + (_place(each) or _FAR), layout)
        elif kind in ("sp", "graphicFrame", "cxnSp", "pic"):
            place = _place(each) or next((layout[key] for key in _keys(each) if key in layout), _FAR)
            yield above + place, each
        elif kind == "AlternateContent":
            for choice in list(each)[:1]:
                yield from _shapes(choice, above, layout)


def _place(shape: Any) -> Place | None:
    """The corner of a shape, from its own properties; ``None`` where a layout says it."""
    for each in shape:
        if local_name(each) in ("spPr", "grpSpPr", "xfrm"):
            for off in each.iter():
                if local_name(off) == "off":
                    x, y = attribute(off, "x", "0"), attribute(off, "y", "0")
                    # Boxes that stand about side by side are read from left to right.
                    return (_signed(y) // _BESIDE, _signed(x))
    return None


def _signed(said: str) -> int:
    number = whole_number(said.lstrip("-"), _FAR[0])
    return -number if said.startswith("-") else number


def _holder(shape: Any) -> str:
    """What a shape is there for: ``title``, ``body``, ``sldNum`` and so on; empty for any other."""
    for each in shape.iter():
        if local_name(each) == "ph":
            return attribute(each, "type", "body")
        if local_name(each) in ("txBody", "spPr"):
            break
    return ""


def _write(package: Package, shape: Any, related: dict[str, tuple[str, str]], number: int, outline: Outline) -> None:
    table = next((each for each in shape.iter() if local_name(each) == "tbl"), None)
    if table is not None:
        rows = [
            [" ".join(_paragraphs(cell)) for cell in row if local_name(cell) == "tc"]
            for row in table
            if local_name(row) == "tr"
        ]
        outline.block(markdown_table(rows), page=number)
        return
    said = list(_paragraphs(shape))
    holder = _holder(shape)
    if holder in _TITLES and said:
        outline.heading(1, " ".join(said), page=number)
    elif said:
        outline.block("\n".join(said), "margin" if holder in _MARGINS else "markdown", page=number)
    for each in shape.iter():
        for target in each.attrib.values() if local_name(each) in ("chart", "relIds") else ():
            kind, member = related.get(target, ("", ""))
            root = package.xml(member) if kind in _DRAWN else None
            if root is not None:
                outline.block(" ".join(texts(root, "t", "v")), page=number)
    if local_name(shape) == "pic":
        outline.block(next((described(each) for each in shape.iter() if local_name(each) == "cNvPr"), ""), page=number)


def _paragraphs(element: Any) -> Iterator[str]:
    """The paragraphs of a text body, those of lists indented and marked by their level."""
    for paragraph in element.iter():
        if local_name(paragraph) != "p":
            continue
        pieces = (
            (each.text or "") if local_name(each) == "t" else "\n" if local_name(each) == "br" else ""
            for each in paragraph.iter()
        )
        text = "".join(pieces).strip()
        if text:
            levels = (attribute(each, "lvl") for each in paragraph if local_name(each) == "pPr")
            level = whole_number(next(levels, ""), _DEEPEST_LIST)
            yield f"{'  ' * (level - 1)}- {text}" if level else text


def _said(root: Any, kind: str) -> Iterator[str]:
    if kind == "comments":
        yield from texts(root, "text", "t")
        return
    for shape in root.iter():
        if local_name(shape) == "sp" and _holder(shape) == "body":
            text = "\n".join(_paragraphs(shape))
            if text:
                yield text
