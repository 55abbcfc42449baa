"""A second `index` of an unchanged folder: `python benchmarks/unchanged_folder.py --files 10000`.

Writes small files, indexes them once, then times the `ammon index` command and the
call in process. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ammon import Library


def write_files(folder: Path, count: int) -> None:
    """``count`` files of one short paragraph in folders of a hundred."""
    for number in range(count):
        path = folder / f"{number // 100:04}" / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        # A few texts over and over: each is embedded once, so that setting up takes seconds.
        path.write_text(f"# Note\n\nParagraph of kind {number % 50}.\n", "utf-8")


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, place = Path(scratch) / "files", Path(scratch) / "library"
        write_files(folder, options.files)
        with Library(place) as library:
            started = time.perf_counter()
            first = library.index(folder)
            setup = time.perf_counter() - started
        # Beyond the time within which a file counts as changing still.
        time.sleep(0.2)
        with Library(place) as library:
            library.index(folder)
        # As installed packages run: with their bytecode.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        commands, calls = [], []
        for _ in range(options.runs):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "ammon", "index", str(folder), "--library", str(place), "--json"],
                check=True,
                capture_output=True,
                env=environment,
            )
            commands.append(time.perf_counter() - started)
            with Library(place) as library:
                started = time.perf_counter()
                report = library.index(folder)
                calls.append(time.perf_counter() - started)
    print(
        json.dumps(
            {
                "files": options.files,
                "first run, seconds": round(setup, 2),
                "added": first.added,
                "unchanged": report.unchanged,
                "embedded again": report.embedded,
                "command, seconds": {"min": round(min(commands), 3), "max": round(max(commands), 3)},
                "in process, seconds": {"min": round(min(calls), 3), "max": round(max(calls), 3)},
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
