"""What the sandbox and its keeper say to one another: frames of JSON, each behind its length; nothing is unpickled.

The keeper believes nothing that comes out of the sandbox: what does not fit is an error of that one file.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.reading import Found
from ammon.types import Box, Document, Part, PartKind, Remark

HEADER: Final = struct.Struct(">I")
LONGEST: Final = 256 * 1024 * 1024
"""Bytes of the longest frame that is taken."""

_KINDS: Final[tuple[PartKind, ...]] = ("prose", "markdown", "code", "row", "margin")


def frame(value: Mapping[str, Any]) -> bytes:
    """A value as a frame."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return HEADER.pack(len(body)) + body


def value_of(body: bytes) -> dict[str, Any]:
    """The value of a frame's body. Raises: ValueError, TypeError."""
    value = json.loads(body.decode("utf-8", "surrogatepass"))
    if not isinstance(value, dict):
        raise TypeError("A frame holds no mapping.")
    return value


def written(found: Found) -> dict[str, Any]:
    """A `Found` as JSON has it."""
    value: dict[str, Any] = {"name": found.name, "how": found.how}
    if found.error is not None:
        return {**value, "error": [str(found.error), found.error.code, found.error.hint]}
    document = found.document
    if document is None:
        return value
    headings: dict[tuple[str, ...], int] = {}
    parts = [
        (
            part.start,
            part.end,
            _KINDS.index(part.kind),
            part.grammar,
            part.page,
            headings.setdefault(part.heading, len(headings)),
            *(part.lines or ()),
        )
        for part in document.parts
    ]
    boxes = [
        (box.start, box.end, box.page, *(round(edge, 2) for edge in _edges(box)), round(box.confidence, 3))
        for box in document.boxes
    ]
    said = {
        name: getattr(document, name)
        for name in ("text", "media_type", "title", "language", "encoding", "encoding_confidence")
    }
    remarks = [(remark.code, remark.text) for remark in document.remarks]
    metadata = dict(document.metadata)
    whole = {**said, "metadata": metadata, "parts": parts, "headings": list(headings), "boxes": boxes}
    return {**value, "document": {**whole, "remarks": remarks}}


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def read(value: Mapping[str, Any]) -> Found:
    """A `Found` from JSON. Raises: ValueError, TypeError, KeyError, for what `written` never writes."""
    name, how = _text(value["name"]), tuple(map(_text, value["how"]))
    if "error" in value:
        said, code, hint = map(_text, value["error"])
        return Found(name, error=SourceError(said, code=code, hint=hint), how=how)
    given = value["document"]
    text = _text(given["text"])
    document = Document(
        uri=name,
        text=text,
        media_type=_text(given["media_type"]),
        title=_text(given["title"]),
        language=_text(given["language"]),
        metadata=dict(given["metadata"]),
        parts=tuple(_parts(given["parts"], [tuple(map(_text, path)) for path in given["headings"]], len(text))),
        encoding=_text(given["encoding"]),
        encoding_confidence=float(given["encoding_confidence"]),
        boxes=tuple(_boxes(given["boxes"], len(text))),
        remarks=tuple(Remark(_text(code), _text(said)) for code, said in given["remarks"]),
    )
    return Found(name, document, how=how)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("Text was expected.")
    return value


def _spans(rows: Sequence[Sequence[Any]], length: int) -> Iterator[tuple[int, int, Sequence[Any]]]:
    """Each row's stretch and the rest of it; stretches are in order, do not overlap, and end with the text."""
    reached = 0
    for start, end, *rest in rows:
        if not reached <= int(start) <= int(end) <= length:
            raise ValueError("A stretch does not fit its text.")
        reached = int(end)
        yield int(start), reached, rest


def _parts(rows: Sequence[Sequence[Any]], headings: Sequence[tuple[str, ...]], length: int) -> Iterator[Part]:
    for start, end, (kind, grammar, page, heading, *lines) in _spans(rows, length):
        between = (int(lines[0]), int(lines[1])) if lines else None
        number = None if page is None else int(page)
        yield Part(start, end, _KINDS[kind], _text(grammar), number, headings[heading], between)


def _boxes(rows: Sequence[Sequence[Any]], length: int) -> Iterator[Box]:
    for start, end, (page, left, top, right, bottom, confidence) in _spans(rows, length):
        yield Box(start, end, int(page), float(left), float(top), float(right), float(bottom), float(confidence))
