"""EPUB → the text of its chapters, in the order in which they are read."""

from __future__ import annotations

import posixpath
from typing import Any, Final
from urllib.parse import unquote

from ammon.errors import SourceError
from ammon.sources.decoding import decode
from ammon.sources.documents.outline import Outline
from ammon.sources.documents.package import Package, attribute, local_name
from ammon.sources.html import load as load_html
from ammon.sources.kinds import KINDS, Kind
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.reading import Reading
from ammon.types import Remark

_CONTAINER: Final = "META-INF/container.xml"
_PAGES: Final = ("application/xhtml+xml", "text/html")
_STATED: Final = {
    "creator": "author",
    "date": "created",
    "subject": "subject",
    "publisher": "publisher",
    "description": "description",
}
_FONTS: Final = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Ways of hiding fonts, which leave the text as it is."""


def load(data: bytes, _kind: Kind, reading: Reading) -> Loaded:
    """Return the chapters' text. Raises: SourceError with the code ``malformed``, ``encrypted`` or ``bomb``."""
    package = Package(data, reading)
    _refuse_encrypted(package)
    container = package.xml(_CONTAINER)
    listed = container.iter() if container is not None else ()
    name = next((attribute(each, "full-path") for each in listed if local_name(each) == "rootfile"), "")
    root = package.xml(name) if name else None
    if root is None:
        raise SourceError("It does not say what belongs to it.", code="malformed")
    items = {attribute(each, "id"): each for each in root.iter() if local_name(each) == "item"}
    spine = [
        items[key]
        for each in root.iter()
        if local_name(each) == "itemref" and (key := attribute(each, "idref")) in items
    ]
    folder = posixpath.dirname(name)
    outline, remarks = Outline(), list[Remark]()
    title, language, metadata = _stated(root)
    # A book is asked for by its name and its author's, which need not stand in any chapter.
    outline.block(
        "\n".join(filter(None, (title, metadata.get("author", ""), metadata.get("description", "")))), "prose"
    )
    titles = _titles(package, folder, list(items.values()))
    for number, item in enumerate(spine, 1):
        reading.pages(number, len(spine))
        member = _joined(folder, attribute(item, "href"))
        if attribute(item, "media-type") not in _PAGES:
            continue
        try:
            chapter = load_html(decode(package.read(member), declared="utf-8")[0], KINDS[".xhtml"])
        except SourceError as error:
            if error.code == "bomb":
                raise
            remarks.append(Remark(error.code, f"Chapter {number} cannot be read: {error}"))
            continue
        outline.under(1, "" if any(part.heading for part in chapter.parts) else titles.get(member, ""))
        outline.take(chapter, page=number)
    metadata["pages"] = len(spine)
    return Loaded(outline.text(), title, language, metadata, outline.parts, remarks=tuple(remarks))


def _refuse_encrypted(package: Package) -> None:
    root = package.xml("META-INF/encryption.xml") if "META-INF/encryption.xml" in package.names else None
    for each in root.iter() if root is not None else ():
        if local_name(each) == "EncryptionMethod" and attribute(each, "Algorithm") not in _FONTS:
            raise SourceError("It is protected against copying (DRM).", code="encrypted", hint="Index a copy without.")


def _joined(folder: str, reference: str) -> str:
    """The member that a reference means."""
    return posixpath.normpath(posixpath.join(folder, unquote(reference.partition("#")[0])))


def _titles(package: Package, folder: str, items: list[Any]) -> dict[str, str]:
    """The title of each chapter that the table of contents names, by member."""
    titles: dict[str, str] = {}
    for item in items:
        member = _joined(folder, attribute(item, "href"))
        if attribute(item, "media-type") == "application/x-dtbncx+xml":
            for point in _elements(package, member, "navPoint"):
                label = next((one_line(each.text or "") for each in point.iter() if local_name(each) == "text"), "")
                source = next((attribute(each, "src") for each in point.iter() if local_name(each) == "content"), "")
                titles.setdefault(_joined(posixpath.dirname(member), source), label)
        elif "nav" in attribute(item, "properties").split():
            for link in _elements(package, member, "a"):
                label = one_line("".join(link.itertext()))
                titles.setdefault(_joined(posixpath.dirname(member), attribute(link, "href")), label)
    return titles


def _elements(package: Package, member: str, name: str) -> list[Any]:
    root = package.xml(member)
    return [each for each in root.iter() if local_name(each) == name] if root is not None else []


def _stated(root: Any) -> tuple[str, str, dict[str, Any]]:
    """Title, language and metadata of the book."""
    title, language, said = "", "", dict[str, Any]()
    for each in root.iter():
        text = one_line(each.text or "") if isinstance(each.tag, str) else ""
        match local_name(each) if text else "":
            case "title":
                title = title or text
            case "language":
                language = language or text[:2].lower()
            case name if name in _STATED:
                said.setdefault(_STATED[name], text)
            case _:
                continue
    return title, language, said
