"""Whether the files of a library are what they should be: each page, row and checksum, and each against the others.

`examine_files` looks at the files as they lie there, before anything opens them; `examine` at an open library.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ammon.errors import LibraryDamaged
from ammon.settings import FILE_NAME
from ammon.store.local.catalog import CATALOG_NAME
from ammon.store.local.checking.findings import Finding, derived
from ammon.store.local.checking.rows import examine_rows
from ammon.store.local.checking.salvage import SalvagedCatalog, Survey, survey
from ammon.store.local.derived.kept_lexical import LEXICAL_NAME
from ammon.store.local.derived.kept_vectors import vector_file
from ammon.store.local.derived.lexical import index_damage
from ammon.store.local.derived.vectors import VectorIndex
from ammon.store.local.files.continuity import Kind, Loss, WentBack, losses
from ammon.store.local.files.lock import LOCK_NAME
from ammon.store.local.files.pages import restored
from ammon.store.local.files.raw_pages import damaged_pages, has_checksums, open_pages
from ammon.store.local.files.wal import LOG_SUFFIX
from ammon.store.local.files.witness import WITNESS_NAME, Witness
from ammon.store.local.store import LocalStore

OWN = re.compile(
    rf"{re.escape(CATALOG_NAME)}({LOG_SUFFIX}|-shm|-journal)?|{re.escape(WITNESS_NAME)}|{re.escape(LOCK_NAME)}"
    rf"|{re.escape(FILE_NAME)}|{LEXICAL_NAME}(\.[0-9a-f]{{32}})?|vectors-\d+\.idx(\.part)?|snapshot\.json"
    r"|prompts|sessions|summaries\.jsonl"
)
"""Names that Ammon makes, leftovers of killed processes included, which later runs remove."""

SALVAGE = (
    "Restore a snapshot if you have one. Otherwise `ammon export FILE` saves what survives, `ammon import FILE "
    "--library NEW` puts it into a new library, and `ammon index` there reads the lost files again."
)
ACCEPT = (
    "Restore a later copy if you have one. Otherwise `ammon doctor --repair` goes on with what is there, "
    "and `ammon index` reads again what has changed since."
)
MEND = "Run `ammon doctor --repair`: the checksum tells which byte is wrong, and what it was."
BEGIN_AGAIN = (
    "Restore a snapshot if you have one. Otherwise move the folder away and run `ammon index`, "
    "which begins a new library."
)
HINTS = {Kind.GONE: BEGIN_AGAIN, Kind.SHORT: SALVAGE, Kind.CUT: ACCEPT, Kind.FOREIGN: ACCEPT, Kind.OLDER: ACCEPT}


def examine_files(folder: Path) -> list[Finding]:
    """What is wrong with the library's files, without opening the library. Nothing is changed."""
    path = folder / CATALOG_NAME
    found = [_of_loss(loss) for loss in losses(path)]
    if path.exists() and path.stat().st_size:
        found += _examine_pages(path)
    if not Witness(folder).is_readable():
        found.append(derived(WITNESS_NAME, "it cannot be read"))
    strays = sorted(entry.name for entry in folder.iterdir() if not OWN.fullmatch(entry.name))
    return found + [Finding(name, "it is no file of the library", "Move it elsewhere.") for name in strays]


def _of_loss(loss: Loss) -> Finding:
    return Finding(loss.file, loss.detail, HINTS[loss.kind])


def _examine_pages(path: Path) -> list[Finding]:
    if not has_checksums(path):
        problem = "its pages carry no checksums, so that damage to them may not be noticed"
        return [Finding(path.name, problem, "Run `ammon doctor --repair` once to add them; it rewrites the catalog.")]
    bad = damaged_pages(path)
    if not bad:
        return []
    listed = ", ".join(map(str, bad[:10])) + (", …" if len(bad) > 10 else "")
    pages = open_pages(path)
    try:
        problem = f"damaged pages, {len(bad)} of {pages.count} ({listed})"
        if all(restored(pages.stored(number), number) for number in bad):
            return [Finding(path.name, f"{problem}; nothing is lost", MEND)]
    finally:
        pages.close()
    try:
        catalog = SalvagedCatalog(path.parent)
    except LibraryDamaged as error:
        return [Finding(path.name, f"{problem}; nothing can be read: {error}", SALVAGE)]
    try:
        found = survey(catalog)
    finally:
        catalog.close()
    return [Finding(path.name, f"{problem}; {told(found)}", SALVAGE, lost=found.lost)]


