"""A disk as a power cut could leave it, worked out from a record of what was written and synced.

The strictest that POSIX allows: a file's bytes are sure once the file was synced, its name once its folder was; what
was not synced may be there or not, in any order. Real file systems promise more, each something else (Pillai et al.
2014, "All File Systems Are Not Created Equal", OSDI).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.server import DATA, LOG, SAID


@dataclass
class File:
    """A file's bytes as programs see them, and those that are sure."""

    content: bytearray = field(default_factory=bytearray)
    sure: bytes = b""


@dataclass
class Folder:
    """A folder's names as programs see them, those that are sure, and the changes between the two, in order."""

    names: dict[str, Node] = field(default_factory=dict)
    sure: dict[str, Node] = field(default_factory=dict)
    changes: list[dict[str, Node | None]] = field(default_factory=list)

    def change(self, names: dict[str, Node | None]) -> None:
        """Give, move or take names, all at once."""
        self.changes.append(names)
        _apply(self.names, names)

    def sync(self) -> None:
        """Make the names sure."""
        self.sure, self.changes = dict(self.names), []


Node = File | Folder


def _apply(names: dict[str, Node], change: dict[str, Node | None]) -> None:
    for name, node in change.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


Image = dict[str, bytes | None]
"""Bytes by path below the disk's root; ``None`` for a folder."""


class Disk:
    """What the folder ``root`` held at first, all of it sure, and what has been done to it since."""

    def __init__(self, root: Path, top: Folder) -> None:
        self._root = root
        self.top = top

    def images(self) -> Iterator[tuple[str, Image]]:
        """The disks that a power cut could leave now, with what of the unsure is there on each."""
        for bytes_too in (False, True):
            yield f"no names, {'all' if bytes_too else 'no'} bytes", self._image(bytes_too, None)
            yield f"all names, {'all' if bytes_too else 'no'} bytes", self._image(bytes_too, self._changes())
        changes = self._changes()
        for at in range(len(changes)) if len(changes) > 1 else ():
            yield f"name {at + 1} of {len(changes)} alone", self._image(False, changes[at : at + 1])

    def _changes(self) -> list[tuple[Folder, dict[str, Node | None]]]:
        return [(folder, change) for folder in _folders(self.top) for change in folder.changes]

    def _image(self, bytes_too: bool, changes: list[tuple[Folder, dict[str, Node | None]]] | None) -> Image:
        image: Image = {}

        def draw(folder: Folder, path: str) -> None:
            names = dict(folder.sure)
            for owner, change in changes or ():
                if owner is folder:
                    _apply(names, change)
            for name, node in names.items():
                if isinstance(node, Folder):
                    image[path + name] = None
                    draw(node, f"{path}{name}/")
                else:
                    image[path + name] = bytes(node.content) if bytes_too else node.sure

        draw(self.top, "")
        return image

    def do(self, operation: str, path: str, second: str, offset: int, data: bytes, length: int) -> None:
        """Take one recorded call."""
        folder, name = self._place(path)
        if operation == "mkdir":
            if name and name not in folder.names:
                folder.change({name: Folder()})
        elif operation == "create":
            self._create(folder, name)
        elif operation == "unlink":
            folder.change({name: None})
        elif operation in ("rename", "link"):
            self._move(operation, folder, name, second)
        elif operation == "fsync":
            self._sync(self._at(path))
        else:
            self._write(self._at(path), operation, offset, data, length)

    def _create(self, folder: Folder, name: str) -> None:
        node = folder.names.get(name)
        if isinstance(node, File):
            node.content.clear()
        else:
            folder.change({name: File()})

    def _move(self, operation: str, folder: Folder, name: str, second: str) -> None:
        target, new = self._place(second)
        if target is not folder:
            raise NotImplementedError(f"{operation} from one folder to another: {name}, {second}")
        folder.change({name: None, new: folder.names[name]} if operation == "rename" else {new: folder.names[name]})

    def _sync(self, node: Node) -> None:
        if isinstance(node, Folder):
            node.sync()
        else:
            node.sure = bytes(node.content)

    def _write(self, node: Node, operation: str, offset: int, data: bytes, length: int) -> None:
        if not isinstance(node, File):
            raise TypeError(f"{operation} on a folder")
        if operation == "truncate":
            del node.content[length:]
            node.content.extend(bytes(length - len(node.content)))
        else:
            node.content.extend(bytes(max(0, offset - len(node.content))))
            node.content[offset : offset + len(data)] = data

    def _at(self, path: str) -> Node:
        folder, name = self._place(path)
        return folder.names[name] if name else folder

    def _place(self, path: str) -> tuple[Folder, str]:
        """The folder that a path leads to, and the name in it; an empty name for the root itself."""
        *above, name = os.path.relpath(path, self._root).split(os.sep)
        folder = self.top
        for each in above:
            inner = folder.names[each]
            if not isinstance(inner, Folder):
                raise NotADirectoryError(path)
            folder = inner
        return folder, "" if name == "." else name


def _folders(folder: Folder) -> Iterator[Folder]:
    yield folder
    for node in {id(each): each for each in (*folder.names.values(), *folder.sure.values())}.values():
        if isinstance(node, Folder):
            yield from _folders(node)


def on_disk(path: Path) -> Folder:
    """What a folder holds, all of it sure."""
    folder = Folder()
    for entry in sorted(path.iterdir()):
        if entry.is_dir():
            folder.names[entry.name] = on_disk(entry)
        else:
            content = entry.read_bytes()
            folder.names[entry.name] = File(bytearray(content), content)
    folder.sync()
    return folder


@dataclass(frozen=True)
class Recorded:
    """One recorded call: its operation, what it was done to, and how many lines the journal had by then."""

    operation: str
    path: str
    second: str
    offset: int
    data: bytes
    length: int
    said: int


def recorded(place: Path) -> Iterator[Recorded]:
    """The calls of a recorded run that came to something, in order."""
    data, said = (place / DATA).read_bytes(), 0
    lines = (place / LOG).read_text("utf-8", "surrogateescape").splitlines()
    results = {line.split("\t")[0]: int(line.split("\t")[2]) for line in lines if line.split("\t")[1] == "="}
    for line in lines:
        number, operation, *rest = line.split("\t")
        if operation == SAID:
            said += 1
        elif operation != "=" and results.get(number, -1) >= 0:
            path, second, offset, length, at = rest
            whole = data[int(at) : int(at) + results[number]] if operation == "write" else b""
            yield Recorded(operation, path, second, int(offset), whole, int(length), said)


def put(image: Image, root: Path) -> None:
    """Make ``root``, an empty folder, hold an image."""
    for path, content in image.items():
        if content is None:
            (root / path).mkdir(parents=True, exist_ok=True)
        else:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)


def fingerprint(image: Image, promised: Sequence[str]) -> bytes:
    """Equal for equal images of which the same was promised. What is in a ``-shm`` file does not count: it is made anew after a power cut."""
    digest = hashlib.blake2b("".join(promised[-1:]).encode(), digest_size=16)
    for path, content in sorted(image.items()):
        digest.update(path.encode() + b"\0" + (b"" if content is None or path.endswith("-shm") else content) + b"\0")
    return digest.digest()
