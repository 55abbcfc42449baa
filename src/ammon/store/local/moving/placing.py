"""How a folder or file comes to be under its name: made beside it, whole and durable, then renamed."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from ammon.errors import InputError, LibraryBusy
from ammon.store.local.catalog import CATALOG_NAME
from ammon.store.local.files.disk import make_folder, sync_folder, written
from ammon.store.local.files.lock import WriteLock


def refuse_existing(target: Path) -> None:
    """Raises: InputError when there is something at ``target``."""
    if os.path.lexists(target):
        raise InputError(f"{target} is already there.", hint="Name another, or move it away first.")


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A new folder beside ``target``, under a hidden name, that is gone after the block unless put in place.

    Raises: LibraryError.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with written(target):
            make_folder(target.parent)
            partial.mkdir()
            yield partial
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def put_in_place(partial: Path, target: Path) -> None:
    """Give a finished folder or file its name, durably. Raises: InputError when there is something by now."""
    _sync_tree(partial)
    refuse_existing(target)
    partial.rename(target)
    sync_folder(target.parent)


def _sync_tree(partial: Path) -> None:
    for path in (*partial.rglob("*"), partial):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def put_instead(partial: Path, library: Path) -> Path:
    """Give a finished folder the name of a library, which is moved aside. Returns the library's new name.

    Raises: LibraryBusy when another program has the library open.
    """
    _sync_tree(partial)
    names = (library.with_name(f"{library.name}.replaced-{number}") for number in itertools.count(1))
    aside = next(name for name in names if not os.path.lexists(name))
    with _unused(library):
        library.rename(aside)
        try:
            partial.rename(library)
        except OSError:
            aside.rename(library)
            raise
        sync_folder(library.parent)
    return aside


@contextmanager
def _unused(library: Path) -> Iterator[None]:
    """Hold a library so that nobody else has it open. Raises: LibraryBusy."""
    path = library / CATALOG_NAME
    if not path.is_file():
        yield
        return
    with WriteLock(library).held(0):
        holder = _alone(path)
        try:
            yield
        finally:
            if holder is not None:
                holder.close()


def _alone(path: Path) -> apsw.Connection | None:
    """A connection that is the only one to the catalog; ``None`` where it is too damaged to be opened by anybody."""
    with suppress(apsw.NotADBError, apsw.CorruptError, apsw.IOError):
        connection = apsw.Connection(str(path))
        try:
            # Before the first access: a catalog in WAL mode is then opened only if nobody else has it open.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("SELECT count(*) FROM sqlite_schema")
        except apsw.BusyError as error:
            connection.close()
            raise LibraryBusy(
                f"Another program has the library at {path.parent} open.", hint="End it, then run this again."
            ) from error
        return connection
    return None
