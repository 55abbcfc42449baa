"""What a library holds, counted: `take_stock`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ammon.store.local.backlog import Filled, count_pending, progress_of
from ammon.store.local.files.disk import size_of
from ammon.store.local.ledger import Root
from ammon.store.local.schema import SCHEMA
from ammon.store.local.spaces import STATES, space_in
from ammon.store.local.store import LocalStore
from ammon.types import Skip


@dataclass(frozen=True, slots=True)
class Status:
    """What a library holds. ``pending`` are texts without a vector; ``files`` are bytes on disk by name.

    ``flagged`` tells what of the documents could not be read, or only with doubt. ``building`` is the change of model
    that is under way; ``retired`` the model that a rollback would bring back.
    """

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
    building: Filled | None = None
    retired: str = ""
    flagged: tuple[Skip, ...] = ()


def take_stock(store: LocalStore) -> Status:
    """Count everything. Takes time in proportion to the library only for what is pending."""
    catalog = store.catalog
    with catalog.reading():
        space, building, retired = (space_in(catalog, state) for state in STATES)
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
            building=progress_of(catalog, building) if building else None,
            retired=retired.model if retired else "",
            flagged=tuple(store.ledger.flagged()),
        )


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of each file of the library, and of each folder as one."""
    return {entry.name: size_of(entry) for entry in sorted(folder.iterdir())}
