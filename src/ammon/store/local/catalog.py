"""The one truth of a library: ``catalog.db``, a SQLite database in WAL mode that every other file is derived from.

Knows transactions, the write lock and which schema there is. Knows nothing of vectors or terms.
"""

from __future__ import annotations

import threading
import uuid
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import apsw

from ammon._version import __version__
from ammon.errors import LibraryDamaged, LibraryError, LibraryNewer, LibraryNotFound
from ammon.store.local.files.connection import CHECKED, Frozen, connect, statement, translated, viewing
from ammon.store.local.files.continuity import losses, went_back
from ammon.store.local.files.disk import make_folder
from ammon.store.local.files.lock import WriteLock
from ammon.store.local.files.witness import Witness
from ammon.store.local.schema import MIGRATIONS, SCHEMA
from ammon.types import Ids

CATALOG_NAME = "catalog.db"
BINDINGS = 10_000
"""SQLite takes at most 32,766 a statement."""


class Catalog:
    """An open catalog. Each thread has its own connection; readers never wait for writers."""

    def __init__(self, folder: Path, *, create: bool = True, lock_timeout: float = 30.0) -> None:
        """Open the library in ``folder``, creating it when absent and ``create``.

        Raises: LibraryNotFound, LibraryNewer, LibraryDamaged, LibraryError.
        """
        self.folder = folder
        self.path = folder / CATALOG_NAME
        self._timeout = lock_timeout
        for loss in losses(self.path):
            raise loss.error(folder)
        self._witness = Witness(folder)
        seen = self._witness.read()
        absent = not self.path.exists()
        if absent and not create:
            raise LibraryNotFound(f"There is no library at {folder}.")
        if absent:
            _make_folder(folder)
        self._lock = WriteLock(folder)
        self._local = threading.local()
        # Weakly: the connection of a thread that has ended goes with it.
        self._opened: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        with translated(self.path), self.locked() if absent else nullcontext():
            self._upgrade()
            self.uuid = str(self.value("SELECT value FROM meta WHERE key = 'library'"))
            held = int(self.value("PRAGMA user_version"))
        self.witnessed = self.uuid in seen
        """Whether the witness could tell that the catalog is no older than it was."""
        older = went_back(self.path, seen.get(self.uuid, 0), held)
        if older is not None:
            self.close()
            raise older.error(folder)

    @property
    def _connection(self) -> apsw.Connection:
        """This thread's own connection."""
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if isinstance(connection, Frozen) and not connection.in_transaction and connection.is_stale():
            # Not closed: a listing may still be read from it.
            connection = None
        if connection is None:
            connection = self._local.connection = self._connect()
            self._opened.add(connection)
        return connection

    def _connect(self) -> apsw.Connection:
        try:
            return connect(self.path)
        except apsw.BusyError:
            # Another process is making the catalog just now, under the write lock.
            with self.locked():
                return connect(self.path)

    def _upgrade(self) -> None:
        with self.reading():
            version = _schema_of(self._connection)
        if version > SCHEMA:
            self.close()
            raise LibraryNewer(
                f"The library at {self.folder} has schema {version}; this Ammon ({__version__}) knows up to {SCHEMA}."
            )
        if version == SCHEMA:
            return
        with self.writing():
            version = _schema_of(self._connection)
            for step in MIGRATIONS[version:]:
                step(self._connection)
            meta = {"schema": str(SCHEMA), "writer": __version__}
            if version == 0:
                meta["library"] = str(uuid.uuid4())
                if self._connection.pragma("checksum_verification"):
                    self._connection.execute(f"PRAGMA application_id = {CHECKED}")
            self._connection.executemany(
                "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", meta.items()
            )

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold one consistent view of the catalog; nests."""
        with translated(self.path), viewing(self._connection):
            yield

    @contextmanager
    def locked(self, timeout: float | None = None) -> Iterator[None]:
        """Hold the library's write lock, which orders the writers of all processes; nests.

        Raises: LibraryBusy after ``timeout`` seconds (the library's own setting when ``None``); LibraryError.
        """
        with self._lock.held(self._timeout if timeout is None else timeout):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction under the write lock: all of it is durable when the block ends, or none of it."""
        with self.locked(), translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                library, number = _numbered(self._connection)
                self._connection.execute("COMMIT")
                self._witness.note(library, number)
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def run(self, sql: str, bindings: Any = ()) -> Iterator[tuple[Any, ...]]:
        """Rows of one statement, lazily."""
        with translated(self.path), statement(self._connection) as connection:
            yield from connection.execute(sql, bindings)

    def rows(self, sql: str, bindings: Any = ()) -> list[tuple[Any, ...]]:
        """All rows of one statement. Statements that change something go through here too, inside `writing`."""
        with translated(self.path), statement(self._connection) as connection:
            return list(connection.execute(sql, bindings))

    def many(self, sql: str, bindings: Any) -> None:
        """Run one statement for each of ``bindings``, inside `writing`."""
        with translated(self.path):
            self._connection.executemany(sql, bindings)

    def value(self, sql: str, bindings: Any = ()) -> Any:
        """The first column of the first row, or ``None``."""
        for row in self.rows(sql, bindings):
            return row[0]
        return None

    def sequence(self) -> int:
        """The number of the last change; what a derived index must have reached to be up to date."""
        return int(self.value("SELECT max(sequence) FROM change") or 0)

    def close(self) -> None:
        """Close the connections of all threads. Closing twice is harmless."""
        for connection in list(self._opened):
            connection.close()
        self._local = threading.local()


def batches(ids: Ids) -> Iterator[list[int]]:
    """``ids`` in lists that one statement takes as bindings."""
    for first in range(0, len(ids), BINDINGS):
        yield ids[first : first + BINDINGS].tolist()


def marks(values: Sequence[int]) -> str:
    """A question mark for each of the values: ``?,?,?``."""
    return ",".join("?" * len(values))


def _numbered(connection: apsw.Connection) -> tuple[str, int]:
    """Give the transaction its number, one more than the last. Returns the library's uuid and the number."""
    number = int(connection.pragma("user_version")) + 1
    connection.execute(f"PRAGMA user_version = {number}")
    return str(connection.execute("SELECT value FROM meta WHERE key = 'library'").get), number


def _make_folder(folder: Path) -> None:
    try:
        make_folder(folder)
    except OSError as error:
        raise LibraryError(
            f"The library folder {folder} cannot be made: {error.strerror}.", hint="Choose another with --library."
        ) from error


def _schema_of(connection: apsw.Connection) -> int:
    """The catalog's schema number; 0 for an empty database."""
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").get
    if tables is None:
        return 0
    version = connection.execute("SELECT value FROM meta WHERE key = 'schema'").get
    if version is None or not str(version).isdigit():
        raise LibraryDamaged("The catalog does not say which schema it has.", hint="Restore a copy of the library.")
    return int(version)
