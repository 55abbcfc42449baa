"""Everything a catalog holds, row by row in the order it came, as far as it can be read.

Tables are read by ranges of ids, and id by id where a range cannot be read, without any index: a damaged page costs the
rows that stand on it, and no others. What could not be read is told in ``losses``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from ammon.errors import LibraryDamaged
from ammon.store.local.catalog import Catalog
from ammon.types import Chunk, Document, Entry

RANGE = 256
"""Ids read at once."""

LOST = "\ufffd"
"""Stands for each character of a text that could not be read, so that every span stays where it was."""

_DOCUMENT = """uri, root, media_type, size, modified, changed, content_hash, title, language, encoding,
encoding_confidence, metadata, tail, state, code, reason"""

_CHUNK = 'document, ordinal, start, "end", page, first_line, last_line, heading, lead, text, tokens'


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
        seen = bytearray(self._last("document") + 1)
        for number, rows in groupby(self._rows("chunk", _CHUNK), key=lambda row: row[1]):
            if number < len(seen) and not seen[number]:
                seen[number] = 1
                yield self._document(number, list(rows))
        for number, *row in self._rows("document", _DOCUMENT):
            if not seen[number]:
                yield _held(row, [], row[12])

    def document(self, number: int) -> Held:
        """The document of this id, from a catalog that is sound."""
        chunks = self._catalog.rows(f"SELECT id, {_CHUNK} FROM chunk WHERE document = ? ORDER BY ordinal", (number,))
        return self._document(number, chunks)

    def vectors(self, space: int, dim: int) -> Iterator[tuple[bytes, bytes]]:
        """The hash of each text that has a vector in ``space``, with the vector's bytes."""
        for number, owner, text_hash, data in self._rows("vector", "space, text_hash, data"):
            if owner == space and len(data) == 2 * dim:
                yield text_hash, data
            elif owner == space:
                self._unread["vector"].add(number)

    def _document(self, number: int, rows: Sequence[Sequence[Any]]) -> Held:
        found = self._read("document", _DOCUMENT, number, number)
        row = found[0][1:] if found else None
        text, gaps = _joined(rows)
        unread = self._unread["chunk"]
        cut = bool(rows) and (rows[-1][0] + 1 in unread or (rows[0][2] > 0 and rows[0][0] - 1 in unread))
        if row is None:
            self._told.append(f"The name of a document is lost; its text is saved as recovered:{number}.")
            return _held((f"recovered:{number}", *_NAMELESS), rows, text)
        held = _held(row, rows, text + row[12])
        if not gaps and not cut:
            return held
        self._told.append(f"{row[0]} is not whole.")
        # With nothing to compare, the next `index` reads the file again.
        return replace(held, entry=replace(held.entry, content_hash="", modified=0, changed=0))

    def _rows(self, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
        for first in range(1, self._last(table) + 1, RANGE):
            yield from self._read(table, columns, first, first + RANGE - 1)

    def _read(self, table: str, columns: str, first: int, last: int) -> list[tuple[Any, ...]]:
        """Rows of these ids; where they cannot be read together, each that can be read alone."""
        sql = f"SELECT id, {columns} FROM {table} NOT INDEXED WHERE id BETWEEN ? AND ? ORDER BY id"
        try:
            return self._catalog.rows(sql, (first, last))
        except LibraryDamaged:
            if first == last:
                self._unread[table].add(first)
                return []
        return [row for number in range(first, last + 1) for row in self._read(table, columns, number, number)]

    def _last(self, table: str) -> int:
        """The highest id there ever was."""
        for sql in (f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'", f"SELECT max(id) FROM {table}"):
            with suppress(LibraryDamaged):
                return int(self._catalog.value(sql) or 0)
        self._told.append(f"The table of each {table} cannot be read.")
        return 0


_NAMELESS = (None, "text/plain", 0, 0, 0, "", "", "", "utf-8", 1.0, "{}", "", "ok", "", "")


def _joined(rows: Sequence[Sequence[Any]]) -> tuple[str, bool]:
    """The text up to the end of the last passage, and whether any before it is missing."""
    pieces, reached, gaps = [], 0, False
    for _, _, _, start, end, _, _, _, _, lead, text, _ in rows:
        missing = start - len(lead) - reached
        gaps = gaps or missing > 0
        pieces += [LOST * missing, lead, text]
        reached = end
    return "".join(pieces), gaps


def _held(row: Sequence[Any], rows: Sequence[Sequence[Any]], text: str) -> Held:
    uri, root, media_type, size, modified, changed, content_hash, title, language, encoding, confidence, *rest = row
    metadata, _, state, code, reason = rest
    document = Document(uri, text, media_type, title, language, json.loads(metadata), (), encoding, confidence)
    chunks = [
        Chunk(ordinal, start, end, body, first, last, page, tuple(json.loads(heading)), tokens)
        for _, _, ordinal, start, end, page, first, last, heading, _, body, tokens in rows
    ]
    return Held(Entry(document, chunks, content_hash, root, size, modified, changed), state, code, reason)
