"""Writes a library into one portable file: JSON Lines and float16 arrays in a zip; see `docs/reference/export.md`.

Holds a document and a shard of vectors in memory, whatever the library. Of a damaged catalog it saves what can be
read.
"""

from __future__ import annotations

import io
import json
import os
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ammon._version import __version__
from ammon.errors import LibraryDamaged
from ammon.progress import Progress, Watcher, unwatched
from ammon.settings import FILE_NAME
from ammon.store.local.catalog import Catalog
from ammon.store.local.checking.salvage import SalvagedCatalog
from ammon.store.local.files.disk import make_folder, written
from ammon.store.local.moving import portable
from ammon.store.local.moving.contents import Contents, Held
from ammon.store.local.moving.placing import put_in_place, refuse_existing
from ammon.store.local.spaces import Space, active_space

SHARD_BYTES = 16 * 1024 * 1024
"""A member of documents is closed once it holds this much."""

SHARD_VECTORS = 4096
QUICKLY = 1
"""Level of deflate for vectors, which hardly shrink."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. ``size`` is in bytes; ``losses`` tell what a damaged library could not give."""

    path: Path
    documents: int
    chunks: int
    vectors: int
    size: int
    losses: tuple[str, ...]


def export(catalog: Catalog, target: Path, watcher: Watcher = unwatched) -> Exported:
    """Write all that the library holds into the new file ``target``. Others may write to the library meanwhile.

    Raises: InputError when ``target`` is there; LibraryError.
    """
    exported = None
    with _unfinished(target) as partial:
        with suppress(LibraryDamaged):
            exported = _write(partial, catalog, target, watcher)
        if exported is None or exported.losses:
            partial.unlink(missing_ok=True)
            exported = _write_salvaged(partial, catalog.folder, target, watcher)
        put_in_place(partial, target)
    return exported


def export_folder(folder: Path, target: Path, watcher: Watcher = unwatched) -> Exported:
    """Do what `export` does for the library in ``folder``, which may be too damaged to be opened.

    Raises: LibraryNotFound; LibraryDamaged when nothing at all can be read; and as `export`.
    """
    try:
        catalog = Catalog(folder, create=False)
    except LibraryDamaged:
        with _unfinished(target) as partial:
            exported = _write_salvaged(partial, folder, target, watcher)
            put_in_place(partial, target)
        return exported
    with closing(catalog):
        return export(catalog, target, watcher)


@contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A name beside ``target`` to write to; what is left there after the block is removed."""
    refuse_existing(target)
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with written(target):
            make_folder(target.parent)
            yield partial
    finally:
        # Gone already, or there was an error, which says more than another would.
        with suppress(OSError):
            partial.unlink()


def _write_salvaged(partial: Path, folder: Path, target: Path, watcher: Watcher) -> Exported:
    with closing(SalvagedCatalog(folder)) as catalog:
        return _write(partial, catalog, target, watcher)


def _write(partial: Path, catalog: Catalog, target: Path, watcher: Watcher) -> Exported:
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive, catalog.reading():
        writer = _Writer(archive, catalog, watcher)
        writer.write()
    size = partial.stat().st_size
    return Exported(target, writer.documents, writer.chunks, writer.vectors, size, writer.losses)


@dataclass(slots=True)
class _Writer:
    """One export on its way into its archive."""

    archive: zipfile.ZipFile
    catalog: Catalog
    watcher: Watcher
    documents: int = 0
    chunks: int = 0
    vectors: int = 0
    losses: tuple[str, ...] = ()
    _members: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"documents": [], "vectors": []})

    def write(self) -> None:
        contents = Contents(self.catalog)
        space = _space(self.catalog)
        roots = _roots(self.catalog)
        places = {number: place for place, (number, _) in enumerate(roots)}
        too_long = self._write_documents(contents, places)
        if space is not None:
            self._write_vectors(contents, space)
        self.losses = (*contents.losses, *too_long)
        manifest = {
            "kind": portable.KIND,
            "format": portable.FORMAT,
            "writer": __version__,
            "library": self.catalog.uuid,
            "model": space and {"name": space.model, "fingerprint": space.fingerprint, "dim": space.dim},
            "settings": _settings(self.catalog.folder),
            "roots": [root for _, root in roots],
            "counts": {"documents": self.documents, "chunks": self.chunks, "vectors": self.vectors},
            **self._members,
            "losses": self.losses,
        }
        self.archive.writestr(portable.MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))

    def _write_documents(self, contents: Contents, places: dict[int, int]) -> list[str]:
        """Write every document. Returns what is to be said of those that are too long."""
        total = 0
        with suppress(LibraryDamaged):
            total = int(self.catalog.value("SELECT count(*) FROM document"))
        too_long: list[str] = []
        documents = contents.documents()
        held = next(documents, None)
        while held is not None:
            name = portable.DOCUMENTS.format(len(self._members["documents"]))
            size = rows = 0
            with self.archive.open(name, "w", force_zip64=True) as member:
                while held is not None and size < SHARD_BYTES:
                    line = portable.line_of(held, places)
                    if len(line) > portable.LONGEST_LINE:
                        too_long.append(f"{held.entry.document.uri} is too long for an export.")
                    else:
                        size += member.write(line)
                        rows += 1
                        self._count(held, total)
                    held = next(documents, None)
            self._members["documents"].append({"member": name, "rows": rows})
        return too_long

    def _count(self, held: Held, total: int) -> None:
        self.documents += 1
        self.chunks += len(held.entry.chunks)
        self.watcher(Progress("copy", files_done=self.documents, files_total=max(total, self.documents)))

    def _write_vectors(self, contents: Contents, space: Space) -> None:
        for number, (hashes, data) in enumerate(_shards(contents.vectors(space.id, space.dim))):
            names = portable.VECTORS.format(number), portable.TEXTS.format(number)
            rows = np.frombuffer(data, "<f2").reshape(-1, space.dim)
            keys = np.frombuffer(hashes, np.uint8).reshape(-1, portable.HASH_BYTES)
            for name, array in zip(names, (rows, keys), strict=True):
                buffer = io.BytesIO()
                np.save(buffer, array, allow_pickle=False)
                self.archive.writestr(name, buffer.getvalue(), compresslevel=QUICKLY)
            self._members["vectors"].append({"member": names[0], "texts": names[1], "rows": len(rows)})
            self.vectors += len(rows)


def _shards(vectors: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """The hashes and the vectors of some thousand texts at a time, each joined."""
    while some := list(islice(vectors, SHARD_VECTORS)):
        yield b"".join(text_hash for text_hash, _ in some), b"".join(data for _, data in some)


def _space(catalog: Catalog) -> Space | None:
    with suppress(LibraryDamaged):
        return active_space(catalog)
    return None


def _roots(catalog: Catalog) -> list[tuple[int, dict[str, Any]]]:
    """Each root's id, and what the manifest says of it."""
    with suppress(LibraryDamaged):
        rows = catalog.rows("SELECT id, uri, globs, completed, skips FROM root ORDER BY id")
        return [
            (number, {"uri": uri, "globs": json.loads(globs), "completed": completed, "skips": json.loads(skips)})
            for number, uri, globs, completed, skips in rows
        ]
    return []


def _settings(folder: Path) -> dict[str, Any]:
    """Those of the library's own settings that go with it; see `portable.CARRIED`."""
    path = folder / FILE_NAME
    found = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {name: found[name] for name in portable.CARRIED if name in found}
