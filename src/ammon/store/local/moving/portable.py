"""The form of an export, as `docs/reference/export.md` describes it: names, limits, a document as a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ammon.store.local.documents import valid_text
from ammon.store.local.moving.contents import Held
from ammon.types import Box, Chunk, Document, Entry, Remark

KIND = "ammon export"
FORMAT = 1
MANIFEST = "manifest.json"
DOCUMENTS = "documents/{:06}.jsonl"
VECTORS = "vectors/{:06}.npy"
TEXTS = "vectors/{:06}.texts.npy"

HASH_BYTES = 16
LONGEST_LINE = 256 * 1024 * 1024
"""Bytes of a line; a document that needs more is left out of an export, and refused by an import."""

LARGEST_ARRAY = 256 * 1024 * 1024
LARGEST_MANIFEST = 64 * 1024 * 1024
MOST_MEMBERS = 100_000
MOST_DIMENSIONS = 65_536

CARRIED = ("chunk_tokens", "dense_weight", "max_file_bytes", "follow_links")
"""Settings that belong to a library wherever it is. Those about a machine or a server stay behind: a file from
elsewhere must not have texts sent anywhere."""

STATES = ("ok", "skipped", "failed")
_STORED = 2**63
_BOX_FIELDS = ("start", "end", "page", "left", "top", "right", "bottom", "confidence")
_LARGEST_EDGE = 1e7
_CHUNK_FIELDS = ("start", "end", "page", "first_line", "last_line", "heading", "tokens")


class Malformed(ValueError):
    """A line that is not what the format says. The message tells what is wrong with it."""


def line_of(held: Held, roots: Mapping[int, int]) -> bytes:
    """A document as one line of JSON in UTF-8. ``roots`` gives each root's place in the manifest."""
    entry, document = held.entry, held.entry.document
    value = {
        "uri": document.uri,
        "title": document.title,
        "media_type": document.media_type,
        "language": document.language,
        "metadata": document.metadata,
        "encoding": document.encoding,
        "encoding_confidence": document.encoding_confidence,
        "content_hash": entry.content_hash,
        "container": entry.container,
        "root": None if entry.root is None else roots.get(entry.root),
        "size": entry.size,
        "modified": entry.modified,
        "changed": entry.changed,
        "state": held.state,
        "code": held.code,
        "reason": held.reason,
        "remarks": [[remark.code, remark.text] for remark in document.remarks],
        "text": document.text,
        "boxes": [[getattr(box, name) for name in _BOX_FIELDS] for box in document.boxes],
        "chunks": [{name: getattr(chunk, name) for name in _CHUNK_FIELDS} for chunk in entry.chunks],
    }
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def held_of(line: bytes, roots: Mapping[int, int]) -> Held:
    """What `line_of` wrote; ``roots`` gives each root's id by its place in the manifest.

    ``text`` and ``uri`` must be there. Where ``chunks`` are absent the entry has none, though its text is not empty.
    Raises: Malformed.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON ({error})") from error
    if not isinstance(value, dict):
        raise Malformed("it is no object")
    text = _text(value, "text")
    document = Document(
        uri=_text(value, "uri"),
        text=text,
        media_type=_text(value, "media_type", "text/plain"),
        title=_text(value, "title", ""),
        language=_text(value, "language", ""),
        metadata=_typed(value, "metadata", dict, {}),
        encoding=_text(value, "encoding", "utf-8"),
        encoding_confidence=float(_typed(value, "encoding_confidence", (int, float), 1.0)),
        boxes=_boxes(_typed(value, "boxes", list, []), text),
        remarks=_remarks(_typed(value, "remarks", list, [])),
    )
    if not document.uri:
        raise Malformed("its uri is empty")
    state = _text(value, "state", "ok")
    if state not in STATES or (state != "ok" and text):
        raise Malformed(f"its state is {state!r}")
    root = value.get("root")
    if root is not None and (type(root) is not int or root not in roots):
        raise Malformed(f"its root is {root!r}")
    modified, changed = (_whole(value, name, 0, low=-_STORED) for name in ("modified", "changed"))
    chunks = _chunks(_typed(value, "chunks", list, []), text)
    entry = Entry(
        document,
        chunks,
        _text(value, "content_hash", ""),
        None if root is None else roots[root],
        _whole(value, "size", 0),
        modified,
        changed,
        _text(value, "container", ""),
    )
    return Held(entry, state, _text(value, "code", ""), _text(value, "reason", ""))


def _chunks(values: list[Any], text: str) -> list[Chunk]:
    chunks: list[Chunk] = []
    reached = 0
    for ordinal, value in enumerate(values):
        if not isinstance(value, dict):
            raise Malformed("a chunk is no object")
        start, end = _whole(value, "start"), _whole(value, "end")
        if not reached <= start < end <= len(text):
            raise Malformed(f"its chunk {start}..{end} does not follow the one before within the text")
        heading = _typed(value, "heading", list, [])
        if not all(isinstance(each, str) for each in heading):
            raise Malformed("a heading is no text")
        page = None if value.get("page") is None else _whole(value, "page")
        first, last = _whole(value, "first_line", 1), _whole(value, "last_line", 1)
        path = tuple(valid_text(each) for each in heading)
        chunks.append(Chunk(ordinal, start, end, text[start:end], first, last, page, path, _whole(value, "tokens", 0)))
        reached = end
    return chunks


def _boxes(values: list[Any], text: str) -> tuple[Box, ...]:
    boxes: list[Box] = []
    reached = 0
    for value in values:
        named: dict[str, Any] = dict(zip(_BOX_FIELDS, value, strict=False)) if isinstance(value, list) else {}
        start, end, page = (_whole(named, name) for name in _BOX_FIELDS[:3])
        edges = [float(_typed(named, name, (int, float))) for name in _BOX_FIELDS[3:]]
        if not reached <= start <= end <= len(text) or not all(abs(edge) <= _LARGEST_EDGE for edge in edges):
            raise Malformed(f"its box {start}..{end} does not follow the one before within the text")
        boxes.append(Box(start, end, page, *edges))
        reached = end
    return tuple(boxes)


def _remarks(values: list[Any]) -> tuple[Remark, ...]:
    if not all(isinstance(each, list) and len(each) == len(("code", "text")) for each in values):
        raise Malformed("a remark is no pair")
    return tuple(Remark(*(valid_text(str(part)) for part in each)) for each in values)


def _typed(value: Mapping[str, Any], name: str, kind: Any, default: Any = None) -> Any:
    found = value.get(name, default)
    if not isinstance(found, kind):
        raise Malformed(f"{name} is {type(found).__name__}")
    return found


def _text(value: Mapping[str, Any], name: str, default: str | None = None) -> str:
    return valid_text(str(_typed(value, name, str, default)))


def _whole(value: Mapping[str, Any], name: str, default: int | None = None, *, low: int = 0) -> int:
    number = int(_typed(value, name, int, default))
    if not low <= number < _STORED:
        raise Malformed(f"{name} is {number}")
    return number


def same(one: Held, other: Held) -> bool:
    """Whether two documents are equal in all but where and when they were read."""
    first, second = one.entry, other.entry
    if (one.state, one.code, one.reason) != (other.state, other.code, other.reason):
        return False
    if first.content_hash != second.content_hash:
        return False
    return one.state != "ok" or (first.document == second.document and list(first.chunks) == list(second.chunks))
