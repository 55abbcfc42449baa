"""What a file is: by its bytes where they tell, else by its name."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Final

from ammon.errors import SourceError
from ammon.sources.binary import kind_of_binary
from ammon.sources.kinds import KINDS, PLAIN, Kind, kind_of

_HEAD: Final = 8_192
_TAIL: Final = 4_096
_PDF_WITHIN: Final = 1_024
"""Readers of PDF look for its mark this far into a file."""

_READ: Final = {
    "PDF document": ".pdf",
    "RTF document": ".rtf",
    "gzip archive": ".gz",
    "bzip2 archive": ".bz2",
    "xz archive": ".xz",
    "tar archive": ".tar",
    "PNG image": ".png",
    "JPEG image": ".jpg",
    "GIF image": ".gif",
    "TIFF image": ".tif",
    "WebP image": ".webp",
    "BMP image": ".bmp",
}
"""Binary formats that have a loader, under the extension that they usually have."""

_ZIP: Final = "ZIP archive"
_OLE: Final = "old Office document"

_IN_ZIP: Final = (("word/", ".docx"), ("ppt/", ".pptx"), ("xl/workbook.bin", ".xlsb"), ("xl/", ".xlsx"))

_MIMETYPES: Final = {kind.media_type: extension for extension, kind in reversed(KINDS.items())}

_IN_OLE: Final = (
    ("worddocument", ".doc"),
    ("workbook", ".xls"),
    ("book", ".xls"),
    ("powerpoint document", ".ppt"),
    ("__properties_version1.0", ".msg"),
)

_BY_TEXT: Final = ("documents.mail",)
"""Formats whose files look like any text: their name has to tell."""


_LOOSE: Final = ("plain", "table", "json_tree", "json_lines", "documents.mail")
"""Formats whose files never begin as a page does."""

_PAGE: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL
)
_HEADERS: Final = re.compile(rb"(?:[A-Za-z][A-Za-z-]{1,40}:[^\r\n]*(?:\r?\n|\r)(?:[ \t][^\r\n]*(?:\r?\n|\r))*){3,}")
_OF_MAIL: Final = re.compile(
    rb"^(From|To|Date|Subject|Received|Return-Path|Message-ID|MIME-Version|Content-Type|Delivered-To):",
    re.IGNORECASE | re.MULTILINE,
)
_FEWEST_HEADERS: Final = 3


def is_for_sandbox(name: str, data: bytes) -> bool:
    """Whether a file is one whose loader runs in the sandbox: by its name or its first bytes, which are not parsed."""
    return kind_of(name).is_binary or _mark(data) in {*_READ, _ZIP, _OLE} or tell_text(name, data).is_binary


def tell(name: str, data: bytes) -> Kind:
    """Return the format of ``data``. Containers are looked into: to be called in the sandbox where it may be one.

    Raises: SourceError with the code ``binary``, for a format that is not read; ``malformed``, for a container that
    cannot be opened.
    """
    named = kind_of(name)
    mark = _mark(data)
    extension = _in_zip(data) if mark == _ZIP else _in_ole(data) if mark == _OLE else _READ.get(mark, "")
    if extension:
        kind = KINDS[extension]
        return named if named.loader == kind.loader else kind
    if mark:
        raise SourceError(f"{mark}s are not read yet.", code="binary")
    if named.is_binary and named.loader not in _BY_TEXT:
        return _disguised(named, data)
    return tell_text(name, data)


def tell_text(name: str, data: bytes) -> Kind:
    """Return the format of what has no mark: by its name, but for pages and mails that are named as other text."""
    named = kind_of(name)
    if named.loader not in _LOOSE:
        return named
    if _PAGE.match(data[:_HEAD]):
        return KINDS[".html"]
    return KINDS[".eml"] if named == PLAIN and _is_mail(data) else named


def _is_mail(data: bytes) -> bool:
    """Whether it begins with several headers that mails have and with no other line."""
    head = _HEADERS.match(data[:_HEAD])
    return head is not None and len({found.lower() for found in _OF_MAIL.findall(head[0])}) >= _FEWEST_HEADERS


def _mark(data: bytes) -> str:
    found = kind_of_binary(data[:_HEAD] + data[-_TAIL:] if len(data) > _HEAD + _TAIL else data)
    return "PDF document" if not found and b"%PDF-" in data[:_PDF_WITHIN] else found


def _disguised(named: Kind, data: bytes) -> Kind:
    """What a file is that has the name of a document and none of its marks: pages and mails are saved as ``.doc``."""
    head = data[:_HEAD].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"\xef\xbb\xbf<html")) or b"<html" in head:
        return KINDS[".html"]
    if head.startswith(b"mime-version:") or (head.startswith(b"from:") and b"\nmime-version:" in head):
        return KINDS[".mht"]
    if head.startswith(b"<?xml"):
        return KINDS[".xml"]
    if _is_mail(data):
        return KINDS[".eml"]
    if named.loader == "documents.sheets":
        return KINDS[".tsv" if head.count(b"\t") > head.count(b",") else ".csv"]
    return PLAIN


def _in_zip(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < _PDF_WITHIN:
                declared = archive.read("mimetype").decode("ascii", "replace").strip()
                if declared in _MIMETYPES:
                    return _MIMETYPES[declared]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise SourceError(f"It begins as a ZIP archive, and is none: {error}.", code="malformed") from error
    if "[Content_Types].xml" not in names:
        return ".epub" if "META-INF/container.xml" in names else ".zip"
    return next((kind for mark, kind in _IN_ZIP if any(name.startswith(mark) for name in names)), ".zip")


def _in_ole(data: bytes) -> str:
    import olefile

    try:
        with olefile.OleFileIO(data) as file:
            names = {str(entry[0]).lower() for entry in file.listdir()}
    except (OSError, ValueError, IndexError, TypeError, AttributeError) as error:
        raise SourceError(f"It begins as an old Office document, and is none: {error}.", code="malformed") from error
    found = next((extension for stream, extension in _IN_OLE if stream in names), "")
    if not found and "encryptedpackage" in names:
        raise SourceError("It is encrypted.", code="encrypted", hint="Save it without a password.")
    if not found:
        raise SourceError("It is an OLE file of no kind that is read.", code="binary")
    return found
