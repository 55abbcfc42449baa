"""PowerPoint 97 to 2003 (MS-PPT) → text slide by slide."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Final

from ammon.errors import SourceError
from ammon.sources.documents.ole import BROKEN, properties
from ammon.sources.documents.outline import Outline
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading

_CONTAINER: Final = 0xF
_LIST, _SLIDE_OF_LIST, _KIND_OF_TEXT, _WIDE, _NARROW = 0x0FF0, 0x03F3, 0x0F9F, 0x0FA0, 0x0FA8
_EDIT: Final = 0x0FF5
_TITLES: Final = (0, 6)
_NOTES: Final = 2
MOST_EDITS: Final = 10_000

Record = tuple[int, int, int, int]
"""Type, instance, where its content starts and where it ends."""


def load(data: bytes, _kind: Kind, reading: Reading) -> Loaded:
    """Return the slides' text. Raises: SourceError with the code ``malformed`` or ``encrypted``."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            current = file.openstream("Current User").read()
            stream = file.openstream("PowerPoint Document").read()
            outline, count = _read(stream, struct.unpack_from("<I", current, 16)[0], reading)
            title, metadata = properties(file)
    except BROKEN as error:
        raise SourceError(f"It is no presentation that can be read: {error}.", code="malformed") from error
    return Loaded(outline.text(), title=title, metadata={**metadata, "pages": count}, parts=outline.parts)


def _read(stream: bytes, last_edit: int, reading: Reading) -> tuple[Outline, int]:
    places, document = _directory(stream, last_edit)
    outline, number = Outline(), 0
    for kind, instance, start, end in _records(stream, *_content(stream, places[document])):
        if kind != _LIST:
            continue
        for slide, texts in _listed(stream, start, end):
            if instance == 0:
                number += 1
                reading.pages(number, number)
                outline.under(1, "")
                _write(outline, [*texts, *_boxes(stream, places.get(slide))], number)
            elif instance == _NOTES:
                said = "\n".join(text for _, text in (*texts, *_boxes(stream, places.get(slide))))
                outline.under(1, "")
                outline.block(f"Notes: {said}" if said.strip() else "")
    return outline, number


def _write(outline: Outline, texts: list[tuple[int, str]], number: int) -> None:
    for kind, text in texts:
        if kind in _TITLES:
            outline.heading(1, text, page=number)
        elif text.strip() != "*":
            outline.block(text, page=number)


def _directory(stream: bytes, at: int) -> tuple[dict[int, int], int]:
    """Where the newest version of each object stands, and which object the document is."""
    places: dict[int, int] = {}
    document = 0
    for _ in range(MOST_EDITS):
        kind, _, start, end = _record(stream, at)
        if kind != _EDIT:
            raise ValueError("an edit is missing")
        if end - start >= 32:
            raise SourceError("It is encrypted.", code="encrypted", hint="Save it without a password.")
        _, _, before, directory, number = struct.unpack_from("<IIIII", stream, start)
        document = document or number
        for identifier, place in _entries(stream, directory):
            places.setdefault(identifier, place)
        if not before:
            break
        at = before
    return places, document


def _entries(stream: bytes, at: int) -> Iterator[tuple[int, int]]:
    _, _, start, end = _record(stream, at)
    while start < end:
        (head,) = struct.unpack_from("<I", stream, start)
        first, count = head & 0xFFFFF, head >> 20
        yield from enumerate(struct.unpack_from(f"<{count}I", stream, start + 4), first)
        start += 4 + 4 * count


def _record(stream: bytes, at: int) -> Record:
    version, kind, size = struct.unpack_from("<HHI", stream, at)
    return kind, version >> 4, at + 8, min(at + 8 + size, len(stream))


def _content(stream: bytes, at: int) -> tuple[int, int]:
    _, _, start, end = _record(stream, at)
    return start, end


def _records(stream: bytes, start: int, end: int, *, deep: bool = False) -> Iterator[Record]:
    """The records between two places; ``deep`` goes into those that hold others."""
    while start + 8 <= end:
        record = _record(stream, start)
        if deep and struct.unpack_from("<H", stream, start)[0] & 0xF == _CONTAINER:
            start += 8
            continue
        yield record
        start = record[3]


def _listed(stream: bytes, start: int, end: int) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """The slides of a list: their object, and the texts that the outline has of them, each with its kind."""
    slide, texts, kind = 0, list[tuple[int, str]](), 1
    for record, _, first, last in _records(stream, start, end):
        if record == _SLIDE_OF_LIST:
            if slide:
                yield slide, texts
            slide, texts = struct.unpack_from("<I", stream, first)[0], []
        elif record == _KIND_OF_TEXT:
            (kind,) = struct.unpack_from("<I", stream, first)
        elif record in (_WIDE, _NARROW):
            texts.append((kind, _text(stream, record, first, last)))
    if slide:
        yield slide, texts


def _boxes(stream: bytes, at: int | None) -> Iterator[tuple[int, str]]:
    """The texts that stand on a slide itself."""
    kind = 1
    for record, _, first, last in _records(stream, *_content(stream, at), deep=True) if at is not None else ():
        if record == _KIND_OF_TEXT:
            (kind,) = struct.unpack_from("<I", stream, first)
        elif record in (_WIDE, _NARROW):
            yield kind, _text(stream, record, first, last)


def _text(stream: bytes, record: int, start: int, end: int) -> str:
    text = stream[start:end].decode("utf-16-le" if record == _WIDE else "latin-1", "replace")
    return text.replace("\r", "\n").replace("\x0b", "\n").strip()
