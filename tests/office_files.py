"""Reads a file in the test's own process, as a sandbox's process does."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from PIL import Image as Pictures

from ammon.errors import SourceError
from ammon.sources.reading import Account, Reading
from ammon.sources.recognising import Image, Line
from ammon.types import Document
from document_files import packed


class Reader:
    """A recogniser that says how large a picture is."""

    def lines(self, image: Image) -> list[Line]:
        height, width = image.shape[:2]
        return [Line(f"a picture of {width} by {height}", 0, 0, width, height, 0.99)]


def read(name: str, data: bytes, recogniser: Reader | None = None) -> Document:
    """The document. Raises: SourceError."""
    first = Reading(name, Account(len(data)), recogniser=recogniser).run(data)[0]
    if first.document is None:
        raise first.error or SourceError("Nothing came of it.", code="parser-failed")
    return first.document


def under(document: Document, words: str) -> tuple[int | None, tuple[str, ...], str]:
    """Page, heading path and kind of the part that holds these words."""
    at = document.text.index(words)
    return next((part.page, part.heading, part.kind) for part in document.parts if part.start <= at < part.end)


def picture(width: int = 40, height: int = 30) -> bytes:
    """A white PNG."""
    buffer = io.BytesIO()
    Pictures.new("RGB", (width, height), "white").save(buffer, "PNG")
    return buffer.getvalue()


def odf(body: str, members: Mapping[str, str] | None = None) -> bytes:
    """An OpenDocument file with this body, and these members beside it."""
    names = " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for prefix, name in (
            ("office", "office"),
            ("text", "text"),
            ("table", "table"),
            ("draw", "drawing"),
            ("presentation", "presentation"),
            ("svg", "svg-compatible"),
            ("meta", "meta"),
        )
    )
    content = f"<office:document-content {names}><office:body>{body}</office:body></office:document-content>"
    meta = (
        f'<office:document-meta {names} xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta>'
        "<dc:title>Harvest</dc:title><meta:initial-creator>Ada</meta:initial-creator><dc:language>de-DE</dc:language>"
        "</office:meta></office:document-meta>"
    )
    kinds = ("presentation", "spreadsheet", "text")
    kind = "application/vnd.oasis.opendocument." + next(each for each in kinds if f"<office:{each}" in body)
    return packed({"mimetype": kind, "content.xml": content, "meta.xml": meta, **(members or {})})


def with_members(data: bytes, members: Mapping[str, str | bytes]) -> bytes:
    """A package with these members added, or in place of its own."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return packed({**{name: archive.read(name) for name in archive.namelist()}, **members})
