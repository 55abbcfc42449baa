"""The files of a keyword index, and whether they are what tantivy wrote.

Every data file ends in a footer with a checksum, which tantivy itself does not look at when it opens them. Its list of
files, ``meta.json``, has none: there, each value is held against what else says the same.
"""

from __future__ import annotations

import json
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tantivy

from ammon.store.local.files.disk import may_write

META_NAME = "meta.json"
MANAGED_NAME = ".managed.json"
WRITER_LOCK = ".tantivy-writer.lock"
LOCK_NAMES = frozenset({".tantivy-meta.lock", WRITER_LOCK})
DRAFT = ".tmp"
"""How the names of files begin that tantivy, when killed, has not yet put in place."""

SUFFIXES = ("fast", "fieldnorm", "idx", "pos", "store", "term")
_MAGIC = 1337
_FORMAT_KEYS = {"index_settings", "segments", "schema", "opstamp"}
_SETTINGS = {"docstore_compression", "docstore_blocksize"}


class LexicalFiles:
    """The files in one folder. Those found sound are not read again: they are never changed, only replaced."""

    def __init__(self, path: Path, schema: tantivy.Schema) -> None:
        self._path = path
        self._fields: Any = schema.__reduce__()[1][0]["inner"]  # type: ignore[index]
        self._sound: set[tuple[str, int, int, int]] = set()

    def damage(self) -> list[str]:
        """What is wrong with the index as ``meta.json`` describes it now, a line for each file; empty if all is well.

        Files that it does not name are not looked at: a process that was killed may have left them half written.
        """
        while True:
            meta = self._read(META_NAME)
            segments = _segments(meta, self._fields)
            if segments is None:
                return [f"{META_NAME} is damaged or missing"]
            found = [problem for segment in segments for problem in self._problems(segment)]
            # Another process may have committed meanwhile, and removed what it no longer needs.
            if not found or self._read(META_NAME) == meta:
                return found

    def documents(self) -> int:
        """How many documents the segments hold, removed ones included."""
        return sum(each["max_doc"] for each in _segments(self._read(META_NAME), self._fields) or [])

    def strays(self) -> list[str]:
        """Files that belong to no index, or that tantivy has lost track of, a line for each."""
        if not self._path.is_dir():
            return []
        unlisted = self.unlisted()
        if unlisted is None:
            return [f"{MANAGED_NAME} is damaged or missing"]
        return [f"{name} is no file of the index" for name in unlisted if not name.startswith(DRAFT)]

    def unlisted(self) -> list[str] | None:
        """Names of files that tantivy does not know of and will never remove; ``None`` where its list is damaged.

        It lists a file before it makes it: only a power cut leaves such files, or a process killed with a draft.
        """
        try:
            managed = set(json.loads(self._read(MANAGED_NAME)))
        except (ValueError, TypeError):
            return None
        segments = _segments(self._read(META_NAME), self._fields) or []
        managed.update(name for segment in segments for name in _names(segment))
        return sorted({file.name for file in self._path.iterdir()} - managed - LOCK_NAMES - {MANAGED_NAME, META_NAME})

    def _read(self, name: str) -> bytes:
        try:
            return (self._path / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return b""

    def _problems(self, segment: dict[str, Any]) -> list[str]:
        files = _names(segment)
        found = [f"{file} is missing or does not match its checksum" for file in files if not self._is_sound(file)]
        if not found and segment["deletes"] and not _counts(self._read(files[-1]), segment):
            found.append(f"{META_NAME} and {files[-1]} do not agree")
        return found

    def _is_sound(self, name: str) -> bool:
        file = self._path / name
        try:
            state = file.stat()
            key = name, state.st_ino, state.st_size, state.st_mtime_ns
            if key not in self._sound:
                if not _is_intact(file.read_bytes()):
                    return False
                self._sound.add(key)
        except FileNotFoundError:
            return False
        return True


def opened(path: Path) -> tantivy.Index:
    """The index in the folder ``path``, as tantivy opens it. Raises: ValueError; OSError.

    For that it takes a lock of its own, in a file which it must be able to write to. Who may not write there has it
    open a folder of links instead, of which nothing is needed any more once the files are mapped into memory.
    """
    if may_write(path):
        return tantivy.Index.open(str(path))
    while True:
        meta = (path / META_NAME).read_bytes()
        with _links_to(path) as links:
            (links / META_NAME).write_bytes(meta)
            try:
                return tantivy.Index.open(str(links))
            except ValueError:
                # Without the lock: another process may have committed meanwhile, and removed what was listed.
                if (path / META_NAME).read_bytes() == meta:
                    raise


@contextmanager
def _links_to(path: Path) -> Iterator[Path]:
    """A folder of links to the files in ``path``, without its locks and its list of segments; gone after the block."""
    links = Path(tempfile.mkdtemp(prefix="ammon-"))
    try:
        for file in path.iterdir():
            if file.name not in LOCK_NAMES | {META_NAME}:
                (links / file.name).symlink_to(file.absolute())
        yield links
    finally:
        # tantivy looks at the folder from a thread of its own, too, and may make its lock once more.
        while links.exists():
            shutil.rmtree(links, ignore_errors=True)


def let_read(path: Path) -> None:
    """Give tantivy's lists, which it makes for their owner alone, the mode of its other files. Raises: OSError."""
    mode = stat.S_IMODE((path / WRITER_LOCK).stat().st_mode)
    for name in (META_NAME, MANAGED_NAME):
        if stat.S_IMODE((path / name).stat().st_mode) != mode:
            (path / name).chmod(mode)


def _segments(meta: bytes, fields: Any) -> list[dict[str, Any]] | None:
    """The segments that ``meta.json`` lists; ``None`` unless every name in it is right and every value can be."""
    try:
        said = json.loads(meta)
        segments = said["segments"]
        stamps = [each["deletes"]["opstamp"] for each in segments if each["deletes"]]
        right = (
            said.keys() == _FORMAT_KEYS
            and said["schema"] == fields
            and said["index_settings"].keys() == _SETTINGS
            and all(each.keys() == {"segment_id", "max_doc", "deletes"} for each in segments)
            and all(each["deletes"].keys() == {"num_deleted_docs", "opstamp"} for each in segments if each["deletes"])
            and max(stamps, default=0) <= said["opstamp"]
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return segments if right else None


def _names(segment: dict[str, Any]) -> list[str]:
    """The files of a segment; that of its removed documents, if there are any, is the last."""
    name, deletes = segment["segment_id"].replace("-", ""), segment["deletes"]
    return [f"{name}.{suffix}" for suffix in SUFFIXES] + ([f"{name}.{deletes['opstamp']}.del"] if deletes else [])


def _is_intact(content: bytes) -> bool:
    """Whether the bytes match the checksum in tantivy's footer: body, JSON, its length (u32), magic 1337 (u32)."""
    length = int.from_bytes(content[-8:-4], "little")
    start = len(content) - 8 - length
    if int.from_bytes(content[-4:], "little") != _MAGIC or start < 0:
        return False
    try:
        crc: int = json.loads(content[start:-8])["crc"]
    except (ValueError, KeyError, TypeError):
        return False
    return zlib.crc32(memoryview(content)[:start]) == crc


def _counts(removed: bytes, segment: dict[str, Any]) -> bool:
    """Whether a file of removed documents fits its segment: how many there were (u32), then a bit for each left."""
    total = int.from_bytes(removed[:4], "little")
    left = int.from_bytes(removed[4 : 4 + 8 * -(-total // 64)], "little").bit_count()
    return bool(total == segment["max_doc"] and total - left == segment["deletes"]["num_deleted_docs"])
