"""The pages of a catalog's file as they lie on the disk, with what the log holds anew in their place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np

from ammon.store.local.files.connection import is_checked, log_path, plain_files
from ammon.store.local.files.pages import PAGE_BYTES, Pages, are_sound
from ammon.store.local.files.wal import Log, read_log

PAGES_AT_ONCE = 1024
LOOKS = 3
"""A page that another process is writing just now may look torn; it does not at another look."""


class RawPages:
    """Reads and writes pages past SQLite. Close it.

    The file is opened as SQLite itself opens it: a descriptor of one's own would, when closed, drop SQLite's locks.
    """

    def __init__(self, path: Path, log: Log) -> None:
        self._log = log
        self._log_file = log_path(path)
        self._file = apsw.VFSFile(plain_files(), str(path), [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READWRITE, 0])
        # Where a log says how long the catalog is, what lies past that end is no part of it any more.
        self.count = log.size or max(-(-self._file.xFileSize() // PAGE_BYTES), self._expected())

    def _expected(self) -> int:
        """How many pages there must be by page 1; 0 where it does not tell."""
        first = self.stored(1)
        sound = len(first) == PAGE_BYTES and are_sound(np.frombuffer(first, np.uint8).reshape(1, PAGE_BYTES))[0]
        return int.from_bytes(first[28:32]) if sound else 0

    def stored(self, first: int, count: int = 1) -> bytes:
        """``count`` pages of the file itself from page ``first`` on; shorter at its end."""
        return self._file.xRead(PAGE_BYTES * count, PAGE_BYTES * (first - 1))

    def page(self, number: int) -> bytes:
        """One page as SQLite would read it."""
        at = self._log.pages.get(number)
        if at is None:
            return self.stored(number)
        with self._log_file.open("rb") as file:
            file.seek(at)
            return file.read(PAGE_BYTES)

    def damaged(self) -> list[int]:
        """Numbers of pages that do not match their checksum, of those that the log does not hold anew.

        A page of zeros matches its own, which is zero. It is damaged unless it is free: SQLite empties what it frees.
        """
        found, empty = [], []
        for first, pages in self._stretches():
            blank = ~pages.any(axis=1)
            found += [first + int(at) for at in np.flatnonzero(~are_sound(pages))]
            empty += [first + int(at) for at in np.flatnonzero(blank)]
        lost = set(empty) - self._free() if empty else set()
        return sorted({*found, *lost} - self._log.pages.keys())

    def _stretches(self) -> Iterator[tuple[int, Pages]]:
        """The number of a first page and the pages from there on; what is missing at the end is filled with ones."""
        for first in range(1, self.count + 1, PAGES_AT_ONCE):
            wanted = min(PAGES_AT_ONCE, self.count + 1 - first)
            content = self.stored(first, wanted).ljust(PAGE_BYTES * wanted, b"\xff")
            yield first, np.frombuffer(content, np.uint8).reshape(-1, PAGE_BYTES)

    def _free(self) -> set[int]:
        """Numbers of pages that hold nothing, from the list that begins on page 1."""
        free: set[int] = set()
        trunk = int.from_bytes(self.page(1)[32:36])
        while trunk and trunk not in free:
            free.add(trunk)
            numbers = np.frombuffer(self.page(trunk).ljust(PAGE_BYTES, b"\0"), ">u4")
            free.update(numbers[2 : 2 + min(int(numbers[1]), len(numbers) - 4)].tolist())
            trunk = int(numbers[0])
        return free

    def write(self, number: int, page: bytes) -> None:
        """Put ``page`` in place of page ``number``, durably."""
        self._file.xWrite(page, PAGE_BYTES * (number - 1))
        self._file.xSync(apsw.SQLITE_SYNC_FULL)

    def close(self) -> None:
        """Close the file."""
        self._file.xClose()


def open_pages(path: Path) -> RawPages:
    """The pages of the catalog at ``path`` as they are now."""
    return RawPages(path, read_log(log_path(path)))


def has_checksums(path: Path) -> bool:
    """Whether the pages of the catalog at ``path`` have checksums."""
    pages = open_pages(path)
    try:
        return is_checked(pages.page(1))
    finally:
        pages.close()


def damaged_pages(path: Path) -> list[int]:
    """Numbers of the damaged pages of a catalog that has checksums; empty when all are sound, or there is no file."""
    if not path.exists() or not path.stat().st_size:
        return []
    found: list[int] = []
    for look in range(LOOKS):
        time.sleep(0.05 * look)
        pages = open_pages(path)
        try:
            found = pages.damaged()
        finally:
            pages.close()
        if not found:
            break
    return found
