"""PowerPoint (OOXML) → text slide by slide: title as heading, boxes in reading order, tables, charts, notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.documents.outline import Outline, markdown_table
from ammon.sources.documents.package import Package, attribute, local_name, texts
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading

_TITLES: Final = ("title", "ctrTitle")
_MARGINS: Final = ("sldNum", "ftr", "dt", "hdr")
_DRAWN: Final = ("chart", "chartEx", "diagramData")
_FAR: Final = 1 << 40
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
    outline = Outline()
    for number, name in enumerate(slides, 1):
        reading.pages(number, len(slides))
        _slide(package, name, number, outline)
    title, language, metadata = package.properties()
    return Loaded(
        outline.text(), title=title, language=language, metadata={**metadata, "pages": len(slides)}, parts=outline.parts
    )


def _reference(element: Any) -> str:
    """The id of the relationship that an element names."""
    return next((value for key, value in element.attrib.items() if key.endswith("}id")), "")


def _slide(package: Package, name: str, number: int, outline: Outline) -> None:
    root = package.xml(name)
    if root is None:
        return
    outline.under(1, "")
    related = package.targets(name)
    shapes = [each for each in root.iter() if local_name(each) == "spTree"][:1]
    found = list(_shapes(shapes[0], (0, 0))) if shapes else []
    # A title stands first, wherever it is on the slide.
    for _, shape in sorted(found, key=lambda each: (_holder(each[1]) not in _TITLES, each[0])):
        _write(package, shape, related, number, outline)
    for kind, member in related.values():
        part = package.xml(member) if kind in ("notesSlide", "comments") else None
        if part is None:
            continue
        for text in _said(part, kind):
            outline.block(f"{'Notes' if kind == 'notesSlide' else 'Comment'}: {text}", page=number)


def _shapes(tree: Any, offset: tuple[int, int]) -> Iterator[tuple[tuple[int, int], Any]]:
    """The shapes in a tree, those of groups too, each with the place (from the top, from the left) of its corner."""
    for each in tree:
        kind = local_name(each)
        if kind == "grpSp":
            yield from _shapes(each, _place(each) or offset)
        elif kind in ("sp", "graphicFrame", "cxnSp", "pic"):
            yield (_place(each) or (offset if offset != (0, 0) else (_FAR, 0))), each
        elif kind == "AlternateContent":
            for choice in list(each)[:1]:
                yield from _shapes(choice, offset)


def _place(shape: Any) -> tuple[int, int] | None:
    """The corner of a shape, from its own properties; ``None`` where a layout says it."""
    for each in shape:
        if local_name(each) in ("spPr", "grpSpPr", "xfrm"):
            for off in each.iter():
                if local_name(off) == "off":
                    x, y = attribute(off, "x", "0"), attribute(off, "y", "0")
                    # Boxes that stand about side by side are read from left to right.
                    return (int(y) // 300_000, int(x)) if x.lstrip("-").isdigit() and y.lstrip("-").isdigit() else None
    return None


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
            if kind in _DRAWN:
                outline.block(" ".join(texts(package.xml(member), "t", "v")), page=number)
    described = next((attribute(each, "descr") for each in shape.iter() if local_name(each) == "cNvPr"), "")
    if local_name(shape) == "pic" and described:
        outline.block(f"[{described}]", page=number)


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
            level = next((attribute(each, "lvl", "0") for each in paragraph if local_name(each) == "pPr"), "0")
            yield f"{'  ' * (int(level) - 1)}- {text}" if level.isdigit() and int(level) > 0 else text


def _said(root: Any, kind: str) -> Iterator[str]:
    if kind == "comments":
        yield from texts(root, "text", "t")
        return
    for shape in root.iter():
        if local_name(shape) == "sp" and _holder(shape) == "body":
            text = "\n".join(_paragraphs(shape))
            if text:
                yield text
