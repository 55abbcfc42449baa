"""Upgrades a library again and again, killed before one file operation more each time, and tells what is then there.

Run as a program: ``interrupted.py LIBRARY PLACE STEP TORN``. LIBRARY is a folder to be upgraded, or nothing at all for
one that is made; each try works on a copy of it in PLACE. STEP 1 adds a step to the product's own. TORN 1 has half of
what was to be written reach the file first. Writes one JSON line a try: the schema that a plain reader finds after the
kill, whether pages have checksums, and what the library holds once it was opened again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import apsw

from ammon.store.local import catalog
from ammon.store.local.schema import MIGRATIONS, SCHEMA

TABLES = ("document", "chunk", "vector", "root", "space", "change")


def next_step(connection: apsw.Connection) -> None:
    """A migration of every kind: a column, a table, an index, and rows written anew."""
    connection.execute("ALTER TABLE document ADD COLUMN note TEXT NOT NULL DEFAULT ''")
    connection.execute("CREATE TABLE page (chunk INTEGER PRIMARY KEY, letters INTEGER NOT NULL)")
    connection.execute("INSERT INTO page SELECT id, length(text) FROM chunk")
    connection.execute("UPDATE document SET note = 'of ' || uri")
    connection.execute("DROP INDEX chunk_text")
    connection.execute("CREATE INDEX chunk_text ON chunk (text_hash, id)")


class Deadly(apsw.VFS):
    """The system's files, with an end before the ``left``-th operation that changes one."""

    def __init__(self, left: int, *, torn: bool) -> None:
        self.left, self.torn = left, torn
        super().__init__("deadly", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        return DeadlyFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        if self.live():
            os.kill(os.getpid(), signal.SIGKILL)
        super().xDelete(filename, syncdir)

    def live(self) -> bool:
        """Count one operation. Returns whether it is the last one."""
        self.left -= 1
        if self.left == 0 and not self.torn:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.left == 0


class DeadlyFile(apsw.VFSFile):
    def __init__(self, deadly: Deadly, name: Any, flags: list[int]) -> None:
        self._deadly = deadly
        super().__init__("unix", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self._deadly.live():
            super().xWrite(data[: len(data) // 2], offset)
            os.kill(os.getpid(), signal.SIGKILL)
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self._deadly.live():
            os.kill(os.getpid(), signal.SIGKILL)
        super().xSync(flags)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        if self._deadly.live():
            os.kill(os.getpid(), signal.SIGKILL)
        super().xTruncate(newsize)


def main() -> None:
    library, place, step, torn = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "1", sys.argv[4] == "1"
    if step:
        vars(catalog).update(MIGRATIONS=(*MIGRATIONS, next_step), SCHEMA=SCHEMA + 1)
    left = 0
    killed = True
    while killed:
        left += 1
        shutil.rmtree(place, ignore_errors=True)
        if library.exists():
            shutil.copytree(library, place)
        killed = apart(lambda left=left: upgrade(place, Deadly(left, torn=torn))) == -signal.SIGKILL
        found = {"killed": killed, **plain(place)}
        if apart(lambda: (place.parent / "held").write_text(json.dumps(held(place)))) != 0:
            raise SystemExit(f"after {left} operations the library does not open")
        found["held"] = json.loads((place.parent / "held").read_text())
        sys.stdout.write(json.dumps(found) + "\n")


def apart(work: Any) -> int:
    """Do something in a process of its own. Returns its exit code, or less than 0 for the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def upgrade(place: Path, _deadly: Deadly) -> None:
    catalog.Catalog(place).close()


def plain(place: Path) -> dict[str, Any]:
    """The schema and tables as SQLite alone reads them, from a copy."""
    path = place / catalog.CATALOG_NAME
    if not path.exists() or not path.stat().st_size:
        return {"schema": 0, "tables": []}
    seen = place.parent / "seen"
    shutil.rmtree(seen, ignore_errors=True)
    shutil.copytree(place, seen)
    connection = sqlite3.connect(seen / catalog.CATALOG_NAME)
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name").fetchall()
    schema = connection.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone() if rows else ("0",)
    connection.close()
    return {"schema": int(schema[0]), "tables": [row[0] for row in rows]}


def held(place: Path) -> dict[str, Any]:
    """What the library holds once opened: a digest of the rows of each table, and whether its pages have checksums."""
    opened = catalog.Catalog(place)
    digests = {}
    for table in TABLES:
        # by name: later columns are no loss
        names = [row[1] for row in opened.rows(f"PRAGMA table_info({table})") if row[1] != "note"]
        columns = ", ".join(f'"{name}"' for name in names)
        digests[table] = hashlib.sha256(repr(opened.rows(f"SELECT {columns} FROM {table}")).encode()).hexdigest()
    sound = opened.rows("PRAGMA integrity_check")
    opened.close()
    with (place / catalog.CATALOG_NAME).open("rb") as file:
        reserved = file.read(21)[20]
    return {**digests, "sound": sound, "reserved": reserved, "again": plain(place)}


if __name__ == "__main__":
    main()
