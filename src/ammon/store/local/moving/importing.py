"""Reads a portable file into a library; see `docs/reference/export.md`.

The file may come from anywhere: its names are never paths, nothing is believed before it is checked, and every member
is read to its end and compared with its checksum before the first document is stored. Then documents are merged by
uri, batch by batch, each all or nothing, and their vectors after them. Running it again goes on where it stopped.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ammon.errors import LibraryError, ModelMismatch
from ammon.ports import Split
from ammon.progress import Progress, Watcher, unwatched
from ammon.settings import FILE_NAME
from ammon.store.local.backlog import count_pending
from ammon.store.local.catalog import Catalog, batches, marks
from ammon.store.local.derived.replay import UNIT
from ammon.store.local.files.disk import written
from ammon.store.local.moving import portable
from ammon.store.local.moving.archive import Archive, Manifest, opened
from ammon.store.local.moving.contents import Contents, Held
from ammon.store.local.moving.placing import put_in_place
from ammon.store.local.spaces import active_space, claim_space
from ammon.store.local.store import LocalStore
from ammon.types import Entry, Skip, Vectors

BATCH_CHARACTERS = 4_000_000
BATCH_DOCUMENTS = 1_000


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. Counts are documents unless the name says otherwise; ``pending`` are texts without vector."""

    documents: int
    added: int
    updated: int
    unchanged: int
    chunks: int
    vectors: int
    pending: int


@dataclass(slots=True)
class _Tally:
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    chunks: int = 0
    vectors: int = 0


def import_file(
    store: LocalStore, path: Path, split: Split, *, vectors: bool = True, watcher: Watcher = unwatched
) -> Imported:
    """Merge an export into the library. Equal documents are passed over, others of the same uri replaced.

    ``split`` cuts documents that come without passages. Without ``vectors``, only text is taken.
    Raises: PathNotFound; InputError when the file is no export, is damaged, or holds what cannot be; LibraryNewer;
    ModelMismatch when its vectors are of another model; LibraryBusy; LibraryError.
    """
    with opened(path) as archive:
        manifest = Manifest.read(archive)
        model = manifest.model if vectors else None
        if model is not None:
            _require_model(store.catalog, model)
        _require_room(store.catalog, archive.unpacked())
        archive.verify(manifest.members(), watcher)
        is_new = store.catalog.value("SELECT 1 FROM document LIMIT 1") is None
        if is_new:
            _carry_settings(store.catalog, manifest.settings)
        merging = _Merging(store, archive, split, watcher)
        roots = _known_roots(store, manifest)
        merging.documents(manifest, roots)
        if model is not None:
            claim_space(store.catalog, *model)
            merging.vectors(manifest, model[2])
        _finish(store, manifest, roots)
        if is_new:
            # Without the traces of single batches in its statistics, it ranks as the library that it came from.
            store.words.renew()
        tally = merging.tally
    total = tally.added + tally.updated + tally.unchanged
    counts = (total, tally.added, tally.updated, tally.unchanged, tally.chunks, tally.vectors)
    return Imported(*counts, pending=count_pending(store.catalog))


def _require_model(catalog: Catalog, model: tuple[str, str, int]) -> None:
    space = active_space(catalog)
    if space is not None and space.fingerprint != model[1]:
        raise ModelMismatch(
            f"The vectors in the file are of {model[0]}; the library at {catalog.folder} was embedded with "
            f"{space.model}" + (" with other weights." if space.model == model[0] else "."),
            hint="Take only the text with --without-vectors, or import into a new library with --library.",
        )


def _known_roots(store: LocalStore, manifest: Manifest) -> dict[int, int]:
    """The id of each root by its place in the manifest; new ones are made."""
    return {place: store.ledger.root(uri, globs) for place, (uri, globs, _, _) in enumerate(manifest.roots)}


def _require_room(catalog: Catalog, size: int) -> None:
    free = shutil.disk_usage(catalog.folder).free
    if size > free:
        raise LibraryError(
            f"The file unpacks to {size:,} bytes; {free:,} are free where the library is.",
            hint="Free some space, or import into a library elsewhere with --library.",
        )


def _carry_settings(catalog: Catalog, settings: Mapping[str, Any]) -> None:
    """Give a new library that has no settings of its own those that go with the file."""
    path = catalog.folder / FILE_NAME
    if not settings or path.exists():
        return
    partial = path.with_name(f".{FILE_NAME}.part")
    with written(path):
        partial.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()), "utf-8")
        put_in_place(partial, path)


