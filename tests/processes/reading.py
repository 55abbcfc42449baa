"""What can be done with a library that may only be read: every verb, by whoever runs this.

Run as a program: ``python -m processes.reading LIBRARY PLACE``. Writes one JSON object of what `attempt` gives.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TypeAlias

from typer.testing import CliRunner

from ammon import Library
from ammon.cli.app import app
from faults.workload import LIBRARY
from processes.traffic import read, write
from properties.rights import bound_by_permissions
from toy_embedder import TrigramEmbedder

Attempt: TypeAlias = dict[str, list[object]]
QUESTION = "two kinds of memory"


def attempt(folder: Path, place: Path) -> Attempt:
    """What reading gives, and what writing is answered. ``place`` is a folder to write copies to."""
    place.mkdir(parents=True)
    with Library(folder, embedder=TrigramEmbedder()) as library:
        known = library.search(QUESTION, k=1)[0].uri
        return {
            "hybrid": [len(library.search(QUESTION, k=10))],
            "words": [len(library.search(QUESTION, k=10, mode="lexical"))],
            "vectors": [len(library.search(QUESTION, k=10, mode="dense"))],
            "similar": [len(library.similar(known, k=10))],
            "documents": [len(list(library.documents())), library.status().documents],
            "doctor": list(library.doctor()),
            "export": [library.upkeep.export(place / "export").documents],
            "snapshot": [library.upkeep.snapshot(place / "snapshot").documents],
            "index": _refused("index", str(Path(__file__).parent), "--library", str(folder)),
            "compact": _refused("compact", "--library", str(folder)),
            "remove": _refused("remove", known, "--library", str(folder)),
        }


def _refused(*words: str) -> list[object]:
    """The exit code of the command line, and what it says."""
    ended = CliRunner().invoke(app, list(words))
    return [ended.exit_code, *ended.stderr.splitlines()]


def attempt_bound(folder: Path, place: Path) -> Attempt:
    """What `attempt` gives to somebody whom permissions bind."""
    with bound_by_permissions():
        return attempt(folder, place)


def read_bound(place: Path, seed: int) -> Counter[str]:
    """What `traffic.read` gives to somebody whom permissions bind."""
    with bound_by_permissions():
        return read(place, seed)


def write_for_readers(place: Path, seed: int, turns: int) -> Counter[str]:
    """Write as root does where nobody else may, and end after each turn, so that the log comes and goes."""
    os.umask(0o222)
    counts: Counter[str] = Counter()
    for turn in range(turns):
        counts += write(place, seed + turn, 0.5)
        counts["log gone"] += not (place / LIBRARY / "catalog.db-wal").exists()
    return counts


def shut(folder: Path) -> Path:
    """Take the right to write from everybody."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    return folder


if __name__ == "__main__":
    sys.stdout.write(json.dumps(attempt(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
