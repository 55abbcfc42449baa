"""`ammon search` from a cold process: `python benchmarks/cold_search.py`.

Indexes a folder (the sample, unless another is named), then runs the command over and over, each time with another
question. Prints JSON; beside the whole command, what starting Python and what importing OpenVINO cost in the same run.
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

QUESTIONS = ("how do bees dance?", "长城有多长？", "why does bread rise?", "wait before trying again", "春天的城市")


def seconds(*arguments: str) -> float:
    """How long a Python process with these arguments takes."""
    started = time.perf_counter()
    # Installed packages have their bytecode; a checkout may only have it if Python may write it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
    return time.perf_counter() - started


def spread(values: list[float]) -> dict[str, float]:
    """Least, middle and most, in seconds."""
    ordered = sorted(values)
    return {"min": round(ordered[0], 3), "median": round(ordered[len(ordered) // 2], 3), "max": round(ordered[-1], 3)}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=str(Path(__file__).parents[1] / "examples" / "sample"))
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library = str(Path(scratch) / "library")
        seconds("-m", "ammon", "index", options.folder, "--library", library)
        searches, bare, openvino = [], [], []
        for number in range(options.runs):
            question = QUESTIONS[number % len(QUESTIONS)]
            searches.append(seconds("-m", "ammon", "search", question, "--library", library))
            bare.append(seconds("-c", "pass"))
            openvino.append(seconds("-c", "import openvino"))
    result = {"ammon search": searches, "python alone": bare, "importing openvino": openvino}
    print(json.dumps({name: spread(values) for name, values in result.items()}, indent=2))


if __name__ == "__main__":
    main()
