"""The write lock of a library: one writer at a time, over all processes and threads. Readers never take it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ammon.errors import LibraryBusy
from ammon.store.local.files.disk import disk_error

if TYPE_CHECKING:
    from filelock import FileLock

LOCK_NAME = "write.lock"


class WriteLock:
    """The lock on a file in the library's folder. The system frees it when a process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock: FileLock | None = None
        self._making = threading.Lock()

    @contextmanager
    def held(self, timeout: float) -> Iterator[None]:
        """Hold the lock; nests. Raises: LibraryBusy after ``timeout`` seconds; LibraryError."""
        lock = self._made()
        try:
            lock.acquire(timeout=timeout)
        except TimeoutError as error:
            raise LibraryBusy(f"Another process has been writing to {self._folder} for too long.") from error
        except OSError as error:
            raise disk_error(self._folder, error.errno) from error
        try:
            yield
        finally:
            lock.release()

    def _made(self) -> FileLock:
        with self._making:
            if self._lock is None:
                from filelock import FileLock  # only now: a search needs none

                self._lock = FileLock(self._folder / LOCK_NAME)
            return self._lock
