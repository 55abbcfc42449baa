"""Reads what an export holds, and believes none of it: every error names the member that it is in."""

from __future__ import annotations

import ast
import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from ammon.errors import InputError, LibraryNewer, PathNotFound
from ammon.progress import Progress, Watcher
from ammon.settings import load_settings
from ammon.store.local.documents import valid_text
from ammon.store.local.files.disk import written
from ammon.store.local.moving import portable
from ammon.types import Skip

PIECE = 1024 * 1024
LONGEST_HEADER = 10_000
_COPY = "The file was damaged or cut short on its way; copy it again, or export again."
_FORM = "Its form is described in docs/reference/export.md."
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)
"""What `zipfile` raises for members that are not what they should be."""


class Archive:
    """An open export. Every error in it is raised with the name of the member it is in."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self._members = {info.filename: info for info in archive.infolist()}
        if len(self._members) > portable.MOST_MEMBERS:
            raise InputError(f"{path} has {len(self._members):,} members; no export has as many.", hint=_FORM)

    def wrong(self, name: str, what: str, hint: str = _FORM) -> InputError:
        """The error to raise about a member."""
        return InputError(f"{self.path}: {name}: {what}.", hint=hint)

    def size(self, name: str) -> int:
        """The bytes that a member says it holds; `open` gives no more. Raises: InputError."""
        if name not in self._members:
            raise self.wrong(name, "it is missing", _COPY)
        return self._members[name].file_size

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Read one member. Raises: InputError."""
        self.size(name)
        try:
            with self._archive.open(self._members[name]) as member:
                yield member
        except InputError:
            raise
        except _BROKEN as error:
            raise self.wrong(name, f"it is damaged ({error})", _COPY) from error

    def read(self, name: str, limit: int) -> bytes:
        """A whole member. Raises: InputError when it is larger than ``limit``."""
        if self.size(name) > limit:
            raise self.wrong(name, f"it holds {self.size(name):,} bytes; {limit:,} are the most there may be")
        with self.open(name) as member:
            return member.read()

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a member. Raises: InputError, also for one that is too long to be a document."""
        with self.open(name) as member:
            buffer = io.BufferedReader(cast("io.RawIOBase", member), PIECE)
            while line := buffer.readline(portable.LONGEST_LINE + 1):
                if len(line) > portable.LONGEST_LINE:
                    raise self.wrong(name, f"a line is longer than {portable.LONGEST_LINE:,} bytes")
                yield line

    def array(self, name: str, kind: str, rows: int, columns: int) -> NDArray[Any]:
        """A member in numpy's own format, of this type and shape and no other. Raises: InputError."""
        header, body = _array_parts(self.read(name, portable.LARGEST_ARRAY))
        wanted = {"descr": kind, "fortran_order": False, "shape": (rows, columns)}
        dtype = np.dtype(kind)
        if header != wanted or len(body) != rows * columns * dtype.itemsize:
            raise self.wrong(name, f"it is no array of {rows:,} × {columns:,} of {kind}")
        return np.frombuffer(body, dtype).reshape(rows, columns)

    def verify(self, named: Iterable[str], watcher: Watcher) -> None:
        """See that the members ``named`` are there, and read every member to its end, which compares it with its
        checksum. Raises: InputError.
        """
        for name in named:
            self.size(name)
        total, done = sum(info.file_size for info in self._members.values()), 0
        for name in self._members:
            with self.open(name) as member:
                while piece := member.read(PIECE):
                    done += len(piece)
                    watcher(Progress("check", bytes_done=done, bytes_total=total))

    def unpacked(self) -> int:
        """Bytes of all members as they say themselves."""
        return sum(info.file_size for info in self._members.values())


def _array_parts(content: bytes) -> tuple[object, bytes]:
    """The header and the body of an array in numpy's format (NEP 1), whose own reader believes too much."""
    wide = content[6:7] > b"\x01"
    start = 12 if wide else 10
    end = start + int.from_bytes(content[8:start], "little")
    if content[:6] != b"\x93NUMPY" or end > LONGEST_HEADER:
        return None, content
    try:
        return ast.literal_eval(content[start:end].decode("latin-1").strip()), content[end:]
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None, content


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """The export at ``path``, for as long as the block lasts. Raises: PathNotFound, InputError."""
    if not path.is_file():
        raise PathNotFound(f"There is no file {path}.")
    with written(path), path.open("rb") as file:
        head = file.read(4)
        try:
            with zipfile.ZipFile(file) as archive:
                yield Archive(path, archive)
        except zipfile.BadZipFile as error:
            if head == b"PK\x03\x04":
                raise InputError(
                    f"{path} is cut short or damaged: its list of members cannot be read.", hint=_COPY
                ) from error
            raise InputError(f"{path} is no export.", hint="Name a file that `ammon export` wrote.") from error


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export says of itself, checked."""

    model: tuple[str, str, int] | None
    settings: dict[str, Any]
    roots: list[tuple[str, tuple[str, ...], float | None, list[Skip]]]
    documents: list[tuple[str, int]]
    vectors: list[tuple[str, str, int]]

    @classmethod
    def read(cls, archive: Archive) -> Manifest:
        """Raises: InputError, LibraryNewer."""
        try:
            value = json.loads(archive.read(portable.MANIFEST, portable.LARGEST_MANIFEST))
            if value["kind"] != portable.KIND:
                raise archive.wrong(portable.MANIFEST, "it is of something else")
            if int(value["format"]) > portable.FORMAT:
                raise LibraryNewer(f"{archive.path} was written by a later version of Ammon ({value.get('writer')}).")
            return cls._checked(value)
        except InputError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise archive.wrong(portable.MANIFEST, f"it is not what it should be ({error!r})") from error

    def members(self) -> Iterator[str]:
        """The names of all members that it speaks of."""
        yield from (name for name, _ in self.documents)
        yield from chain.from_iterable((vectors, texts) for vectors, texts, _ in self.vectors)

    @classmethod
    def _checked(cls, value: Mapping[str, Any]) -> Manifest:
        model = value.get("model")
        settings = {name: each for name, each in dict(value.get("settings", {})).items() if name in portable.CARRIED}
        load_settings(None, settings, {})
        return cls(
            _model(model) if model else None,
            settings,
            [_root(each) for each in value.get("roots", [])],
            [(str(each["member"]), int(each["rows"])) for each in value["documents"]],
            [(str(each["member"]), str(each["texts"]), int(each["rows"])) for each in value.get("vectors", [])],
        )


def _model(value: Mapping[str, Any]) -> tuple[str, str, int]:
    dim = int(value["dim"])
    if not 0 < dim <= portable.MOST_DIMENSIONS:
        raise ValueError(f"{dim} dimensions")
    return valid_text(str(value["name"])), valid_text(str(value["fingerprint"])), dim


def _root(value: Mapping[str, Any]) -> tuple[str, tuple[str, ...], float | None, list[Skip]]:
    completed = value.get("completed")
    skips = [Skip(*(valid_text(str(each)) for each in skip)) for skip in value.get("skips", [])]
    globs = tuple(valid_text(str(each)) for each in value.get("globs", []))
    return valid_text(str(value["uri"])), globs, None if completed is None else float(completed), skips
