"""What a library holds and whether it is sound: `take_stock` for people, `examine` and `repair_derived` for trouble."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ammon.errors import LibraryDamaged
from ammon.store.local.backlog import count_pending
from ammon.store.local.catalog import CATALOG_NAME
from ammon.store.local.kept_lexical import LEXICAL_NAME
from ammon.store.local.kept_vectors import vector_file
from ammon.store.local.ledger import Root
from ammon.store.local.schema import SCHEMA
from ammon.store.local.spaces import active_space
from ammon.store.local.store import LocalStore
from ammon.store.local.vectors import VectorIndex
from ammon.types import Skip


@dataclass(frozen=True, slots=True)
class Status:
    """What a library holds. ``pending`` are texts without a vector; ``files`` are bytes on disk by name."""

    path: Path
    documents: int
    chunks: int
    vectors: int
    pending: int
    model: str
    dim: int
    schema: int
    sequence: int
    files: dict[str, int]
    roots: tuple[Root, ...]
    failed: tuple[Skip, ...]
    skipped: tuple[Skip, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with one file of the library, and what was or can be done about it."""

    file: str
    problem: str
    hint: str
    repaired: bool = False


def take_stock(store: LocalStore) -> Status:
    """Count everything. Takes time in proportion to the library only for what is pending."""
    catalog = store.catalog
    with catalog.reading():
        space = active_space(catalog)
        vectors = catalog.value("SELECT count(*) FROM vector WHERE space = ?", (space.id if space else 0,))
        return Status(
            path=catalog.folder,
            documents=catalog.value("SELECT count(*) FROM document WHERE state = 'ok'"),
            chunks=catalog.value("SELECT count(*) FROM chunk"),
            vectors=vectors,
            pending=count_pending(catalog),
            model=space.model if space else "",
            dim=space.dim if space else 0,
            schema=SCHEMA,
            sequence=catalog.sequence(),
            files=_sizes(catalog.folder),
            roots=tuple(store.ledger.roots()),
            failed=tuple(store.ledger.failed()),
            skipped=tuple(store.ledger.skipped()),
        )


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of each file of the library, and of each folder as one."""
    sizes = {}
    for entry in sorted(folder.iterdir()):
        parts = [entry] if entry.is_file() else [path for path in entry.rglob("*") if path.is_file()]
        sizes[entry.name] = sum(path.stat().st_size for path in parts)
    return sizes


def examine(store: LocalStore) -> list[Finding]:
    """Check the catalog and what is derived from it, page by page and row by row. Returns what is wrong."""
    return [*_examine_catalog(store), *_examine_vectors(store), *_examine_lexical(store)]


def _examine_catalog(store: LocalStore) -> list[Finding]:
    hint = "Restore a copy of the library; what can still be read is found by search as before."
    try:
        problems = [str(row[0]) for row in store.catalog.rows("PRAGMA integrity_check(20)")]
        strays = store.catalog.rows("PRAGMA foreign_key_check")
    except LibraryDamaged as error:
        return [Finding(CATALOG_NAME, str(error), hint)]
    findings = [Finding(CATALOG_NAME, problem, hint) for problem in problems if problem != "ok"]
    return findings + [Finding(CATALOG_NAME, f"a row of {row[0]} belongs to nothing", hint) for row in strays[:20]]


def _examine_vectors(store: LocalStore) -> list[Finding]:
    space = active_space(store.catalog)
    if space is None:
        return []
    path = vector_file(store.catalog.folder, space.id)
    findings = []
    if path.exists() and VectorIndex.load(path, library=store.catalog.uuid, space=space.id, dim=space.dim) is None:
        findings.append(_derived(path.name, "the file is damaged or of another library"))
    found = store.nearest.current()
    held = np.sort(found[0].ids) if found else np.empty(0, np.int64)
    rows = store.catalog.rows(
        """SELECT c.id FROM chunk AS c CROSS JOIN vector AS v ON v.text_hash = c.text_hash AND v.space = ?
        ORDER BY c.id""",
        (space.id,),
    )
    if not np.array_equal(held, np.array([row[0] for row in rows], np.int64)):
        findings.append(_derived(path.name, f"it holds {len(held)} vectors, the catalog {len(rows)}"))
    return findings


def _examine_lexical(store: LocalStore) -> list[Finding]:
    try:
        index = store.words.current()
        findings = [_derived(LEXICAL_NAME, f"{name} does not match its checksum") for name in index.damage()]
        held, wanted = index.count(), int(store.catalog.value("SELECT count(*) FROM chunk"))
    except LibraryDamaged as error:
        return [_derived(LEXICAL_NAME, str(error))]
    if not findings and held != wanted:
        findings.append(_derived(LEXICAL_NAME, f"it holds {held} passages, the catalog {wanted}"))
    return findings


def _derived(file: str, problem: str) -> Finding:
    return Finding(file, problem, "Run `ammon doctor --repair`: it is rebuilt from the catalog, nothing is lost.")


def repair_derived(store: LocalStore, findings: list[Finding]) -> list[Finding]:
    """Rebuild the derived files that ``findings`` name from the catalog. Returns the findings, marked if repaired."""
    damaged = {finding.file for finding in findings} - {CATALOG_NAME}
    if damaged:
        with store.catalog.locked():
            store.words.close()
            store.nearest.close()
            for name in damaged:
                path = store.catalog.folder / name
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
            store.words.write()
            store.nearest.save(always=True)
    return [replace(finding, repaired=finding.file in damaged) for finding in findings]
