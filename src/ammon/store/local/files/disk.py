"""What a disk says when it fails, in Ammon's words; and how names in a folder are made durable."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ammon.errors import LibraryError


def disk_error(path: Path | str, code: int | None) -> LibraryError:
    """The error to raise when the system answered ``code`` (an `errno`) to a change of ``path``."""
    if code in (errno.ENOSPC, errno.EDQUOT):
        return LibraryError(
            f"The disk is full; what {path} held before is kept.",
            hint="Free some space and run the command again; it goes on where it stopped.",
        )
    reason = os.strerror(code) if code else "the system does not say why"
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return LibraryError(f"{path} cannot be written: {reason}.", hint="Make the folder writable.")
    if code in (errno.EMFILE, errno.ENFILE):
        return LibraryError(f"{path} cannot be opened: {reason}.", hint="Raise the limit with `ulimit -n`.")
    return LibraryError(f"{path} cannot be read or written: {reason}.", hint="Check the disk, then run it again.")


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Raise the system's errors as Ammon's. Raises: LibraryError."""
    try:
        yield
    except OSError as error:
        raise disk_error(path, error.errno) from error


def may_write(folder: Path) -> bool:
    """Whether files can be made in ``folder``."""
    return os.access(folder, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def state_of(path: Path) -> tuple[int, int, int] | None:
    """What changes whenever the file at ``path`` is written or replaced; ``None`` when there is none."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_ino, state.st_size, state.st_mtime_ns


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; one that goes away meanwhile counts nothing."""
    total = 0
    # Not `Path.rglob`, which fails where a folder goes away.
    for each in (path, *(Path(folder, name) for folder, _, names in os.walk(path) for name in names)):
        with suppress(FileNotFoundError):
            state = each.lstat()
            total += state.st_size if stat.S_ISREG(state.st_mode) else 0
    return total


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises: OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, durably. Raises: OSError.

    One that is there already may have been made by a process that died before it was durable: it is made so now.
    """
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in missing:
        sync_folder(made.parent)
    if not missing and os.access(folder.parent, os.R_OK):
        sync_folder(folder.parent)
