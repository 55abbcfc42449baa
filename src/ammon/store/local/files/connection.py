"""How a catalog is opened: page checksums, durability, and SQLite's errors in Ammon's words."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from urllib.parse import quote

import apsw
import apsw.sqlite_extra

from ammon.errors import LibraryBusy, LibraryDamaged, LibraryError
from ammon.store.local.files.disk import may_write, state_of
from ammon.store.local.files.pages import CHECKSUM_BYTES, FIRST_BYTES, PAGE_BYTES
from ammon.store.local.files.wal import LOG_SUFFIX

READ_PATIENCE_MS = 5_000
PAUSE = 0.002
"""Seconds between two tries to read."""

WAL_KEPT_BYTES = 32 * 1024 * 1024
CACHE_KIB = 16 * 1024
CHECKED = int.from_bytes(b"Ammn")
"""``application_id`` of a catalog whose pages have checksums, so that one is missed when the page header is damaged."""

WHEN_DAMAGED = "Run `ammon doctor`: it tells what survives and what to do."


class Frozen(apsw.Connection):
    """A connection that reads the catalog's file as it is, without a log and without locks: nobody may write to it.

    For who cannot make a log himself, as SQLite must. Another may write after all: see `is_stale` and `viewing`.
    """

    def __init__(self, path: Path) -> None:
        register_checksums()
        self._path = path
        self._state = state_of(path)
        flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
        super().__init__(f"file:{quote(str(path))}?immutable=1", flags=flags)

    def is_stale(self) -> bool:
        """Whether another has begun to write, so that the catalog must be opened anew."""
        return log_path(self._path).exists() or state_of(self._path) != self._state

    def require_whole(self) -> None:
        """Make sure that what was read is of one moment. Raises: LibraryBusy."""
        if state_of(self._path) != self._state:
            raise LibraryBusy(f"{self._path} was written while it was read.", hint="Run the command again.")


@contextmanager
def viewing(connection: apsw.Connection) -> Iterator[apsw.Connection]:
    """Hold one consistent view of the catalog during the block; nests. Raises: LibraryBusy."""
    if connection.in_transaction:
        yield connection
        return
    _begin(connection)
    try:
        yield connection
    finally:
        # A page that cannot be read ends the transaction by itself.
        if connection.in_transaction:
            connection.execute("COMMIT")
        # Whatever else went wrong then follows from this.
        if isinstance(connection, Frozen):
            connection.require_whole()


def statement(connection: apsw.Connection) -> AbstractContextManager[apsw.Connection]:
    """What one statement is run in: a view, where it takes more than SQLite's own to have one."""
    return viewing(connection) if connection.readonly("main") else nullcontext(connection)


def _begin(connection: apsw.Connection) -> None:
    """Begin to read. Who may not write the log's index may find it half written; SQLite then says it needs repair."""
    connection.execute("BEGIN")
    until = time.monotonic() + READ_PATIENCE_MS / 1000
    while connection.readonly("main"):
        try:
            connection.execute("SELECT 1 FROM sqlite_schema").get  # noqa: B018 - reads it
            return
        except apsw.ReadOnlyError:
            if time.monotonic() > until:
                connection.execute("ROLLBACK")
                raise
            time.sleep(PAUSE)


def log_path(path: Path) -> Path:
    """Where SQLite keeps the log of the catalog at ``path``."""
    return path.with_name(path.name + LOG_SUFFIX)


def connect(path: Path) -> apsw.Connection:
    """A connection to the catalog at ``path``, which is made when absent, with a checksum on each of its pages.

    Without the right to write in the folder it only reads: beside whoever writes, if there is a log, else `Frozen`.
    """
    if not path.exists() or may_write(path.parent):
        return _connected(path)
    until = time.monotonic() + READ_PATIENCE_MS / 1000
    while log_path(path).exists():
        try:
            return _connected(path)
        except (apsw.CantOpenError, apsw.ReadOnlyError):
            # Who wrote may just have ended, and taken the log with him, or just be beginning.
            if log_path(path).exists() and not path.with_name(f"{path.name}-shm").exists():
                raise LibraryError(
                    f"{path} has a log that was not read yet, and {path.parent} cannot be written.",
                    hint="Make the folder writable, or copy it to where you may write and use it there.",
                ) from None
            if time.monotonic() > until:
                raise
    return Frozen(path)


def _connected(path: Path) -> apsw.Connection:
    checksums = register_checksums()
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(READ_PATIENCE_MS)
    if checksums and not path.stat().st_size:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.reserve_bytes("main", CHECKSUM_BYTES)
    # Where the change fails, SQLite may go on in another mode without a word.
    if connection.pragma("journal_mode", "wal") != "wal":
        connection.close()
        raise LibraryError(f"{path} cannot keep a log.", hint="Put the library on a sound disk of this machine.")
    if checksums and connection.pragma("application_id") == CHECKED and not connection.pragma("checksum_verification"):
        connection.close()
        raise LibraryDamaged(f"The header of {path} is damaged.", hint=WHEN_DAMAGED)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


@cache
def register_checksums() -> bool:
    """Have each page checked as it is read, in every connection from now on; whether this build of apsw can."""
    with apsw.Connection(":memory:") as connection:
        try:
            apsw.sqlite_extra.load(connection, "cksumvfs")
        except apsw.sqlite_extra.NotAvailable:
            return False
    return True


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as Ammon's, each with what to do now."""
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise LibraryDamaged(f"{path} is damaged: {error}.", hint=WHEN_DAMAGED) from error
    except apsw.FullError as error:
        raise LibraryError(
            f"The disk is full; {path} was left as it was before this batch.",
            hint="Free some space and run the command again; it goes on where it stopped.",
        ) from error
    except apsw.ReadOnlyError as error:
        raise LibraryError(f"{path} cannot be written: {error}.", hint="Make the folder writable.") from error
    except apsw.BusyError as error:
        raise LibraryBusy(f"{path} is locked by another program.") from error
    except (apsw.IOError, apsw.CantOpenError) as error:
        if getattr(error, "extendedresult", 0) == apsw.SQLITE_IOERR_DATA:
            raise LibraryDamaged(f"A page of {path} does not match its checksum.", hint=WHEN_DAMAGED) from error
        raise LibraryError(f"{path} cannot be read or written: {error}.", hint="Check the disk.") from error


def plain_files() -> str:
    """The name of SQLite's own files of this system, without checksums.

    A catalog is read raw through these only: closing a descriptor of one's own would drop the locks that SQLite holds.
    """
    return "win32" if os.name == "nt" else "unix"


def is_checked(first_page: bytes) -> bool:
    """Whether the pages of a catalog have checksums, by its page 1; also where that is slightly damaged."""
    kept, named = first_page[20:21] == bytes([CHECKSUM_BYTES]), first_page[68:72] == CHECKED.to_bytes(4)
    return kept or named or first_page[:16] != FIRST_BYTES[:16]
