"""The witness: a file beside the catalog that says how far the catalog has come.

Every commit has a number, kept in the catalog itself. Once a commit is durable its number is written here, without
waiting for the disk. A catalog that holds less than its witness has seen has lost something: it is an older copy, or
its log was damaged. The witness may be behind, or gone: then it merely knows less.

Two lines of 64 bytes, written in turns, so that a write cut short leaves the other: library, number, CRC-32.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from ammon.store.local.files.disk import sync_folder, written

WITNESS_NAME = "catalog.witness"
_LINE = 64
_LINES = 2


class Witness:
    """The witness in a library's folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / WITNESS_NAME

    def read(self) -> dict[str, int]:
        """The highest number of a commit that was seen, by library; to be read before the catalog is."""
        return dict(sorted(self._records(), key=lambda record: record[1]))

    def is_readable(self) -> bool:
        """Whether it says something, unless nothing was ever written to it."""
        return bool(self._records()) or not any(self._content())

    def note(self, library: str, number: int) -> None:
        """Say that the commit of this number is durable; the caller holds the write lock. Raises: LibraryError."""
        line = _line(library, number)
        with written(self.path):
            if self.path.is_file() and self.path.stat().st_size == _LINE * _LINES:
                _write(self.path, line, _LINE * (number % _LINES), os.O_WRONLY)
            else:
                # The catalog's own name comes first: a witness without a catalog would tell of a loss.
                sync_folder(self.path.parent)
                # Made beside it: one that is cut short as a whole could not be told from a damaged one.
                partial = self.path.with_name(f".{WITNESS_NAME}.part")
                _write(partial, line * _LINES, 0, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                partial.replace(self.path)

    def forget(self) -> None:
        """Remove it. Raises: LibraryError."""
        with written(self.path):
            self.path.unlink(missing_ok=True)

    def _content(self) -> bytes:
        with written(self.path):
            return self.path.read_bytes() if self.path.is_file() else b""

    def _records(self) -> list[tuple[str, int]]:
        content = self._content()
        lines = [content[at : at + _LINE] for at in range(0, _LINE * _LINES, _LINE)]
        texts = [line.decode("ascii", "replace").split() for line in lines]
        return [(text[0], int(text[1])) for line, text in zip(lines, texts, strict=True) if _is_line(line, text)]


def _write(path: Path, content: bytes, at: int, flags: int) -> None:
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
    try:
        os.lseek(descriptor, at, os.SEEK_SET)
        os.write(descriptor, content)
    finally:
        os.close(descriptor)


def _line(library: str, number: int) -> bytes:
    said = f"{library} {number:016d}".encode()
    return said + f" {zlib.crc32(said):08x}".encode().ljust(_LINE - 1 - len(said)) + b"\n"


def _is_line(line: bytes, text: list[str]) -> bool:
    return len(text) == 3 and text[1].isdecimal() and _line(text[0], int(text[1])) == line
