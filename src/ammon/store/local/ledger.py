"""What the library knows of its sources: mirrored roots, the files it has seen, and those it could not read."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ammon.store.local.catalog import Catalog
from ammon.store.local.documents import drop_documents, members, note, put_entry, remarks_of, valid_text
from ammon.types import Document, Entry, Skip, Source


@dataclass(frozen=True, slots=True)
class Root:
    """A mirrored folder or file. ``completed`` is when its last whole pass ended, in seconds since the epoch."""

    id: int
    uri: str
    globs: tuple[str, ...]
    completed: float | None


@dataclass(frozen=True, slots=True)
class Known:
    """A file as it was when it was last read. ``state`` is ``ok``, ``skipped`` or ``failed``; the last two say why.

    The code of an ``ok`` one is ``needs-ocr`` where there is more in it than could be read without text recognition.
    """

    document_id: int
    root: int | None
    size: int
    modified: int
    changed: int
    content_hash: str
    state: str
    code: str
    reason: str

    def same_file(self, source: Source) -> bool:
        """Whether the file's size and times are those of the last reading, so that it need not be read again."""
        return (self.size, self.modified, self.changed) == (source.size, source.modified, source.changed)


class Ledger:
    """Roots and known files, in the catalog. Every change is its own durable transaction."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def root(self, uri: str, globs: tuple[str, ...]) -> int:
        """The id of the root of this folder and these globs, made when it is new."""
        key = (uri, json.dumps(globs))
        found = self._catalog.value("SELECT id FROM root WHERE uri = ? AND globs = ?", key)
        if found is not None:
            return int(found)
        with self._catalog.writing():
            self._catalog.rows("INSERT OR IGNORE INTO root (uri, globs) VALUES (?, ?)", key)
            return int(self._catalog.value("SELECT id FROM root WHERE uri = ? AND globs = ?", key))

    def roots(self) -> list[Root]:
        """All roots, by uri."""
        rows = self._catalog.rows("SELECT id, uri, globs, completed FROM root ORDER BY uri, globs")
        return [Root(number, uri, tuple(json.loads(globs)), completed) for number, uri, globs, completed in rows]

    def complete(self, root: int, skips: Sequence[Skip]) -> None:
        """Note that a whole pass over ``root`` has ended now, and what its walk left out."""
        listed = json.dumps([(skip.uri, skip.code, skip.reason) for skip in skips], ensure_ascii=False)
        with self._catalog.writing():
            self._catalog.rows(
                "UPDATE root SET completed = ?, skips = ? WHERE id = ?", (time.time(), valid_text(listed), root)
            )

    def known(self) -> dict[str, Known]:
        """Every file in the library, by uri; not what is in a file."""
        rows = self._catalog.rows(
            """SELECT uri, id, root, size, modified, changed, content_hash, state,
            iif(remarks LIKE '%"needs-ocr"%', 'needs-ocr', code), reason FROM document WHERE container IS NULL"""
        )
        return {uri: Known(*rest) for uri, *rest in rows}

    def rename(self, before: str, source: Source, root: int) -> None:
        """Give a document a new uri: its chunks and vectors stay as they are."""
        with self._catalog.writing():
            # A document of the new name that is still there belongs to a file that this one has replaced.
            drop_documents(self._catalog, [source.uri])
            document_id = self._catalog.value("SELECT id FROM document WHERE uri = ?", (before,))
            self._catalog.rows(
                "UPDATE document SET uri = ?, root = ?, modified = ?, changed = ? WHERE id = ?",
                (source.uri, root, source.modified, source.changed, document_id),
            )
            note(self._catalog, "document", document_id, document_id)
            for member in members(self._catalog, before):
                number = self._catalog.value("SELECT id FROM document WHERE uri = ?", (member,))
                self._catalog.rows(
                    "UPDATE document SET uri = ?, container = ?, root = ?, modified = ? WHERE id = ?",
                    (source.uri + member.removeprefix(before), source.uri, root, source.modified, number),
                )
                note(self._catalog, "document", number, number)

    def touch(self, sources: list[Source]) -> None:
        """Note new times of files whose content is what it was."""
        if not sources:
            return
        with self._catalog.writing():
            self._catalog.many(
                "UPDATE document SET modified = ?, changed = ? WHERE uri = ? OR container = ?",
                [(source.modified, source.changed, source.uri, source.uri) for source in sources],
            )
            first, last = self._catalog.rows("SELECT min(id), max(id) FROM document")[0]
            note(self._catalog, "document", first, last)

    def leave_out(self, source: Source, root: int | None, skip: Skip, *, state: str, content_hash: str = "") -> None:
        """Note why a file is not in the library (``state``: ``skipped`` or ``failed``); what it held is removed."""
        with self._catalog.writing():
            document = Document(source.uri, "")
            times = source.size, source.modified, source.changed
            on_purpose = state == "skipped"
            put_entry(
                self._catalog, Entry(document, (), content_hash, root, *times, failure=skip, on_purpose=on_purpose)
            )

    def flagged(self) -> list[Skip]:
        """What of the documents could not be read, or only with doubt, by uri."""
        rows = self._catalog.rows("SELECT uri, remarks FROM document WHERE remarks <> '[]' ORDER BY uri")
        return [Skip(uri, remark.code, remark.text) for uri, remarks in rows for remark in remarks_of(remarks)]

    def failed(self) -> list[Skip]:
        """Every file that could not be read, by uri."""
        return self._left_out("failed")

    def skipped(self) -> list[Skip]:
        """Every file that is not read, and everything that the last walks passed over, by uri."""
        walked = self._catalog.rows("SELECT skips FROM root")
        passed = {Skip(*entry) for (listed,) in walked for entry in json.loads(listed)}
        return sorted({*passed, *self._left_out("skipped")}, key=lambda skip: (skip.uri, skip.code))

    def _left_out(self, state: str) -> list[Skip]:
        rows = self._catalog.rows("SELECT uri, code, reason FROM document WHERE state = ? ORDER BY uri", (state,))
        return [Skip(*row) for row in rows]
