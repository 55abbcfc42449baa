"""How a catalog is opened: page checksums, durability, and SQLite's errors in Ammon's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import apsw
import apsw.sqlite_extra

from ammon.errors import LibraryBusy, LibraryDamaged, LibraryError

READ_PATIENCE_MS = 5_000
WAL_KEPT_BYTES = 32 * 1024 * 1024
CACHE_KIB = 64 * 1024
CHECKSUM_BYTES = 8
"""Kept free at the end of each page for its checksum; see https://sqlite.org/cksumvfs.html."""

_DAMAGED = "Run `ammon doctor` to see what survives; restore a copy if you can."


def connect(path: Path) -> apsw.Connection:
    """A connection to the catalog at ``path``, which is made when absent, with a checksum on each of its pages."""
    checksums = _register_checksums()
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(READ_PATIENCE_MS)
    if checksums and not path.stat().st_size:
        connection.reserve_bytes("main", CHECKSUM_BYTES)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


@cache
def _register_checksums() -> bool:
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
        raise LibraryDamaged(f"{path} is damaged: {error}.", hint=_DAMAGED) from error
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
            raise LibraryDamaged(f"A page of {path} does not match its checksum.", hint=_DAMAGED) from error
        raise LibraryError(f"{path} cannot be read or written: {error}.", hint="Check the disk.") from error
