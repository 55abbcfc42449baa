"""Peak memory of indexing a corpus of any size, keyword phase: `python benchmarks/index_memory.py --megabytes 1024`.

Writes mixed text: the largest files that are read (64 MiB each of CSV rows, JSONL with emoji, Markdown, a log, and one
line), and many small ones. A process of its own then mirrors it into a library, with the default model's splitter and
without embedding, and is measured: peak resident memory (`VmHWM`), time, and sizes on disk. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ammon import Library, ingest
from ammon.sources import MAX_BYTES

WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work government number night point home water room "
    "mother area money story fact month lot right study book eye job word business issue side kind head house"
).split()


def prose(rng: random.Random, count: int) -> str:
    """``count`` words."""
    return " ".join(rng.choices(WORDS, k=count))


ROWS: dict[str, Callable[[random.Random], str]] = {
    "table.csv": lambda rng: f"{rng.randrange(10**6)},{prose(rng, 2)},{rng.randrange(100)},{prose(rng, 6)}\n",
    "records.jsonl": lambda rng: json.dumps({"id": rng.randrange(10**6), "text": prose(rng, 30) + " 😀"}) + "\n",
    "book.md": lambda rng: f"{rng.choice(['', '', '# ' + prose(rng, 4) + chr(10) * 2])}{prose(rng, 80)}\n\n",
    "server.log": lambda rng: f"2026-01-{rng.randrange(1, 29):02} INFO {prose(rng, 6)} took {rng.randrange(999)} ms\n",
    "line.txt": lambda rng: prose(rng, 200) + " ",
}


def write_rows(path: Path, row: Callable[[random.Random], str], size: int, rng: random.Random) -> None:
    """A file of rows, of at most ``size`` bytes."""
    with path.open("wb") as file:
        while True:
            block = "".join(row(rng) for _ in range(1000)).encode()
            if file.tell() + len(block) > size:
                return
            file.write(block)


def write_corpus(folder: Path, megabytes: int) -> None:
    """The largest files there may be, and small ones of 4 to 200 KB up to the size asked for."""
    rng, left = random.Random(0), megabytes * 1024 * 1024  # noqa: S311 - any words will do
    folder.mkdir()
    for name, row in ROWS.items():
        size = min(MAX_BYTES, left // 8)
        write_rows(folder / name, row, size, rng)
        left -= size
    number = 0
    while left > 0:
        size = rng.randrange(4_000, 200_000)
        path = folder / f"{number // 500}" / f"{number}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n\n".join(prose(rng, 80) for _ in range(size // 450 + 1)), "utf-8")
        left -= path.stat().st_size
        number += 1


def peak_bytes() -> int:
    """The most memory that this process has held, in bytes."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def measure(folder: Path, place: Path) -> dict[str, object]:
    """Mirror the corpus, without embedding, in this process."""
    with Library(place) as library:
        started = time.perf_counter()
        report = ingest.mirror(library.store, folder, ingest.Rules(library.encoder.split))
        seconds = time.perf_counter() - started
        library.store.settle()
        return {
            "files": report.added,
            "failed": [skip.uri for skip in report.failed],
            "passages": report.chunks,
            "seconds": round(seconds, 1),
            "peak memory, MB": round(peak_bytes() / 1e6),
            "library, MB": {name: round(size / 1e6, 1) for name, size in library.status().files.items()},
        }


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(*options.measure)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder, place = Path(scratch) / "files", Path(scratch) / "library"
        write_corpus(folder, options.megabytes)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        command = [sys.executable, __file__, "--measure", str(folder), str(place)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        measured = json.loads(done.stdout)
    rate = {"corpus, MB": round(size / 1e6), "MB a second": round(size / 1e6 / measured["seconds"], 2)}
    print(json.dumps({**rate, **measured}, indent=2))


if __name__ == "__main__":
    main()