def told(found: Survey) -> str:
    """What survives, in words."""
    counts = [f"{found.readable[name]:,} of {found.known[name]:,} {name}" for name in found.known]
    nameless = f", and {found.nameless:,} documents whose names are lost" if found.nameless else ""
    lost = f"; damaged: {', '.join(found.lost[:10])}{', …' if len(found.lost) > 10 else ''}" if found.lost else ""
    return f"{', '.join(counts)} can be read{lost}{nameless}"


def examine(store: LocalStore) -> list[Finding]:
    """Check the catalog and what is derived from it, row by row. Returns what is wrong."""
    try:
        return [*_examine_catalog(store), *_examine_vectors(store), *_examine_lexical(store)]
    except LibraryDamaged as error:
        return [of_error(error)]


def of_error(error: LibraryDamaged) -> Finding:
    """The finding that a library which raised this error has."""
    return Finding(CATALOG_NAME, str(error), ACCEPT if isinstance(error, WentBack) else SALVAGE)


def _examine_catalog(store: LocalStore) -> list[Finding]:
    problems = [str(row[0]) for row in store.catalog.rows("PRAGMA integrity_check(20)")]
    strays = store.catalog.rows("PRAGMA foreign_key_check")
    findings = [Finding(CATALOG_NAME, problem, SALVAGE) for problem in problems if problem != "ok"]
    findings += [Finding(CATALOG_NAME, f"a row of {row[0]} belongs to nothing", SALVAGE) for row in strays[:20]]
    return findings + [Finding(CATALOG_NAME, problem, SALVAGE) for problem in examine_rows(store.catalog)]


def _examine_vectors(store: LocalStore) -> list[Finding]:
    spaces = store.catalog.rows("SELECT id, dim, state FROM space ORDER BY id")
    known = {vector_file(store.catalog.folder, space).name for space, _, _ in spaces}
    found = [
        Finding(path.name, "it belongs to no space of the library", "Remove it.")
        for path in sorted(store.catalog.folder.glob("vectors-*.idx"))
        if path.name not in known
    ]
    for space, dim, state in spaces:
        path = vector_file(store.catalog.folder, space)
        sound = VectorIndex.load(path, library=store.catalog.uuid, space=space, dim=dim) is not None
        if path.exists() and not sound:
            found.append(derived(path.name, "the file is damaged or of another library"))
        elif state == "active":
            found += _compare_vectors(store, space, path.name)
    return found


def _compare_vectors(store: LocalStore, space: int, name: str) -> list[Finding]:
    with store.catalog.reading():
        current = store.nearest.current()
        rows = store.catalog.rows(
            """SELECT c.id, v.id FROM chunk AS c CROSS JOIN vector AS v ON v.text_hash = c.text_hash AND v.space = ?
            ORDER BY c.id""",
            (space,),
        )
        wanted = np.array(rows, np.int64).reshape(-1, 2)
        held = np.sort(current[0].ids) if current else np.empty(0, np.int64)
        if not np.array_equal(held, wanted[:, 0]):
            return [derived(name, f"it holds {len(held)} vectors, the catalog {len(rows)}, or not the same")]
        same = current is None or np.array_equal(current[0].rows_of(wanted[:, 0]), wanted[:, 1])
    return [] if same else [derived(name, "it names other rows of the catalog than those of its vectors")]


def _examine_lexical(store: LocalStore) -> list[Finding]:
    wanted = int(store.catalog.value("SELECT count(*) FROM chunk"))
    path = store.catalog.folder / LEXICAL_NAME
    findings = [derived(LEXICAL_NAME, problem) for problem in index_damage(path)]
    if not findings:
        held = store.words.current().count()
        if held != wanted:
            findings.append(derived(LEXICAL_NAME, f"it holds {held} passages, the catalog {wanted}"))
    return findings
