"""Small files beside the catalog: JSON values a line each, added durably, and whole files put in place of others."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ammon.store.local.files.disk import make_folder, sync_folder, written


@dataclass(frozen=True, slots=True)
class Lines:
    """The values of a file, in order, and the numbers (from 1) of the lines that hold none, such as a torn last one."""

    values: tuple[Any, ...] = ()
    unreadable: tuple[int, ...] = ()


def append_line(path: Path, value: object) -> None:
    """Add a JSON value as a line of its own, on disk when this returns; makes the file and its folder.

    A line that a power cut left unfinished stays by itself. Raises: LibraryError.
    """
    data = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    with written(path):
        make_folder(path.parent)
        new = not path.exists()
        with path.open("a+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                data = data if file.read(1) == b"\n" else b"\n" + data
            # One write, so that programs that add to one file at a time do not mix their lines.
            file.write(data)
            os.fsync(file.fileno())
        if new:
            sync_folder(path.parent)


def read_lines(path: Path) -> Lines:
    """What `append_line` has put into the file; nothing where there is none. Raises: LibraryError."""
    with written(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return Lines()
    values: list[Any] = []
    unreadable: list[int] = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except ValueError:
                unreadable.append(number)
    return Lines(tuple(values), tuple(unreadable))


def put_text(path: Path, text: str) -> None:
    """Make a file of this text, durably and as a whole, in place of what there was. Raises: LibraryError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    with written(path):
        make_folder(path.parent)
        try:
            with partial.open("wb") as file:
                file.write(text.encode("utf-8", "replace"))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(path.parent)
