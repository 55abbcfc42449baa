"""Documents that stand in others as objects: each is a document of its own, as an attachment is of a mail."""

from __future__ import annotations

import io
import posixpath
import struct
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.documents.ole import BROKEN, MARK
from ammon.sources.documents.package import Package
from ammon.sources.reading import Reading

_KINDS: Final = ("package", "oleObject")
_OF_ITS_OWN: Final = frozenset({"WordDocument", "Workbook", "Book", "PowerPoint Document", "__properties_version1.0"})
"""A compound file with one of these streams is itself a document, or a mail."""

_NATIVE: Final = "\x01Ole10Native"


def add_objects(package: Package, reading: Reading) -> None:
    """Read what the parts of an Office package hold as objects, save the tables behind charts, which say the same.

    Raises: SourceError with the code ``malformed``, ``encrypted`` or ``bomb``.
    """
    told: set[str] = set()
    for name in package.names:
        folder, file = posixpath.split(name)
        if not file.endswith(".rels") or folder.endswith("charts/_rels"):
            continue
        owner = posixpath.join(posixpath.dirname(folder), file.removesuffix(".rels"))
        for kind, target in package.targets(owner).values():
            if kind in _KINDS and target not in told and target in package.names:
                told.add(target)
                add_object(posixpath.basename(target), package.read(target), reading)


def add_object(name: str, data: bytes, reading: Reading) -> None:
    """Read the document that an object is, or holds; one that is none, such as an equation, is passed over.

    Raises: SourceError with the code ``bomb``.
    """
    if data.startswith(MARK):
        _add(name, data, reading, 1)
    else:
        reading.member(name, data)


def add_held(data: bytes, reading: Reading) -> None:
    """Read what an Office document of before 2007 holds as objects. Raises: SourceError with the code ``bomb``."""
    if data.startswith(MARK):
        _add("object", data, reading, 2)


def _add(name: str, data: bytes, reading: Reading, depth: int) -> None:
    """Read the files in the streams of a compound file that stand at least so deep; or the file, where it is one."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            paths = [path for path in file.listdir() if len(path) >= depth]
            whole = depth == 1 and any(path[0] in _OF_ITS_OWN for path in paths if len(path) == 1)
            found = [(name, data)] if whole else list(_held(file, paths, name))
    except BROKEN as error:
        reading.refuse(name, SourceError(f"It is no object that can be read: {error}.", code="malformed"))
        return
    for inner, content in found:
        reading.take(len(content))
        reading.member(inner, content)


def _held(file: Any, paths: Iterable[list[str]], name: str) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if path[-1] not in (_NATIVE, "Package", "CONTENTS"):
            continue
        content: bytes = file.openstream(path).read()
        if path[-1] == _NATIVE:
            yield _native(content, name)
        elif path[-1] == "Package" or content.startswith(b"%PDF"):
            yield name, content


def _native(stream: bytes, name: str) -> tuple[str, bytes]:
    """The name and the bytes of a file that was put in as a whole: two names, where it once lay, and the file."""
    label = stream[6 : stream.index(b"\0", 6)]
    at = stream.index(b"\0", 7 + len(label)) + 5
    (length,) = struct.unpack_from("<I", stream, at)
    (size,) = struct.unpack_from("<I", stream, at + 4 + length)
    start = at + 8 + length
    return label.decode("cp1252", "replace") or name, stream[start : start + size]
