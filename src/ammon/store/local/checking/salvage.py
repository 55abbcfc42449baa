"""Reads what survives of a damaged catalog: every row that stands on sound pages, and none that does not.

SQLite is given the file through a reader of our own. It checks each page, puts a single wrong byte right, takes the
newest content from the log as far as that is sound, and refuses the rest, so that a statement which touches a damaged
page raises LibraryDamaged and one that does not is right. Nothing is written, and nothing is opened that would be.
"""

from __future__ import annotations

import threading
import uuid
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

import apsw

from ammon.errors import LibraryDamaged
from ammon.store.local.catalog import CATALOG_NAME, Catalog
from ammon.store.local.files.connection import WHEN_DAMAGED, is_checked, log_path, plain_files, translated
from ammon.store.local.files.continuity import Kind, losses
from ammon.store.local.files.pages import PAGE_BYTES, restored
from ammon.store.local.files.wal import Log, read_log

RANGE = 256
"""Ids read at once."""


class SalvagedCatalog(Catalog):
    """A catalog as far as it can be read, whatever it has lost. Use it where a `Catalog` would only be read."""

    def __init__(self, folder: Path) -> None:
        """Raises: LibraryDamaged when nothing can be read at all: page 1, which says where all else is, is gone."""
        self.folder = folder
        self.path = folder / CATALOG_NAME
        self._local = threading.local()
        self._opened: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        lost = {loss.kind: loss for loss in losses(self.path)}
        if Kind.GONE in lost:
            raise lost[Kind.GONE].error(folder)
        # A log that goes on from another state of the catalog says nothing about this one.
        log = Log() if Kind.FOREIGN in lost else read_log(log_path(self.path))
        self._files = SoundFiles(log, log_path(self.path))
        with translated(self.path):
            self.value("SELECT 1 FROM sqlite_schema")
        self.uuid = ""
        with suppress(LibraryDamaged):
            self.uuid = str(self.value("SELECT value FROM meta WHERE key = 'library'"))

    def _connect(self) -> apsw.Connection:
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        name = f"file:{quote(str(self.path))}?immutable=1"
        with translated(self.path):
            return apsw.Connection(name, flags=flags, vfs=self._files.name)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Nothing changes what is read: there is no view to hold, and a damaged page would end it."""
        yield

    def locked(self, timeout: float | None = None) -> NoReturn:  # noqa: ARG002 - as the catalog's
        """Raises: LibraryDamaged: nothing is written to a damaged catalog."""
        raise LibraryDamaged(f"{self.path} is damaged and can only be read.", hint=WHEN_DAMAGED)

    def close(self) -> None:
        """Close the connections of all threads. Closing twice is harmless."""
        super().close()
        self._files.unregister()


class SoundFiles(apsw.VFS):
    """Files of which SQLite only gets to see sound pages."""

    def __init__(self, log: Log, log_file: Path) -> None:
        self.name = f"ammon-{uuid.uuid4().hex}"
        self._log = log
        self._log_file = log_file
        super().__init__(self.name, plain_files())

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's own name
        """A file read by `_SoundFile`."""
        return _SoundFile(name, flags, self._log, self._log_file)


class _SoundFile(apsw.VFSFile):
    def __init__(self, name: Any, flags: list[int], log: Log, log_file: Path) -> None:
        super().__init__(plain_files(), name, flags)
        self._log = log
        self._log_file = log_file
        self._mended: dict[int, bytes | None] = {}
        self._checked = is_checked(super().xRead(PAGE_BYTES, 0)) or log.pages.get(1) is not None

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        page = self._page(1 + offset // PAGE_BYTES)
        if offset < PAGE_BYTES:
            # Says that there is no log: what the log holds is already here.
            page = page[:18] + b"\x01\x01" + page[20:]
        return page[offset % PAGE_BYTES :][:amount]

    def xFileSize(self) -> int:  # noqa: N802
        # As long as it was: pages that are missing at the end are refused one by one.
        pages = self._log.size or int.from_bytes(self._page(1)[28:32])
        return max(pages * PAGE_BYTES, super().xFileSize())

    def _page(self, number: int) -> bytes:
        at = self._log.pages.get(number)
        if at is not None:
            with self._log_file.open("rb") as file:
                file.seek(at)
                return file.read(PAGE_BYTES)
        page = super().xRead(PAGE_BYTES, (number - 1) * PAGE_BYTES)
        if not self._checked and len(page) == PAGE_BYTES:
            return page
        if number not in self._mended:
            whole = restored(page, number)
            if whole == page:
                return page
            self._mended[number] = whole
        kept = self._mended[number]
        if kept is None:
            raise apsw.CorruptError(f"page {number} is damaged")
        return kept


@dataclass(frozen=True, slots=True)
class Survey:
    """What can still be read of a damaged catalog, of how much, by name: documents, passages, vectors.

    ``lost`` are the uris of documents that are not whole; ``nameless`` counts those whose uri is lost too.
    """

    readable: dict[str, int]
    known: dict[str, int]
    lost: tuple[str, ...]
    nameless: int


def survey(catalog: Catalog) -> Survey:
    """Read every row there is. Returns what can be read and what is lost."""
    names, uris = {"chunk": "passages", "document": "documents", "vector": "vectors"}, dict[int, str]()
    chunks = {row[0]: row[1] for row in readable(catalog, "chunk", "document, lead, text")}
    whole = {row[0]: row[1] for row in readable(catalog, "document", "uri, metadata, tail")}
    vectors = {row[0] for row in readable(catalog, "vector", "data")}
    expected = {
        "chunk": dict(covered(catalog, "SELECT id, document FROM chunk ORDER BY document {0}, ordinal {0}")),
        "vector": dict(covered(catalog, "SELECT id, 1 FROM vector ORDER BY space {0}, text_hash {0}")),
        "document": dict(covered(catalog, "SELECT id, uri FROM document ORDER BY uri {0}")),
    }
    uris = {**expected["document"], **whole}
    broken = {owner for number, owner in expected["chunk"].items() if number not in chunks}
    owners = {*expected["chunk"].values(), *chunks.values(), *uris}
    damaged = (owners - whole.keys()) | broken
    known = {
        "chunk": len(expected["chunk"].keys() | chunks.keys()),
        "vector": len(expected["vector"].keys() | vectors),
        "document": len(owners),
    }
    held = {"chunk": len(chunks), "vector": len(vectors), "document": len(owners - damaged)}
    lost = tuple(sorted(uris[number] for number in damaged if number in uris))
    return Survey(
        {names[table]: count for table, count in held.items()},
        {names[table]: count for table, count in known.items()},
        lost,
        len(damaged) - len(lost),
    )


def readable(catalog: Catalog, table: str, columns: str, unread: set[int] | None = None) -> Iterator[tuple[Any, ...]]:
    """Every row of ``table`` that can be read, as its id and ``columns``, by id; needs no index.

    Ids whose row, if there was one, cannot be read are added to ``unread``.
    """
    missed = set[int]() if unread is None else unread
    for first in range(1, last_id(catalog, table) + 1, RANGE):
        yield from _between(catalog, f"SELECT id, {columns} FROM {table}", first, first + RANGE - 1, missed)


def _between(catalog: Catalog, sql: str, first: int, last: int, missed: set[int]) -> list[tuple[Any, ...]]:
    try:
        return catalog.rows(f"{sql} NOT INDEXED WHERE id BETWEEN ? AND ? ORDER BY id", (first, last))
    except LibraryDamaged:
        if first == last:
            missed.add(first)
            return []
    middle = (first + last) // 2
    return [*_between(catalog, sql, first, middle, missed), *_between(catalog, sql, middle + 1, last, missed)]


def last_id(catalog: Catalog, table: str) -> int:
    """The highest id that a row of ``table`` ever had; 0 where nothing tells."""
    for sql in (f"SELECT seq FROM sqlite_sequence WHERE name = '{table}'", f"SELECT max(id) FROM {table}"):
        with suppress(LibraryDamaged):
            return int(catalog.value(sql) or 0)
    return 0


def covered(catalog: Catalog, sql: str) -> Iterator[tuple[Any, ...]]:
    """Rows that an index holds by itself, from its start up to where it is damaged, then from its end; some twice.

    ``sql`` orders by the index, with ``{0}`` for the direction.
    """
    for direction in ("ASC", "DESC"):
        try:
            yield from catalog.run(sql.format(direction))
        except LibraryDamaged:
            continue
        return
