"""Whether a catalog still holds all that it ever held.

Checked before SQLite opens it, which would take a damaged log for a short one, and an empty file for a new library.
Undetectable, and legitimate: a whole folder put back as it was before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import apsw

from ammon.errors import LibraryDamaged
from ammon.store.local.files.connection import WHEN_DAMAGED, Frozen, connect, log_path, viewing
from ammon.store.local.files.disk import state_of
from ammon.store.local.files.pages import PAGE_BYTES
from ammon.store.local.files.wal import Log, read_log
from ammon.store.local.files.witness import WITNESS_NAME

DERIVED = ("lexical", "vectors-*.idx", WITNESS_NAME)
"""What is only ever made once there is a catalog."""


class WentBack(LibraryDamaged):
    """The catalog holds less than was once durable in it."""


class Kind(Enum):
    """What a catalog can have lost."""

    GONE = "the catalog is missing or empty, though it was not"
    CUT = "the log breaks off before commits that were durable"
    FOREIGN = "the log goes on from a later catalog than this one"
    SHORT = "the catalog's file is shorter than its log says"
    OLDER = "the catalog holds less than was once durable in it"


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that was durable and is gone. ``file`` is relative to the library's folder."""

    kind: Kind
    file: str
    detail: str

    def error(self, folder: Path) -> LibraryDamaged:
        """What to raise."""
        kind = WentBack if self.kind is Kind.OLDER else LibraryDamaged
        return kind(f"{folder / self.file} is damaged: {self.detail}.", hint=WHEN_DAMAGED)


def losses(path: Path) -> list[Loss]:
    """What the catalog at ``path`` has lost, as far as can be told without opening it for writing."""
    while True:
        before = state_of(path), state_of(log_path(path))
        found = list(_losses(path))
        # Another process may have made the file shorter, and cut the log, between a look at the one and at the other.
        if not found or before == (state_of(path), state_of(log_path(path))):
            return found


def _losses(path: Path) -> Iterator[Loss]:
    # In this order: whoever makes a library makes the catalog first.
    made = [found.name for pattern in DERIVED for found in sorted(path.parent.glob(pattern))]
    log = read_log(log_path(path))
    if not path.exists() or not path.stat().st_size:
        if made or log.pages:
            yield Loss(Kind.GONE, path.name, f"it is gone or empty, and {', '.join(made) or 'its log'} is still there")
    elif log.pages or log.durable:
        yield from _log_losses(path, log)


def _log_losses(path: Path, log: Log) -> Iterator[Loss]:
    name = log_path(path).name
    held = numbered(path)
    if held is not None and log.durable > max(log.last, held):
        lost = log.durable - max(log.last, held)
        yield Loss(Kind.CUT, name, f"{lost} commits that were durable can no longer be read from it")
    if held is not None and log.first > held + 1:
        yield Loss(Kind.FOREIGN, path.name, f"it is older than its log, which goes on after commit {log.first - 1}")
    missing = set(range(path.stat().st_size // PAGE_BYTES + 1, log.size + 1)) - log.pages.keys()
    if missing:
        yield Loss(Kind.SHORT, path.name, f"{len(missing)} pages at its end are missing")


def numbered(path: Path) -> int | None:
    """The number of the last commit in the catalog's file itself, without its log; ``None`` if it cannot be read."""
    try:
        with closing(Frozen(path)) as connection:
            return int(connection.pragma("user_version"))
    except apsw.Error:
        # Page 1 may be half written if the log has it whole; if it has not, opening the catalog will tell.
        return None


def went_back(path: Path, seen: int, held: int) -> Loss | None:
    """The loss, where commit ``seen`` was durable once and the catalog at ``path`` has come to ``held`` only."""
    if seen <= held:
        return None
    return Loss(Kind.OLDER, path.name, f"with its log it has come to commit {held}, and commit {seen} was durable once")


def refuse_older(path: Path, reached: int, file: str) -> None:
    """Make sure that the catalog has come as far as what was derived from it, change ``reached``.

    Raises: WentBack where it has not. It is looked at anew: a view of it that is held may be older, and rightly so.
    """
    with closing(connect(path)) as connection, viewing(connection):
        held = connection.execute("SELECT max(sequence) FROM change").get or 0
    if held < reached:
        detail = f"it has come to change {held}, and {file} holds change {reached}"
        raise Loss(Kind.OLDER, path.name, detail).error(path.parent)
