"""The library's size while every file is rewritten again and again: `python benchmarks/rewrite_cycles.py`.

Each cycle gives every file a new content, and indexes the folder; its vectors are random ones of the usual length,
which cost no time and take as much room. Nothing is compacted by hand.
Prints JSON: the size on disk after the cycles, its parts at the end, and what `compact` then still frees.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

import numpy as np

from ammon import Library
from ammon.ingest import Rules, mirror
from ammon.store.local.spaces import claim_space

DIM = 384


def rewrite(folder: Path, files: int, rng: random.Random) -> None:
    """Give every file a new content of three to twelve paragraphs."""
    for number in range(files):
        path = folder / f"{number // 100}" / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [" ".join(f"w{rng.randrange(20_000)}" for _ in range(80)) for _ in range(rng.randrange(3, 12))]
        path.write_text("\n\n".join(lines), "utf-8")


def give_vectors(library: Library, rng: random.Random) -> None:
    """Give random unit rows to all texts that wait."""
    claim_space(library.store.catalog, "random", "random", DIM)
    generator = np.random.default_rng(rng.randrange(2**32))
    while pending := library.store.pending(4096):
        rows = generator.standard_normal((len(pending), DIM)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        library.store.put_vectors([each.text_hash for each in pending], rows)
    library.store.settle()


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--cycles", type=int, default=50)
    options = parser.parse_args()
    rng, sizes = random.Random(0), []  # noqa: S311 - any words will do
    with tempfile.TemporaryDirectory() as scratch, Library(Path(scratch) / "library") as library:
        folder = Path(scratch) / "files"
        for _ in range(options.cycles):
            rewrite(folder, options.files, rng)
            mirror(library.store, folder, Rules(library.encoder.split))
            give_vectors(library, rng)
            sizes.append(sum(library.status().files.values()))
        files = library.status().files
        done = library.upkeep.compact()
    result = {
        "files": options.files,
        "bytes after cycle": {each: sizes[each - 1] for each in (1, 5, 10, 25, 50) if each <= options.cycles},
        "largest after cycle 5, against cycle 5": round(max(sizes[4:]) / sizes[4], 3),
        "bytes by file": files,
        "freed by compact": done.freed,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
