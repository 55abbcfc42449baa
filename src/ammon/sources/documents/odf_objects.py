"""Pictures and objects in an OpenDocument file: the words of both, and the documents that objects are."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from ammon.sources.documents.embedded import add_object
from ammon.sources.documents.package import Package, attribute, local_name
from ammon.sources.documents.pictures import Pictures
from ammon.sources.kinds import KINDS
from ammon.sources.reading import Reading

_CONTENT: Final = re.compile(r"([^/]+)/content\.xml")
_DOCUMENTS: Final = {"spreadsheet": ".ods", "text": ".odt", "presentation": ".odp", "drawing": ".odg"}


class Objects:
    """What is drawn into one file. Each speaks once."""

    def __init__(self, package: Package, reading: Reading) -> None:
        self._package = package
        self._reading = reading
        self._names = set(package.names)
        self._told: set[str] = set()
        self.pictures = Pictures(package, reading)

    def said(self, element: Any) -> str:
        """The words of a picture or an object, where the element is one. Raises: SourceError."""
        name = attribute(element, "href").removeprefix("./")
        match local_name(element):
            case "image":
                return self.pictures.said(name)
            case "object" | "object-ole":
                return self._object(name)
            case _:
                return ""

    def rest(self) -> Iterator[str]:
        """The words of objects that stood nowhere. Raises: SourceError."""
        for name in self._package.names:
            if found := _CONTENT.fullmatch(name):
                yield self._object(found[1])

    def _object(self, name: str) -> str:
        if name in self._told:
            return ""
        self._told.add(name)
        if name in self._names:
            add_object(name, self._package.read(name), self._reading)
        root = self._package.xml(f"{name}/content.xml")
        if root is None:
            return ""
        body = next((each for each in root.iter() if local_name(each) == "body"), ())
        extension = next((_DOCUMENTS[kind] for each in body if (kind := local_name(each)) in _DOCUMENTS), "")
        if not extension:
            return " ".join(filter(None, map(str.strip, root.itertext())))
        self._reading.member(name + extension, self._packed(f"{name}/", KINDS[extension].media_type))
        return ""

    def _packed(self, folder: str, media_type: str) -> bytes:
        """The members in a folder as a file of their own."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("mimetype", media_type)
            for name in self._package.names:
                if name.startswith(folder) and name != f"{folder}mimetype":
                    archive.writestr(name.removeprefix(folder), self._package.read(name))
        return buffer.getvalue()
