"""Warm search over many passages, in process: `python benchmarks/search_latency.py --chunks 100000`.

Texts are drawn from words of the model's own vocabulary, the common ones common, so that a query of ten words has the
tokens of a real one; vectors are random unit rows, which does not change the cost. The query is embedded by the real
default model, and each query is new, so nothing comes from a cache. Prints percentiles of the whole search, and what
one query embedding costs alone, from the same run.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ammon import Library
from ammon.store.local.documents import text_hash
from ammon.types import Chunk, Document, Entry, embedded_text

WORDS_PER_CHUNK = 60
CHUNKS_PER_DOCUMENT = 20
WORDS_PER_QUERY = 10
WARM_UP = 100
"""Queries before any is timed."""


def vocabulary(library: Library, size: int = 50_000) -> list[str]:
    """The first ``size`` words of 3 letters or more that are one token each, in the order of the model's vocabulary."""
    tokenizer = library.encoder.embedder.tokenizer
    if tokenizer is None:
        raise SystemExit("A remote model has no vocabulary here; unset AMMON_EMBED_URL.")
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda each: each[1])
    words = [piece[1:] for piece, _ in pieces if piece[0] == "\u2581" and len(piece) > 3]
    return [word for word in dict.fromkeys(words) if word.isascii() and word.isalpha()][:size]


def sentence(rng: np.random.Generator, words: list[str], count: int) -> str:
    """``count`` words, the common ones common."""
    return " ".join(words[min(int(rank), len(words)) - 1] for rank in rng.zipf(1.2, count))


def fill(library: Library, chunks: int, words: list[str]) -> None:
    """Put ``chunks`` passages of random text, with random vectors, into the library."""
    rng = np.random.default_rng(0)
    model = library.encoder.for_passages()
    for first in range(0, chunks, 5_000):
        entries = []
        for number in range(first, min(first + 5_000, chunks), CHUNKS_PER_DOCUMENT):
            texts = [sentence(rng, words, WORDS_PER_CHUNK) for _ in range(CHUNKS_PER_DOCUMENT)]
            entries.append(entry(f"memory:{number}", texts))
        library.store.put(entries)
        hashes = [text_hash(embedded_text((), chunk.text)) for entry in entries for chunk in entry.chunks]
        rows = rng.standard_normal((len(hashes), model.dim)).astype(np.float32)
        library.store.put_vectors(hashes, rows / np.linalg.norm(rows, axis=1, keepdims=True))
    library.store.settle()


def entry(uri: str, texts: list[str]) -> Entry:
    """One document of these passages, a line each, dated by a number to filter on."""
    chunks, reached = [], 0
    for ordinal, text in enumerate(texts):
        chunks.append(Chunk(ordinal, reached, reached + len(text), text, ordinal + 1, ordinal + 1, tokens=80))
        reached += len(text) + 1
    metadata = {"number": int(uri.partition(":")[2])}
    return Entry(Document(uri, "\n".join(texts), metadata=metadata), chunks, content_hash=uri)


def timed(calls: list[Callable[[], object]]) -> dict[str, float]:
    """Percentiles in milliseconds."""
    seconds = []
    for call in calls:
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    p50, p95, p99 = np.percentile(seconds, [50, 95, 99]) * 1e3
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2), "p99_ms": round(float(p99), 2)}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Library(Path(folder) / "library") as library:
        words = vocabulary(library)
        rng = np.random.default_rng(2)
        queries = [sentence(rng, words, WORDS_PER_QUERY) for _ in range(3 * options.queries + WARM_UP)]
        fill(library, options.chunks, words)
        for query in queries[:WARM_UP]:
            library.search(query)
        asked, filtered, alone = (queries[WARM_UP + part :: 3] for part in range(3))
        half = {"number": {"$lt": options.chunks // 2}}
        model = library.encoder.embedder
        result = {
            "chunks": options.chunks,
            "tokens of a query": round(float(np.median(model.count_tokens(queries))), 1),
            "search": timed([lambda query=query: library.search(query) for query in asked]),  # type: ignore[misc]
            "search, half the documents filtered out": timed(
                [lambda query=query: library.search(query, where=half) for query in filtered]  # type: ignore[misc]
            ),
            "query embedding alone": timed([lambda query=query: model.embed_queries([query]) for query in alone]),  # type: ignore[misc]
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
