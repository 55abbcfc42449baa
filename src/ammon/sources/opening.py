"""Files opened so that nothing but a regular file of bounded size is ever read."""

from __future__ import annotations

import os
import stat
from typing import Final

from ammon.errors import SourceError
from ammon.types import Source

MAX_BYTES: Final = 64 * 1024 * 1024
"""The largest file that is read, unless told otherwise: a document is held in memory whole."""

# O_NONBLOCK: opening a pipe that took the file's place must not wait for a writer. Windows has neither flag.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def read(source: Source, *, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a source, at most ``max_bytes``.

    Raises: SourceError with the code ``vanished``, ``unreadable``, ``not-regular`` or ``too-large``.
    """
    try:
        descriptor = os.open(source.path, _FLAGS)
    except FileNotFoundError as error:
        raise SourceError(f"{source.uri} is gone.", code="vanished") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SourceError(f"{source.uri} cannot be opened: {reason}.", code="unreadable") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise SourceError(f"{source.uri} is no regular file.", code="not-regular")
        if status.st_size > max_bytes:
            raise SourceError(too_large(source.uri, status.st_size, max_bytes), code="too-large")
        try:
            # One byte more than allowed: a file that grows while it is read is caught, not followed.
            data = file.read(max_bytes + 1)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(f"{source.uri} cannot be read: {reason}.", code="unreadable") from error
    if len(data) > max_bytes:
        raise SourceError(too_large(source.uri, len(data), max_bytes), code="too-large")
    return data


def too_large(uri: str, size: int, limit: int) -> str:
    """Return the sentence that says a file of ``size`` bytes is over the ``limit``."""
    return f"{uri} has {size:,} bytes; the limit (max_file_bytes) is {limit:,}."
