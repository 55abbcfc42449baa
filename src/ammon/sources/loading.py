"""A name and its bytes → a Document: which loader, and what all documents have in common."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, cast

from ammon.errors import SourceError
from ammon.sources.decoding import decode
from ammon.sources.kinds import KINDS, PLAIN, Kind
from ammon.sources.language import language_of
from ammon.sources.loaded import Loaded
from ammon.sources.telling import is_for_sandbox, tell
from ammon.types import Document, Source

if TYPE_CHECKING:
    from ammon.sources.reading import Reading

_LoadText = Callable[[str, Kind], Loaded]
"""The `load` of loaders of text: decoded text and the format → what it says."""

_LoadBytes = Callable[[bytes, Kind, "Reading"], Loaded]
"""The `load` of loaders of bytes."""

_DECLARED: Final = re.compile(
    rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([\w.:-]+)|<meta[^>]*\bcharset\s*=\s*[\"']?\s*([\w.:-]+)|"
    rb"^#.*?coding[:=][ \t]*([\w.-]+)",
    re.IGNORECASE,
)
_DECLARED_WITHIN: Final = 2048


def load(source: Source, data: bytes, *, as_text: bool = False) -> Document:
    """Return the document that ``data``, the bytes of ``source``, holds as text. Nothing is opened.

    ``as_text`` says that the file was asked for by name or glob; a format that is known keeps its loader all the
    same. A file of unknown extension is plain text if its character set is certain, or if it was asked for.

    Raises: SourceError, whose codes are in `SKIP_CODES`; for what only the sandbox may read, with the code ``binary``.
    """
    try:
        document, _ = load_bytes(source.path.name, data, None, uri=source.uri, as_text=as_text)
    except SourceError as error:
        raise SourceError(f"{source.uri}: {error}", code=error.code, hint=error.hint) from error
    return document


def load_bytes(
    name: str, data: bytes, reading: Reading | None, *, uri: str, as_text: bool
) -> tuple[Document, tuple[str, ...]]:
    """Return the document that ``data`` holds, and how it was read. Only with a ``reading`` may it be any format.

    Raises: SourceError.
    """
    if reading is None and is_for_sandbox(name, data):
        raise SourceError("It is read in the sandbox only.", code="binary")
    kind = tell(name, data)
    encoding, confidence = "", 1.0
    if kind.is_binary and reading is not None:
        loaded = cast("_LoadBytes", _loader(kind))(data, kind, reading)
    else:
        text, encoding, confidence = decode(data, declared=_declared(data))
        _check_certain(name, kind, confidence, as_text=as_text)
        loaded = Loaded("") if text.isspace() else cast("_LoadText", _loader(kind))(text, kind)
        # Up to 256 MiB, which is not held while rows become as much again.
        del text
    whole = loaded.whole()
    if not whole or whole.isspace():
        raise SourceError("It holds no text.", code="empty")
    document = Document(
        uri=uri,
        text=whole,
        media_type=loaded.media_type or kind.media_type,
        title=loaded.title,
        language=loaded.language or language_of(whole),
        metadata=loaded.metadata,
        parts=loaded.parts,
        encoding=encoding,
        encoding_confidence=confidence,
        boxes=loaded.boxes,
        remarks=loaded.remarks,
    )
    return document, loaded.how


def _check_certain(name: str, kind: Kind, confidence: float, *, as_text: bool) -> None:
    known = "." + name.lower().rpartition(".")[2] in KINDS
    if kind is PLAIN and confidence < 1 and not (as_text or known):
        raise SourceError("Its extension is unknown and its character set unsure.", code="unsupported")


def _declared(data: bytes) -> str:
    """The character set that the first lines name, if they do."""
    found = _DECLARED.search(data[:_DECLARED_WITHIN])
    name = next(filter(None, found.groups()), b"") if found else b""
    return name.decode("ascii", "replace")


def _loader(kind: Kind) -> object:
    return importlib.import_module(f"ammon.sources.{kind.loader}").load
