"""A source and its bytes → a Document: which loader, and what all documents have in common."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Final, cast

from ammon.errors import SourceError
from ammon.sources.binary import kind_of_binary
from ammon.sources.decoding import decode
from ammon.sources.kinds import KINDS, PLAIN, Kind, kind_of
from ammon.sources.language import language_of
from ammon.sources.loaded import Loaded
from ammon.types import Document, Source

_LoadText = Callable[[str, Kind], Loaded]
"""Every loader's `load`: decoded text and the format → what it says."""

_DECLARED: Final = re.compile(
    rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([\w.:-]+)|<meta[^>]*\bcharset\s*=\s*[\"']?\s*([\w.:-]+)|"
    rb"^#.*?coding[:=][ \t]*([\w.-]+)",
    re.IGNORECASE,
)
_DECLARED_WITHIN: Final = 2048


def load(source: Source, data: bytes, *, as_text: bool = False) -> Document:
    """Return the document that ``data``, the bytes of ``source``, holds. Nothing is opened.

    ``as_text`` says that the file was asked for by name or glob; a format that is known keeps its loader all the
    same. A file of unknown extension is plain text if its character set is certain, or if it was asked for.

    Raises: SourceError, whose codes are in `SKIP_CODES`.
    """
    kind = kind_of(source.path.name)
    binary = kind_of_binary(data[:8192] + data[-4096:] if len(data) > 12288 else data)
    if binary:
        raise SourceError(f"{binary}s are not read yet: {source.uri}.", code="binary")
    try:
        text, encoding, confidence = decode(data, declared=_declared(data))
        del data  # up to 64 MiB, which go here where the caller does not hold them
        _check_certain(source, kind, confidence, as_text=as_text)
        loaded = Loaded("") if text.isspace() else _loader(kind)(text, kind)
    except SourceError as error:
        raise SourceError(f"{source.uri}: {error}", code=error.code, hint=error.hint) from error
    # Up to 256 MiB, which is not held while rows become as much again.
    del text
    whole = loaded.whole()
    if not whole or whole.isspace():
        raise SourceError(f"{source.uri}: It holds no text.", code="empty")
    return Document(
        uri=source.uri,
        text=whole,
        media_type=loaded.media_type or kind.media_type,
        title=loaded.title,
        language=loaded.language or language_of(whole),
        metadata=loaded.metadata,
        parts=loaded.parts,
        encoding=encoding,
        encoding_confidence=confidence,
    )


def _check_certain(source: Source, kind: Kind, confidence: float, *, as_text: bool) -> None:
    if kind is PLAIN and confidence < 1 and not (as_text or source.path.suffix.lower() in KINDS):
        raise SourceError("Its extension is unknown and its character set unsure.", code="unsupported")


def _declared(data: bytes) -> str:
    """The character set that the first lines name, if they do."""
    found = _DECLARED.search(data[:_DECLARED_WITHIN])
    name = next(filter(None, found.groups()), b"") if found else b""
    return name.decode("ascii", "replace")


def _loader(kind: Kind) -> _LoadText:
    module = importlib.import_module(f"ammon.sources.{kind.loader}")
    return cast("_LoadText", module.load)
