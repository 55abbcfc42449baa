"""Puts a snapshot in place as a library, after checking that it still is what its manifest says."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ammon.errors import InputError, LibraryDamaged
from ammon.progress import Progress, Watcher, unwatched
from ammon.settings import FILE_NAME
from ammon.store.local.catalog import CATALOG_NAME
from ammon.store.local.derived.kept_lexical import LEXICAL_NAME
from ammon.store.local.moving.placing import put_in_place, put_instead, unfinished
from ammon.store.local.moving.snapshots import FileSum, Snapshot, read_snapshot

COPIED_BYTES = 1024 * 1024
"""What is in memory of a file at once."""

DERIVED = re.compile(rf"(vectors-\d+\.idx|{LEXICAL_NAME}/[\w.-]+)")
"""Files of a snapshot that may be left out: they are built anew from the catalog."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A library that was restored to ``path``. ``aside`` is where the one it replaced now is, if there was one."""

    path: Path
    snapshot: Snapshot
    aside: Path | None


def restore(snapshot: Path, folder: Path, *, replace: bool = False, watcher: Watcher = unwatched) -> Restored:
    """Make a snapshot the library in ``folder``; the snapshot stays as it is. With ``replace``, what is there is moved
    aside, never deleted.

    Raises: PathNotFound, InputError (no snapshot, or ``folder`` is there), LibraryDamaged when the snapshot is not
    what its manifest says, LibraryBusy when the library to be replaced is open elsewhere, LibraryNewer, LibraryError.
    """
    taken = read_snapshot(snapshot)
    occupied = os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir()))
    if occupied and not replace:
        raise InputError(
            f"{folder} is already there.",
            hint="Name another folder with --library, or give --replace, which moves this one aside.",
        )
    with unfinished(folder) as partial:
        _copy(taken, partial, watcher)
        if occupied:
            return Restored(folder, taken, put_instead(partial, folder))
        if folder.is_dir():
            folder.rmdir()
        put_in_place(partial, folder)
    return Restored(folder, taken, None)


def _copy(snapshot: Snapshot, target: Path, watcher: Watcher) -> None:
    """Copy every file that the manifest names, and compare it. What is derived and has changed is left out."""
    done = 0

    def count(read: int) -> None:
        nonlocal done
        done += read
        watcher(Progress("copy", bytes_done=done, bytes_total=snapshot.size))

    left_out = []
    for name, wanted in snapshot.files.items():
        derived = DERIVED.fullmatch(name) is not None
        if not derived and name not in {CATALOG_NAME, FILE_NAME}:
            raise LibraryDamaged(f"{snapshot.path} names a file that no library has: {name!r}.", hint=_ANOTHER)
        if _copy_file(snapshot.path / name, target / name, count) == wanted:
            continue
        if not derived:
            raise LibraryDamaged(
                f"{snapshot.path / name} is not what it was when the snapshot was made: damaged, or written to since.",
                hint=f"{_ANOTHER} If it was used as a library since, make a snapshot of it, and restore that.",
            )
        left_out.append(target / name.split("/", maxsplit=1)[0])
    for path in left_out:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if not (target / CATALOG_NAME).is_file():
        raise LibraryDamaged(f"{snapshot.path} names no {CATALOG_NAME}.", hint=_ANOTHER)


def _copy_file(source: Path, target: Path, count: Callable[[int], None]) -> FileSum | None:
    """Copy one file. Returns what was read; ``None`` when it is not there."""
    if not source.is_file():
        return None
    target.parent.mkdir(exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as file, target.open("wb") as copy:
        while piece := file.read(COPIED_BYTES):
            digest.update(piece)
            copy.write(piece)
            size += len(piece)
            count(len(piece))
    return FileSum(size, digest.hexdigest())


_ANOTHER = "Restore another snapshot."
