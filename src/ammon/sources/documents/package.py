"""A zip that is one document: its members, read by observed bytes, and its XML, parsed without entities."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped]

from ammon.errors import SourceError
from ammon.sources.loaded import one_line
from ammon.sources.reading import Reading

BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
"""What `zipfile` raises for members that are not what they should be."""

_BLOCK: Final = 1 << 20
_LONGEST_NUMBER: Final = 10
_FILE_NAME: Final = re.compile(r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp)", re.IGNORECASE)
_CORE: Final = "docProps/core.xml"
_NAMES: Final = {
    "creator": "author",
    "initial-creator": "author",
    "created": "created",
    "creation-date": "created",
    "modified": "modified",
    "date": "modified",
    "subject": "subject",
    "keywords": "keywords",
    "keyword": "keywords",
    "description": "description",
}


class Package:
    """The members of a zip, by name."""

    def __init__(self, data: bytes, reading: Reading) -> None:
        """Raises: SourceError with the code ``malformed``."""
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except BROKEN as error:
            raise SourceError(f"Its package cannot be opened: {error}.", code="malformed") from error
        self._reading = reading
        self.names = self._archive.namelist()
        self._known = set(self.names)
        self._weighed = set[str]()

    def read(self, name: str) -> bytes:
        """A member's bytes. Raises: SourceError with the code ``malformed``, ``encrypted`` or ``bomb``."""
        return b"".join(self.pieces(name))

    def weigh(self, name: str) -> None:
        """Account for what a member unpacks to, for a parser that unpacks by itself. Raises: as `read`."""
        for _ in self.pieces(name):
            continue

    def pieces(self, name: str) -> Iterator[bytes]:
        """A member's bytes, block by block; accounted for the first time. Raises: as `read`."""
        try:
            info = self._archive.getinfo(name)
            if info.flag_bits & 1:
                raise SourceError("It is encrypted.", code="encrypted", hint="Save it without a password.")
            with self._archive.open(info) as member:
                while piece := member.read(_BLOCK):
                    self._reading.take(0 if name in self._weighed else len(piece))
                    yield piece
            self._weighed.add(name)
        except (KeyError, *BROKEN) as error:
            raise SourceError(f"Its part {name} cannot be read: {error}.", code="malformed") from error

    def xml(self, name: str) -> Any:
        """The root element of a member; ``None`` where there is no such member. Raises: SourceError."""
        return parsed(self.read(name), name) if name in self._known else None

    def targets(self, name: str) -> dict[str, tuple[str, str]]:
        """What a member refers to: id → (kind, name of the member); outside references are left out."""
        folder, file = posixpath.split(name)
        root = self.xml(f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels")
        found: dict[str, tuple[str, str]] = {}
        for each in root if root is not None else ():
            target = each.get("Target") or ""
            if each.get("TargetMode") != "External" and target:
                whole = posixpath.normpath(target.lstrip("/") if target.startswith("/") else f"{folder}/{target}")
                found[each.get("Id") or ""] = ((each.get("Type") or "").rpartition("/")[2], whole.lstrip("/"))
        return found

    def properties(self, name: str = _CORE) -> tuple[str, str, dict[str, Any]]:
        """Title, language and metadata that the document states of itself."""
        root = self.xml(name)
        title, language, said = "", "", dict[str, Any]()
        for each in root.iter(etree.Element) if root is not None else ():
            local, text = local_name(each), one_line(each.text or "")
            if not text or len(each):
                continue
            if local == "title":
                title = title or text
            elif local == "language":
                language = text[:2].lower()
            elif local in _NAMES:
                said.setdefault(_NAMES[local], text)
        return title, language, said


def parsed(data: bytes, name: str) -> Any:
    """The root element of XML; nothing it refers to is looked up. Raises: SourceError with the code ``malformed``."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SourceError(f"Its part {name} is no XML: {error}.", code="malformed") from error
    if root is None:
        raise SourceError(f"Its part {name} is no XML.", code="malformed")
    return root


def local_name(element: Any) -> str:
    """An element's name without its namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def whole_number(said: str, most: int, otherwise: int = 0) -> int:
    """A number as a file states it, from 0 to ``most``; ``otherwise`` where that is none."""
    return min(int(said), most) if said.isascii() and said.isdigit() and len(said) < _LONGEST_NUMBER else otherwise


def described(element: Any) -> str:
    """What a picture's author says that it shows, in brackets; nothing where that is but the name of a file."""
    said = one_line(attribute(element, "descr"))
    return "" if not said or _FILE_NAME.fullmatch(said) else f"[{said}]"


def attribute(element: Any, name: str, default: str = "") -> str:
    """An attribute by its name without its namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(value)
    return default


def texts(root: Any, *names: str) -> list[str]:
    """The texts of all elements with one of these names (without namespace), in order, those without any left out."""
    found = [each.text.strip() for each in root.iter(etree.Element) if local_name(each) in names and each.text]
    return [text for text in found if text]
