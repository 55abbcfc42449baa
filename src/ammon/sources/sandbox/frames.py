"""What the sandbox and its keeper say to one another: frames of JSON, each with bytes behind it; nothing is unpickled.

The keeper believes nothing that comes out of the sandbox: what does not fit is an error of that one file.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.part_table import PartTable
from ammon.sources.reading import Found
from ammon.types import Box, Document, Remark

HEADER: Final = struct.Struct(">II")
"""The length of the JSON, and of the bytes behind it."""

LONGEST: Final = (48 * 1024 * 1024, 96 * 1024 * 1024)
"""The most of both that is taken."""

MOST_BYTES: Final = 192 * 1024 * 1024
"""Of one file and all that is in it."""

MOST_VALUES: Final = 4_000_000
MOST_GROUPS: Final = 1_000_000
"""Values and lists of one frame's JSON: as objects they take many times the bytes they are written in."""

PACKED_FROM: Final = 1024 * 1024
"""From so many bytes, a text with its parts stays packed until it is stored: several may wait for their turn."""

LONGEST_TEXT: Final = 60 * 1024 * 1024
"""Bytes of a document's text in UTF-8: what the keeper can take in without need of much memory."""


WRONG: Final = (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError)
"""What comes of an answer that `written` never gives."""


def no_answer() -> SourceError:
    """The error of a file whose reader gave such an answer."""
    return SourceError("Its reader gave an answer that is none.", code="parser-failed")


def frame(value: Mapping[str, Any], behind: bytes = b"") -> bytes:
    """A value, and bytes that go with it, as a frame."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return HEADER.pack(len(body), len(behind)) + body + behind


def value_of(body: bytes) -> dict[str, Any]:
    """The value of a frame's JSON. Raises: ValueError, TypeError; SourceError with the code ``too-large``."""
    if body.count(b",") > MOST_VALUES or body.count(b"[") + body.count(b"{") > MOST_GROUPS:
        raise SourceError("It holds more than is taken.", code="too-large")
    value = json.loads(body.decode("utf-8", "surrogatepass"))
    if not isinstance(value, dict):
        raise TypeError("A frame holds no mapping.")
    return value


def written(found: Found) -> bytes:
    """A `Found` as a frame."""
    value: dict[str, Any] = {"name": found.name, "how": found.how}
    error, document = found.error, found.document
    text = document.text.encode("utf-8", "surrogatepass") if document is not None else b""
    if len(text) > LONGEST_TEXT:
        error = SourceError(f"It holds {len(text):,} bytes of text; {LONGEST_TEXT:,} are taken.", code="too-large")
    if error is not None or document is None:
        said = [str(error), error.code, error.hint] if error is not None else ["", "parser-failed", ""]
        return frame({**value, "error": said})
    parts = document.parts if isinstance(document.parts, PartTable) else PartTable(document.parts)
    names = ("media_type", "title", "language", "encoding", "encoding_confidence")
    whole = {
        **{name: getattr(document, name) for name in names},
        "metadata": dict(document.metadata),
        "headings": parts.headings,
        "grammars": parts.grammars,
        "boxes": [_numbers(box) for box in document.boxes],
        "remarks": [(remark.code, remark.text) for remark in document.remarks],
        "text": len(text),
    }
    behind = text + parts.to_bytes()
    if len(behind) < PACKED_FROM:
        return frame({**value, "document": whole}, behind)
    return frame({**value, "document": {**whole, "packed": len(behind)}}, zlib.compress(behind, 1))


def _numbers(box: Box) -> tuple[float, ...]:
    edges = (round(edge, 2) for edge in (box.left, box.top, box.right, box.bottom))
    return box.start, box.end, box.page, *edges, round(box.confidence, 3)


def read(value: Mapping[str, Any], behind: memoryview) -> Found:
    """A `Found` from a frame. Raises: ValueError, TypeError, KeyError, IndexError, for what `written` never writes."""
    name, how = _text(value["name"]), tuple(map(_text, value["how"]))
    if "error" in value:
        said, code, hint = map(_text, value["error"])
        return Found(name, error=SourceError(said, code=code, hint=hint), how=how)
    given = value["document"]
    document = Document(
        uri=name,
        text="",
        media_type=_text(given["media_type"]),
        title=_text(given["title"]),
        language=_text(given["language"]),
        metadata=dict(given["metadata"]),
        encoding=_text(given["encoding"]),
        encoding_confidence=float(given["encoding_confidence"]),
        remarks=tuple(Remark(_text(code), _text(said)) for code, said in given["remarks"]),
    )
    if "packed" in given:
        return Found(name, document, how=how, fill=partial(_unpacked, given, behind))
    size = int(given["text"])
    text = str(behind[:size], "utf-8", "surrogatepass")
    return Found(name, _filled(given, text, behind[size:], document), how=how)


def _unpacked(given: Mapping[str, Any], behind: memoryview, document: Document) -> Document:
    """The document with its text, which is taken up to the length it was said to have. Raises: SourceError."""
    try:
        size, whole = int(given["text"]), int(given["packed"])
        if not 0 < size < whole <= LONGEST[1]:
            raise ValueError("It is longer than is taken.")
        # One after the other: each takes its bytes twice while it is made.
        packed = zlib.decompressobj()
        text = str(packed.decompress(behind, size), "utf-8", "surrogatepass")
        return _filled(given, text, packed.decompress(packed.unconsumed_tail, whole - size), document)
    except (*WRONG, zlib.error) as error:
        raise no_answer() from error


def _filled(given: Mapping[str, Any], text: str, parts: bytes | memoryview, document: Document) -> Document:
    headings = [tuple(map(_text, path)) for path in given["headings"]]
    table = PartTable.from_bytes(parts, headings, [*map(_text, given["grammars"])], len(text))
    return replace(document, text=text, parts=table, boxes=tuple(_boxes(given["boxes"], len(text))))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("Text was expected.")
    return value


def _boxes(rows: Sequence[Sequence[Any]], length: int) -> Iterator[Box]:
    """Boxes; their stretches are in order, do not overlap, and end with the text."""
    reached = 0
    for start, end, page, left, top, right, bottom, confidence in rows:
        if not reached <= int(start) <= int(end) <= length:
            raise ValueError("A box does not fit its text.")
        reached = int(end)
        yield Box(
            int(start), reached, int(page), float(left), float(top), float(right), float(bottom), float(confidence)
        )
