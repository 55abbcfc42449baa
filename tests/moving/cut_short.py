"""Moves a library again and again, killed before one change of the folder more each time, and tells what is then there.

Run as a program: ``cut_short.py HOME PLACE VERB MOST``. MOST is how many of the changes to try, evenly spread. HOME holds
``library``, a ``snapshot`` of it, an ``export.zip`` and an ``old`` library; each try works on a copy in PLACE. Writes
one JSON line a try.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ammon.store.local.moving.exporting
import ammon.store.local.moving.importing
import ammon.store.local.moving.restoring
import ammon.store.local.moving.snapshots
from ammon import Library
from ammon.upkeep import restore
from toy_embedder import TrigramEmbedder

CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate", "shutil.copyfile", "shutil.rmtree"}
HELD = ("SELECT uri, content_hash, tail FROM document ORDER BY uri", "SELECT text_hash, data FROM vector ORDER BY 1")


def opened(folder: Path) -> Library:
    return Library(folder, embedder=TrigramEmbedder())


def take(place: Path) -> None:
    with opened(place / "library") as library:
        library.upkeep.snapshot(place / "new")


def put_back(place: Path) -> None:
    restore(place / "snapshot", place / "new")


def put_instead(place: Path) -> None:
    restore(place / "snapshot", place / "old", replace=True)


def write_out(place: Path) -> None:
    with opened(place / "library") as library:
        library.upkeep.export(place / "new")


def read_in(place: Path) -> None:
    ammon.store.local.moving.importing.BATCH_DOCUMENTS = 20
    with opened(place / "old") as library:
        library.upkeep.import_file(place / "export.zip")


VERBS: dict[str, Callable[[Path], None]] = {
    "snapshot": take,
    "restore": put_back,
    "replace": put_instead,
    "export": write_out,
    "import": read_in,
}


def digest(folder: Path) -> str:
    """What a library holds, as a few letters."""
    with opened(folder) as library:
        assert library.doctor() == []
        rows = [library.store.catalog.rows(sql) for sql in HELD]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:12]


def found(place: Path) -> dict[str, Any]:
    """Names and contents of what is there, and of what becomes of it when it is used or done again."""
    names = sorted(path.name for path in place.iterdir() if not path.name.startswith("."))
    held = {name: digest(place / name) for name in names if (place / name / "catalog.db").exists()}
    proof = place / "proof"
    if (place / "new" / "snapshot.json").exists():
        restore(place / "new", proof)
    elif (place / "new").is_file():
        with opened(proof) as library:
            library.upkeep.import_file(place / "new")
    return {"names": names, "held": held, "proof": digest(proof) if proof.exists() else None}


def again(place: Path, verb: str) -> str:
    """What an import that was killed comes to when it is run again."""
    if verb != "import":
        return ""
    read_in(place)
    return digest(place / "old")


def arm(left: int) -> Callable[[], int]:
    """End this process before its ``left``-th change of a folder. Returns what tells how many there were."""
    first = left

    def count(event: str, given: tuple[Any, ...]) -> None:
        nonlocal left
        writing = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)
        # tantivy looks at its folder from a thread of its own, and makes its lock once more or does not.
        if (event in CHANGES or writing) and not str(given[0]).endswith(".tantivy-meta.lock"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    return lambda: first - left


def apart(work: Callable[[], object]) -> int:
    """Do something in a process of its own. Returns its exit code, or less than 0 for the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            sys.stderr.flush()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def reset(home: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(home, place)


def count_changes(home: Path, place: Path, verb: str) -> int:
    """How many changes a whole move makes."""
    reset(home, place)
    total = place.parent / "total"

    def whole() -> None:
        changes = arm(0)
        VERBS[verb](place)
        total.write_text(str(changes()))

    if apart(whole) != 0:
        raise SystemExit("the move fails when nobody ends it")
    return int(total.read_text())


def main() -> None:
    home, place, verb, most = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    total = count_changes(home, place, verb)
    points = range(1, total + 1)
    chosen = points if total <= most else [points[at * (total - 1) // (most - 1)] for at in range(most)]
    for left in (*chosen, total + 100):
        reset(home, place)

        def attempt(left: int = left) -> None:
            arm(left)
            VERBS[verb](place)

        killed = apart(attempt) == -signal.SIGKILL

        def tell(killed: bool = killed) -> None:
            said = {"killed": killed, **found(place), "again": again(place, verb)}
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()

        if apart(tell) != 0:
            raise SystemExit(f"after {left} changes: something does not open")


if __name__ == "__main__":
    main()
