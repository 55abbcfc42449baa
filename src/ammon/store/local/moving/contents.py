"""Everything a catalog holds, row by row in the order it came, as far as it can be read.

Tables are read without any index, so a damaged page costs the rows that stand on it and no others. What could not be
read is told in ``losses``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby, islice
from typing import Any

import numpy as np

from ammon.errors import LibraryDamaged
from ammon.store.local.catalog import Catalog
from ammon.store.local.checking.salvage import last_id, readable
from ammon.store.local.derived.replay import BATCH, UNIT, unpacked
from ammon.store.local.documents import checked_text, parsed, remarks_of
from ammon.store.local.layout import read_layout
from ammon.types import Box, Chunk, Document, Entry

LOST = "\ufffd"
"""Stands for each character of a text that could not be read, so that every span stays where it was."""

_DOCUMENT = """uri, root, media_type, size, modified, changed, content_hash, title, language, encoding,
encoding_confidence, metadata, tail, state, code, reason, container, remarks"""

_CHUNK = 'document, ordinal, start, "end", page, first_line, last_line, heading, lead, text, tokens, text_hash'


@dataclass(frozen=True, slots=True)
class Held:
    """A document as the catalog holds it, with its state (``ok``, ``skipped``, ``failed``) and, if not ok, why."""

    entry: Entry
    state: str = "ok"
    code: str = ""
    reason: str = ""


class Contents:
    """Reads one catalog, inside `Catalog.reading` where a single view of it is wanted."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._unread: dict[str, set[int]] = {"document": set(), "chunk": set(), "vector": set()}
        self._told: list[str] = []

    @property
    def losses(self) -> tuple[str, ...]:
        """What could not be read so far, in words; empty when all is well."""
        names = {"document": "documents", "chunk": "passages", "vector": "vectors"}
        counted = [f"Up to {len(ids):,} {names[table]} cannot be read." for table, ids in self._unread.items() if ids]
        return (*counted, *self._told)

    def documents(self) -> Iterator[Held]:
        """Each document once, in the order of their passages; those without any come last."""
        seen = bytearray(last_id(self._catalog, "document") + 1)
        for number, rows in groupby(self._chunks(), key=lambda row: row[1]):
            if number < len(seen) and not seen[number]:
                seen[number] = 1
                yield self._document(number, list(rows))
        for number, *row in self._rows("document", _DOCUMENT):
            if not seen[number]:
                yield self._told_of(_held(row, [], row[12]), whole=row[13] != "ok" or not self._unread["chunk"])

    def document(self, number: int) -> Held:
        """The document of this id, from a catalog that is sound."""
        chunks = self._catalog.rows(f"SELECT id, {_CHUNK} FROM chunk WHERE document = ? ORDER BY ordinal", (number,))
        return self._document(number, chunks)

    def vectors(self, space: int, dim: int) -> Iterator[tuple[bytes, bytes]]:
        """The hash of each text that has a vector in ``space``, with the vector's bytes."""
        rows = (row for row in self._rows("vector", "space, text_hash, data") if row[1] == space)
        while some := list(islice(rows, BATCH)):
            whole = [(number, key, data) for number, _, key, data in some if len(data) == 2 * dim]
            lengths = np.linalg.norm(unpacked([data for _, _, data in whole], dim), axis=1)
            # A page of zeros passes for sound; a vector of zeros does not.
            good = {whole[at][0] for at in np.flatnonzero(np.abs(lengths - 1) <= UNIT)}
            self._unread["vector"].update({number for number, *_ in some} - good)
            yield from ((key, data) for number, key, data in whole if number in good)

    def _document(self, number: int, rows: Sequence[Sequence[Any]]) -> Held:
        row = None
        with suppress(LibraryDamaged):
            row = next(iter(self._catalog.rows(f"SELECT {_DOCUMENT} FROM document WHERE id = ?", (number,))), None)
        text, gaps = _joined(rows)
        boxes = self._boxes(number)
        if row is None:
            self._told.append(f"The name of a document is lost; its text is saved as recovered:{number}.")
            return _held((f"recovered:{number}", *_NAMELESS), rows, text, boxes)
        unread = self._unread["chunk"]
        cut = bool(rows) and (rows[-1][0] + 1 in unread or (rows[0][2] > 0 and rows[0][0] - 1 in unread))
        whole = not gaps and not cut and boxes is not None
        return self._told_of(_held(row, rows, text + row[12], boxes), whole=whole)

    def _boxes(self, number: int) -> tuple[Box, ...] | None:
        """The boxes of a document; ``None`` where they cannot be read."""
        try:
            return tuple(read_layout(self._catalog, number))
        except LibraryDamaged:
            return None

    def _told_of(self, held: Held, *, whole: bool) -> Held:
        """The document, told of and without what its file is known by unless it is ``whole``."""
        if whole:
            return held
        self._told.append(f"{held.entry.document.uri} may not be whole.")
        # With nothing to compare, the next `index` reads the file again.
        return replace(held, entry=replace(held.entry, content_hash="", modified=0, changed=0))

    def _chunks(self) -> Iterator[tuple[Any, ...]]:
        for row in self._rows("chunk", _CHUNK):
            try:
                checked_text(row[0], row[8], row[10], row[12])
            except LibraryDamaged:
                self._unread["chunk"].add(row[0])
            else:
                yield row

    def _rows(self, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
        return readable(self._catalog, table, columns, self._unread[table])


_NAMELESS = (None, "text/plain", 0, 0, 0, "", "", "", "utf-8", 1.0, "{}", "", "ok", "", "", None, "[]")


def _joined(rows: Sequence[Sequence[Any]]) -> tuple[str, bool]:
    """The text up to the end of the last passage, and whether any before it is missing."""
    pieces, reached, gaps = [], 0, False
    for _, _, _, start, end, _, _, _, _, lead, text, *_ in rows:
        missing = start - len(lead) - reached
        gaps = gaps or missing > 0
        pieces += [LOST * missing, lead, text]
        reached = end
    return "".join(pieces), gaps


def _held(row: Sequence[Any], rows: Sequence[Sequence[Any]], text: str, boxes: tuple[Box, ...] | None = ()) -> Held:
    uri, root, media_type, size, modified, changed, content_hash, title, language, encoding, confidence, *rest = row
    metadata, _, state, code, reason, container, remarks = rest
    document = Document(
        uri,
        text,
        media_type,
        title,
        language,
        parsed(metadata),
        (),
        encoding,
        confidence,
        boxes or (),
        remarks_of(remarks),
    )
    chunks = [
        Chunk(ordinal, start, end, body, first, last, page, tuple(parsed(heading)), tokens)
        for _, _, ordinal, start, end, page, first, last, heading, _, body, tokens, _ in rows
    ]
    entry = Entry(document, chunks, content_hash, root, size, modified, changed, container or "")
    return Held(entry, state, code, reason)
