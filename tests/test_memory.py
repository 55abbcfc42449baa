"""Memory while a file becomes passages, and goes again, stays within a few times the file, however small its rows."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("the peak of a process's memory is read from /proc", allow_module_level=True)

SIZE = 4 * 1024 * 1024
WORDS = "time year people way day man thing woman life child world school state family".split()

MEASURED = """
import sys
from pathlib import Path
from ammon import ingest
from ammon.split import splitter
from ammon.store.local.store import LocalStore

def kib(name):
    for line in open("/proc/self/status"):
        if line.startswith(name):
            return int(line.split()[1])

store = LocalStore(Path(sys.argv[2]))
split = splitter(None, max_tokens=100, count=lambda text: len(text) // 4)
warm = Path(sys.argv[2]).with_name("warm.csv")
warm.write_text("id,word\\n" + "1,one\\n" * 2000)
ingest.mirror(store, warm, ingest.Rules(split))
open("/proc/self/clear_refs", "w").write("5")
before = kib("VmRSS")
report = ingest.mirror(store, Path(sys.argv[1]).parent, ingest.Rules(split))
assert not report.failed, report.failed
Path(sys.argv[1]).unlink()
Path(sys.argv[1]).with_name("b.txt").write_text("another")
ingest.mirror(store, Path(sys.argv[1]).parent, ingest.Rules(split))
print(report.chunks, (kib("VmHWM") - before) * 1024)
"""


def csv_row(rng: random.Random) -> str:
    return f"{rng.randrange(10**6)},{rng.choice(WORDS)},{rng.randrange(100)},{rng.choice(WORDS)} {rng.choice(WORDS)}\n"


def json_row(rng: random.Random) -> str:
    said = " ".join(rng.choices(WORDS, k=12)) + rng.choice(["", " 😀"])
    return json.dumps({"id": rng.randrange(10**6), "text": said}, ensure_ascii=False) + "\n"


def log_row(rng: random.Random) -> str:
    return f"2026-01-{rng.randrange(1, 29):02} INFO {rng.choice(WORDS)} took {rng.randrange(1000)} ms\n"


def one_line(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=50)) + " "


@pytest.mark.parametrize(
    ("name", "row"), [("a.csv", csv_row), ("a.jsonl", json_row), ("a.log", log_row), ("a.txt", one_line)]
)
def test_a_file_takes_a_few_times_its_size(tmp_path: Path, name: str, row: Callable[[random.Random], str]) -> None:
    rng, pieces, size = random.Random(7), [], 0
    while size < SIZE:
        pieces.append(row(rng))
        size += len(pieces[-1].encode())
    path = tmp_path / "files" / name
    path.parent.mkdir()
    path.write_text("".join(pieces), "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path), str(tmp_path / "library")],
        check=True,
        capture_output=True,
        text=True,
    )
    chunks, grown = map(int, done.stdout.split())
    assert chunks > 1000
    # SQLite's cache and the keyword index's writer have bounds of their own, of 64 MB each.
    assert grown < 96_000_000 + 16 * SIZE, f"{grown:,} bytes"
