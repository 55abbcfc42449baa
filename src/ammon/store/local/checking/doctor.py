"""The doctor: says what is wrong with a library, one that does not open included, and mends what can be mended.

Nothing is repaired by guessing. A derived file is built anew from the catalog. A page of the catalog is put right where
its checksum proves what it was. A catalog that has lost what was durable is gone on with only when asked to.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import apsw

from ammon.errors import LibraryDamaged, LibraryNotFound
from ammon.store.local.catalog import CATALOG_NAME
from ammon.store.local.checking.examining import ACCEPT, examine, examine_files, of_error
from ammon.store.local.checking.findings import Finding
from ammon.store.local.derived.kept_lexical import LEXICAL_NAME
from ammon.store.local.files.connection import CHECKED, connect, log_path, register_checksums, translated
from ammon.store.local.files.continuity import Kind, losses
from ammon.store.local.files.lock import WriteLock
from ammon.store.local.files.pages import CHECKSUM_BYTES, restored
from ammon.store.local.files.raw_pages import damaged_pages, has_checksums, open_pages
from ammon.store.local.files.witness import Witness
from ammon.store.local.store import LocalStore

LOCK_SECONDS = 30.0
AGAIN = "Run `ammon index`: it reads again what has changed since."


def diagnose(folder: Path, *, repair: bool = False, lock_timeout: float = LOCK_SECONDS) -> list[Finding]:
    """What is wrong with the library in ``folder``, which need not open; with ``repair``, what was.

    Raises: LibraryNotFound, LibraryNewer; LibraryBusy when another process writes for too long during a repair.
    """
    if not folder.is_dir() or not any(folder.iterdir()):
        raise LibraryNotFound(f"There is no library at {folder}.")
    found = _examined(folder, lock_timeout)
    if not repair or not found:
        return found
    with WriteLock(folder).held(lock_timeout):
        mend_pages(folder / CATALOG_NAME)
        if any(finding.hint == ACCEPT for finding in found):
            # What was derived from a later catalog than this one would tell of its loss for ever.
            _remove(folder, (LEXICAL_NAME, *(path.name for path in folder.glob("vectors-*.idx"))))
        accept_losses(folder)
        add_checksums(folder / CATALOG_NAME)
    again = _repaired(folder, {finding.file for finding in found}, lock_timeout)
    wrong = {finding.file for finding in again}
    mended = [
        replace(each, repaired=True, hint=AGAIN if each.hint == ACCEPT else "")
        for each in found
        if each.file not in wrong
    ]
    return [*mended, *again]


def _examined(folder: Path, lock_timeout: float) -> list[Finding]:
    found = examine_files(folder)
    try:
        with closing(LocalStore(folder, create=False, lock_timeout=lock_timeout)) as store:
            more = examine(store)
    except LibraryDamaged as error:
        more = [of_error(error)]
    # What is wrong inside a file that is damaged follows from the damage.
    named = any(finding.file.startswith(CATALOG_NAME) for finding in found)
    return [*found, *(finding for finding in more if not (named and finding.file == CATALOG_NAME))]


def _repaired(folder: Path, files: set[str], lock_timeout: float) -> list[Finding]:
    """Build the derived ones of ``files`` anew, if the catalog is sound. Returns what is still wrong."""
    again = _examined(folder, lock_timeout)
    if any(finding.file.startswith(CATALOG_NAME) for finding in again):
        return again
    with closing(LocalStore(folder, create=False, lock_timeout=lock_timeout)) as store:
        rebuild(store, files | {finding.file for finding in again})
    return _examined(folder, lock_timeout)


def rebuild(store: LocalStore, names: Iterable[str]) -> None:
    """Build the derived files of these names anew, from nothing but the catalog. Raises: LibraryBusy."""
    wanted = [name for name in names if name == LEXICAL_NAME or name.endswith(".idx")]
    if not wanted:
        return
    with store.catalog.locked():
        store.words.close()
        store.nearest.close()
        _remove(store.catalog.folder, wanted)
        store.words.write()
        store.nearest.save(always=True)


def _remove(folder: Path, names: Iterable[str]) -> None:
    for name in names:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def mend_pages(path: Path) -> int:
    """Put right each page whose checksum tells how. Returns how many; the caller holds the write lock."""
    bad = damaged_pages(path)
    if not bad or not has_checksums(path):
        return 0
    with closing(open_pages(path)) as pages:
        mended = {number: restored(pages.stored(number), number) for number in bad}
        for number, page in mended.items():
            if page is not None:
                pages.write(number, page)
    return sum(page is not None for page in mended.values())


def accept_losses(folder: Path) -> None:
    """Go on with a catalog that has lost some commits for good; the caller holds the write lock.

    What is missing or cut off inside the file cannot be gone on with, and stays as it is.
    """
    path = folder / CATALOG_NAME
    kinds = {loss.kind for loss in losses(path)}
    if kinds & {Kind.GONE, Kind.SHORT} or damaged_pages(path):
        return
    if Kind.FOREIGN in kinds:
        log_path(path).rename(path.with_name(f"{log_path(path).name}.foreign"))
    with translated(path), closing(connect(path)) as connection:
        held = int(connection.pragma("user_version"))
        library = connection.execute("SELECT value FROM meta WHERE key = 'library'").get
    witness = Witness(folder)
    if witness.read().get(str(library), 0) > held or not witness.is_readable():
        witness.forget()
        witness.note(str(library), held)


def add_checksums(path: Path) -> None:
    """Give the pages of an older catalog checksums, by writing it anew; the caller holds the write lock."""
    if not path.exists() or not path.stat().st_size or not register_checksums() or has_checksums(path):
        return
    with translated(path), closing(connect(path)) as connection:
        connection.reserve_bytes("main", CHECKSUM_BYTES)
        connection.execute("VACUUM")
        connection.execute(f"PRAGMA application_id = {CHECKED}")
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
