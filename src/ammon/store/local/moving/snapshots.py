"""Snapshots: consistent copies of a library, made while others write and search, and put in place of one.

A snapshot is a library's folder with one file more, the manifest, which names every other file with its size and
SHA-256. It is made under a name that says it is unfinished, verified, and renamed whole. The catalog is copied page by
page under one read transaction: writers go on meanwhile, and the copy is what the library held when it began.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import apsw

from ammon._version import __version__
from ammon.errors import InputError, LibraryDamaged, LibraryNewer, PathNotFound
from ammon.progress import Progress, Watcher, unwatched
from ammon.settings import FILE_NAME
from ammon.store.local.catalog import CATALOG_NAME
from ammon.store.local.derived.kept_lexical import LEXICAL_NAME
from ammon.store.local.derived.kept_vectors import vector_file
from ammon.store.local.derived.lexical import find_index
from ammon.store.local.derived.vectors import VectorIndex
from ammon.store.local.files.connection import connect, translated, viewing
from ammon.store.local.moving.placing import put_in_place, refuse_existing, unfinished
from ammon.store.local.schema import SCHEMA
from ammon.store.local.spaces import active_space
from ammon.store.local.store import LocalStore

MANIFEST_NAME = "snapshot.json"
FORMAT = 1
PAGES = 1024
"""Pages copied at a time, between two reports of progress."""

LOCKS = ".*.lock"
TRIES = 3
"""How often the keyword index is copied anew when another process has changed it meanwhile."""

COUNTED = {
    "schema": "SELECT value FROM meta WHERE key = 'schema'",
    "documents": "SELECT count(*) FROM document WHERE state = 'ok'",
    "chunks": "SELECT count(*) FROM chunk",
    "vectors": "SELECT count(*) FROM vector",
    "sequence": "SELECT coalesce(max(sequence), 0) FROM change",
}


@dataclass(frozen=True, slots=True)
class FileSum:
    """Size in bytes and SHA-256 (hex) of one file of a snapshot."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot holds. ``library`` is the uuid, ``sequence`` the last change; ``created`` is in UTC.

    ``files`` are by their path below ``path``.
    """

    path: Path
    library: str
    sequence: int
    schema: int
    writer: str
    created: str
    documents: int
    chunks: int
    vectors: int
    files: dict[str, FileSum]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(each.size for each in self.files.values())


def take_snapshot(store: LocalStore, target: Path, watcher: Watcher = unwatched) -> Snapshot:
    """A copy of the library as it is now, in the new folder ``target``. Others may write meanwhile.

    Raises: InputError when ``target`` is there; LibraryDamaged, after which nothing is there; LibraryError.
    """
    catalog = store.catalog
    refuse_existing(target)
    if target.is_relative_to(catalog.folder):
        raise InputError(f"{target} lies inside the library.", hint="Name a folder outside of it.")
    with unfinished(target) as partial:
        # What is derived comes first: the catalog, copied later, then holds all that it was derived from.
        _copy_derived(store, partial)
        counts = _copy_catalog(catalog.path, partial / CATALOG_NAME, watcher)
        files = {name: _sum(partial / name) for name in sorted(_names(partial))}
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        snapshot = Snapshot(target, catalog.uuid, writer=__version__, created=created, files=files, **counts)
        _write_manifest(partial, snapshot)
        put_in_place(partial, target)
    return snapshot


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _copy_catalog(source: Path, target: Path, watcher: Watcher) -> dict[str, int]:
    """Copy the pages of one view of a catalog, and check the copy. Returns what `COUNTED` counts."""
    # Within one transaction, or each write of another process would have the copy begin anew.
    with translated(source), closing(connect(source)) as reader, viewing(reader):
        counts = _counts(reader)
        with apsw.Connection(str(target)) as writer:
            _copy_pages(writer, reader, watcher)
    with translated(target):
        copy = connect(target)
        try:
            problems = [str(row[0]) for row in copy.execute("PRAGMA quick_check(3)") if row[0] != "ok"]
            if problems or _counts(copy) != counts:
                what = "; ".join(problems) or "rows are missing"
                raise LibraryDamaged(
                    f"The copy of {source} is not what it was copied from: {what}.",
                    hint="Run `ammon doctor`; `ammon export` saves what can be read.",
                )
        finally:
            copy.close()
    return counts


def _counts(connection: apsw.Connection) -> dict[str, int]:
    return {name: int(connection.execute(sql).get) for name, sql in COUNTED.items()}


def _copy_pages(writer: apsw.Connection, reader: apsw.Connection, watcher: Watcher) -> None:
    page = int(reader.execute("PRAGMA page_size").get)
    with writer.backup("main", reader, "main") as backup:
        while not backup.done:
            backup.step(PAGES)
            done = backup.page_count - backup.remaining
            watcher(Progress("copy", bytes_done=done * page, bytes_total=backup.page_count * page))


def _copy_derived(store: LocalStore, target: Path) -> None:
    """Copy the settings, and what is derived as far as the copy is sound; the rest is built anew when needed."""
    catalog = store.catalog
    settings = catalog.folder / FILE_NAME
    if settings.is_file():
        shutil.copyfile(settings, target / FILE_NAME)
    space = active_space(catalog)
    if space is not None:
        copy = vector_file(target, space.id)
        with suppress(FileNotFoundError):
            shutil.copyfile(vector_file(catalog.folder, space.id), copy)
        if VectorIndex.load(copy, library=catalog.uuid, space=space.id, dim=space.dim) is None:
            copy.unlink(missing_ok=True)
    any(_copy_lexical(catalog.folder / LEXICAL_NAME, target / LEXICAL_NAME, catalog.uuid) for _ in range(TRIES))


def _copy_lexical(source: Path, target: Path, library: str) -> bool:
    """Copy the keyword index. Returns whether the copy is sound; what was changed meanwhile is not, and is removed."""
    with suppress(FileNotFoundError):
        # Not `shutil.copytree`: a folder that may only be read would make a copy that cannot be written to.
        target.mkdir()
        for file in source.iterdir():
            if not fnmatch(file.name, LOCKS):
                shutil.copyfile(file, target / file.name)
    with suppress(LibraryDamaged):
        index = find_index(target, library=library)
        if index is not None and index.sequence and not index.damage():
            for lock in target.glob(LOCKS):
                lock.unlink()
            return True
    shutil.rmtree(target, ignore_errors=True)
    return False


def _sum(path: Path) -> FileSum:
    with path.open("rb") as file:
        return FileSum(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _write_manifest(folder: Path, snapshot: Snapshot) -> None:
    content = {"format": FORMAT, **dataclasses.asdict(snapshot)}
    del content["path"]
    (folder / MANIFEST_NAME).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def read_snapshot(folder: Path) -> Snapshot:
    """What the manifest of a snapshot says. Raises: PathNotFound, InputError, LibraryNewer, LibraryDamaged."""
    path = folder / MANIFEST_NAME
    if not folder.is_dir():
        raise PathNotFound(f"There is no folder {folder}.")
    if not path.is_file():
        raise InputError(
            f"{folder} is no snapshot: it has no {MANIFEST_NAME}.",
            hint="Name a folder that `ammon snapshot` made. A library needs no restoring: name it with --library.",
        )
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["format"] > FORMAT or content["schema"] > SCHEMA:
            raise LibraryNewer(f"{folder} was made by a later version of Ammon ({content['writer']}).")
        return _snapshot(folder, content)
    except (ValueError, KeyError, TypeError) as error:
        raise LibraryDamaged(f"{path} cannot be read: {error!r}.", hint="Restore another snapshot.") from error


def _snapshot(folder: Path, content: Mapping[str, Any]) -> Snapshot:
    named = {
        each.name: content[each.name] for each in dataclasses.fields(Snapshot) if each.name not in {"path", "files"}
    }
    files = {str(name): FileSum(int(each["size"]), str(each["sha256"])) for name, each in content["files"].items()}
    return Snapshot(path=folder, files=files, **named)
