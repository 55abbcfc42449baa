"""How a library stays small: what nothing needs any more is removed, and its room given back.

A little of it happens after every run (`tidy`), within bounds that amortise its cost; all of it when asked for
(`compact`), after which nothing that was deleted is left in the bytes of any file. Each step is atomic and may be
repeated: a process killed anywhere leaves the library sound, and the next run goes on. Readers go on meanwhile.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ammon.errors import LibraryBusy
from ammon.store.local.backlog import settle
from ammon.store.local.catalog import Catalog
from ammon.store.local.derived.kept_lexical import LEXICAL_NAME, KeptLexical
from ammon.store.local.derived.kept_vectors import KeptVectors, vector_file
from ammon.store.local.derived.lexical import sweep
from ammon.store.local.derived.replay import horizon, prune
from ammon.store.local.files.checkpoints import cut_log
from ammon.store.local.files.connection import connect, translated
from ammon.store.local.files.disk import size_of

FREE_SHARE = 0.5
"""Of the catalog's pages: past it a run ends with a `VACUUM`, so that writing all anew pays for as much gained."""

FREE_BYTES = 8 * 1024 * 1024
"""Less than this is left to be filled again, whatever its share."""

TEMPORARY = ("/var/tmp", "/usr/tmp", "/tmp")  # noqa: S108 - SQLite's own places, only asked how full they are
"""Where SQLite looks for room for temporary files, after `SQLITE_TMPDIR` and `TMPDIR`; nothing of them has a name."""

SPARE_BYTES = 16 * 1024 * 1024
"""Left free on a disk that a `VACUUM` writes to."""


@dataclass(frozen=True, slots=True)
class Compaction:
    """What a compaction did: bytes on disk ``before`` and ``after``, and how much it dropped.

    ``changes`` are entries of the change log, ``leftovers`` names of files that killed processes had left, ``note``
    says what was left undone and why; it is empty when all was done.
    """

    before: int
    after: int
    changes: int
    leftovers: tuple[str, ...]
    note: str = ""

    @property
    def freed(self) -> int:
        """Bytes given back to the disk; below 0 when the library grew, as a first vector file makes it."""
        return self.before - self.after


def compact(catalog: Catalog, words: KeptLexical, nearest: KeptVectors) -> Compaction:
    """Remove all that nothing needs, and every byte of what was deleted. Returns what was done; done twice, nothing.

    Raises: LibraryBusy, LibraryError when the disk is full or fails: what was done until then stays.
    """
    with catalog.locked():
        before = size_of(catalog.folder)
        settle(catalog)
        # The log goes only as far as the index has come.
        words.write()
        words.tidy(most=0.0)
        nearest.save(always=nearest.is_behind())
        leftovers = remove_leftovers(catalog)
        # Before the log is pruned, which forgets what has been removed.
        soiled = _is_soiled(catalog)
        changes = prune(catalog, _reached(catalog, words, nearest))
        note = _vacuum(catalog) if soiled or _bytes_of(catalog)[1] else ""
        note = note or cut_log(catalog)
        return Compaction(before, size_of(catalog.folder), changes, leftovers, note)


def tidy(catalog: Catalog, words: KeptLexical, nearest: KeptVectors) -> None:
    """Do what is due after a run; nothing, mostly. What another process is in the way of is left to its own run."""
    settle(catalog)
    nearest.save()
    words.tidy()
    try:
        with catalog.locked(timeout=0):
            remove_leftovers(catalog)
            prune(catalog, _reached(catalog, words, nearest))
            total, free = _bytes_of(catalog)
            if free >= max(FREE_BYTES, FREE_SHARE * total):
                _vacuum(catalog)
            cut_log(catalog, patience_ms=0)
    except LibraryBusy:
        return


def _reached(catalog: Catalog, words: KeptLexical, nearest: KeptVectors) -> int:
    """The change that both indexes have come to on disk; without a vector file there is none to wait for."""
    reached = nearest.reached()
    return min(words.current().sequence, catalog.sequence() if reached is None else reached)


def remove_leftovers(catalog: Catalog) -> tuple[str, ...]:
    """Remove what killed processes have left beside the library's files. Returns the names; needs the write lock.

    Whoever writes such a file holds the lock until it has its name, so that none of them is anyone's.
    """
    spaces = {vector_file(catalog.folder, int(row[0])).name for row in catalog.rows("SELECT id FROM space")}
    ownerless = [path for path in catalog.folder.glob("vectors-*.idx") if path.name not in spaces]
    ownerless += catalog.folder.glob("vectors-*.part")
    for path in ownerless:
        path.unlink(missing_ok=True)
    return (*(path.name for path in ownerless), *sweep(catalog.folder / LEXICAL_NAME))


def _is_soiled(catalog: Catalog) -> bool:
    """Whether something was removed since the last `VACUUM`.

    `secure_delete` overwrites what is deleted, but where SQLite spread the cells of a full page over two, copies of
    those that moved stay behind in the gap; `VACUUM` alone leaves none (1 name in 1,000 was still there).
    """
    cleaned = int(catalog.value("SELECT value FROM meta WHERE key = 'vacuumed'") or 0)
    if cleaned < horizon(catalog):
        return True
    return bool(
        catalog.value(
            "SELECT 1 FROM change WHERE sequence > ? AND kind IN ('chunks removed', 'document') LIMIT 1", (cleaned,)
        )
    )


def _bytes_of(catalog: Catalog) -> tuple[int, int]:
    """Bytes of the catalog's pages, and of those among them that are free."""
    page, pages, free = (int(catalog.value(f"PRAGMA {name}")) for name in ("page_size", "page_count", "freelist_count"))
    return page * pages, page * free


def _vacuum(catalog: Catalog) -> str:
    """Write the catalog anew, dense and with nothing deleted in it. Returns why not, or nothing."""
    total, free = _bytes_of(catalog)
    short = _shortage(catalog.folder, total - free)
    if short:
        return f"{catalog.path.name} was not written anew: {short}."
    # A connection of its own: this thread's may be in the middle of a listing.
    with translated(catalog.path), closing(connect(catalog.path)) as connection:
        connection.execute("VACUUM")
    with catalog.writing():
        catalog.rows(
            "INSERT INTO meta VALUES ('vacuumed', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (str(catalog.sequence()),),
        )
    return ""


def _shortage(folder: Path, needed: int) -> str:
    """Why a `VACUUM` of ``needed`` bytes has no room: it fills a temporary file, then the log beside the catalog."""
    places = [folder, _temporary_folder()]
    if len({place.stat().st_dev for place in places}) == 1:
        places, needed = [folder], 2 * needed
    needed += SPARE_BYTES
    for place in places:
        free = shutil.disk_usage(place).free
        if free < needed:
            return f"that takes {needed:,} bytes at {place}, where {free:,} are free"
    return ""


def _temporary_folder() -> Path:
    wanted = [os.environ.get("SQLITE_TMPDIR"), os.environ.get("TMPDIR"), *TEMPORARY]
    usable = [Path(place) for place in wanted if place and os.access(place, os.W_OK | os.X_OK)]
    return usable[0] if usable else Path.cwd()