def _finish(store: LocalStore, manifest: Manifest, roots: Mapping[int, int]) -> None:
    """Say of roots that are new here what the file says of them, and tidy up."""
    with store.catalog.writing():
        for place, (_, _, completed, skips) in enumerate(manifest.roots):
            listed = json.dumps([(skip.uri, skip.code, skip.reason) for skip in skips], ensure_ascii=False)
            store.catalog.rows(
                "UPDATE root SET completed = ?, skips = ? WHERE id = ? AND completed IS NULL",
                (completed, listed, roots[place]),
            )
    store.settle()


def _entry_of(held: Held) -> Entry:
    if held.state == "ok":
        return held.entry
    skip = Skip(held.entry.document.uri, held.code, held.reason)
    return replace(held.entry, failure=skip, on_purpose=held.state == "skipped")


class _Merging:
    """Documents and vectors on their way from one archive into a store."""

    def __init__(self, store: LocalStore, archive: Archive, split: Split, watcher: Watcher) -> None:
        self._store = store
        self._archive = archive
        self._split = split
        self._watcher = watcher
        self._contents = Contents(store.catalog)
        self._batch: list[Held] = []
        self._replaced: set[str] = set()
        self._characters = 0
        self.tally = _Tally()

    def documents(self, manifest: Manifest, roots: Mapping[int, int]) -> None:
        """Merge every document. Raises: InputError; what came before is kept."""
        total, done = sum(rows for _, rows in manifest.documents), 0
        for name, rows in manifest.documents:
            before = done
            for line in self._archive.lines(name):
                self._take(self._read(name, done - before + 1, line, roots))
                done += 1
                self._watcher(Progress("copy", files_done=done, files_total=max(done, total)))
            self._commit()
            if done - before != rows:
                raise self._archive.wrong(name, f"it holds {done - before:,} documents, not {rows:,}")

    def _read(self, name: str, number: int, line: bytes, roots: Mapping[int, int]) -> Held:
        try:
            held = portable.held_of(line, roots)
        except portable.Malformed as error:
            raise self._archive.wrong(name, f"line {number}: {error}") from error
        entry = held.entry
        if entry.chunks or not entry.document.text.strip():
            return held
        return replace(held, entry=replace(entry, chunks=self._split(entry.document)))

    def _take(self, held: Held) -> None:
        number = self._store.catalog.value("SELECT id FROM document WHERE uri = ?", (held.entry.document.uri,))
        known = None if number is None else self._contents.document(number)
        # A file that could not be read there takes nothing from one that could be read here.
        # What was in a file went when the file was replaced.
        kept = known is not None and held.entry.container not in self._replaced
        if known is not None and kept and (portable.same(known, held) or (held.state != "ok" and known.state == "ok")):
            self.tally.unchanged += 1
            return
        self._replaced.add(held.entry.document.uri)
        self.tally.added += known is None
        self.tally.updated += known is not None
        self.tally.chunks += len(held.entry.chunks)
        self._batch.append(held)
        self._characters += len(held.entry.document.text)
        if self._characters >= BATCH_CHARACTERS or len(self._batch) >= BATCH_DOCUMENTS:
            self._commit()

    def _commit(self) -> None:
        self._store.put([_entry_of(held) for held in self._batch])
        self._batch, self._characters = [], 0

    def vectors(self, manifest: Manifest, dim: int) -> None:
        """Store the vectors of texts that the library holds and has none of. Raises: InputError."""
        for name, texts, rows in manifest.vectors:
            vectors = self._archive.array(name, "<f2", rows, dim).astype(np.float32)
            keys = self._archive.array(texts, "|u1", rows, portable.HASH_BYTES)
            # Written so that NaN, which compares as nothing, is refused too.
            if not (np.abs(np.linalg.norm(vectors, axis=1) - 1) <= UNIT).all():
                raise self._archive.wrong(name, "a vector is not of unit length")
            self._put([key.tobytes() for key in keys], vectors)

    def _put(self, hashes: Sequence[bytes], vectors: Vectors) -> None:
        for some in batches(np.arange(len(hashes))):
            named = [hashes[at] for at in some]
            space = active_space(self._store.catalog)
            wanted = {
                row[0]
                for row in self._store.catalog.rows(
                    f"""SELECT text_hash FROM chunk WHERE text_hash IN ({marks(some)})
                    EXCEPT SELECT text_hash FROM vector WHERE space = ?""",
                    (*named, space.id if space else 0),
                )
            }
            kept = {text_hash: at for at, text_hash in zip(some, named, strict=True) if text_hash in wanted}
            self._store.put_vectors(list(kept), vectors[list(kept.values())])
            self.tally.vectors += len(kept)
