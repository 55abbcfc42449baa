"""Writers and readers of one library, each a process: what every writer promises, and every reader holds him to.

Each key's versions are numbered in the order in which they are written: who writes a key holds its lock meanwhile. A
file that all of them map holds the last version of each key that was begun, and the last that was acknowledged.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from filelock import FileLock

from ammon import Document, Hit, Library
from ammon.store.local.derived.replay import packed
from ammon.store.local.documents import read_document
from ammon.types import Record, embedded_text
from faults.workload import JOURNAL, mark, open_library, written
from processes.apart import has_ended
from toy_embedder import TrigramEmbedder

KEYS = 200
VERSIONS = "versions"


class Versions:
    """The versions of every key that were ``begun`` and ``done``, shape ``(KEYS,)``, shared by all processes."""

    def __init__(self, place: Path) -> None:
        path = place / VERSIONS
        counts = np.memmap(path, np.int64, "r+" if path.exists() else "w+", shape=(2, KEYS))
        self.begun, self.done = counts


def uri_of(key: int) -> str:
    """The name of a key's document."""
    return f"made:{key}"


@cache
def text_of(key: int, version: int) -> str | None:
    """What a version of a key holds; ``None`` where the document is removed, or was not there yet."""
    return written(uri_of(key), version, paragraphs=1 + version % 4) if version % 8 else None


def fill(place: Path) -> None:
    """A library with the first version of every key."""
    versions = Versions(place)
    versions.begun[:] = 1
    with open_library(place) as library:
        library.add([Document(uri_of(key), text_of(key, 1) or "", "text/markdown") for key in range(KEYS)])
    versions.done[:] = 1


def write(place: Path, seed: int, seconds: float) -> Counter[str]:
    """Give random keys their next version. Returns how many were put and removed; an error ends it."""
    random, versions, counts = np.random.default_rng(seed), Versions(place), Counter[str]()
    with open_library(place) as library:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            key = int(random.integers(KEYS))
            with FileLock(place / f"{key}.lock"):
                version = int(versions.begun[key]) + 1
                versions.begun[key] = version
                counts[_put(library, key, version)] += 1
                versions.done[key] = version
    return counts


def _put(library: Library, key: int, version: int) -> str:
    text = text_of(key, version)
    if text is None:
        return "removed" if library.remove(uri_of(key)) == 1 else "not there to be removed"
    report = library.add([Document(uri_of(key), text, "text/markdown")])
    return "failed" if report.failed else "put"


def read(place: Path, seed: int) -> Counter[str]:
    """Look at random keys until the writers have ended. Returns how many looks there were, and all that was wrong."""
    random, reader, counts = np.random.default_rng(seed), Reader(place), Counter[str]()
    with open_library(place) as library:
        while not has_ended(place):
            if library.status().chunks:
                counts["looks"] += 1
                counts.update(reader.look(library, int(random.integers(KEYS))))
    return counts


@dataclass(frozen=True)
class Seen:
    """A document as one view of the catalog has it, with the vectors of its chunks, by id, as far as they are made."""

    text: str | None
    records: list[Record]
    vectors: dict[int, bytes]


class Reader:
    """Remembers how far each key has come, which it must never go back from."""

    def __init__(self, place: Path) -> None:
        self._versions = Versions(place)
        self._reached = np.zeros(KEYS, np.int64)

    def look(self, library: Library, key: int) -> Iterator[str]:
        """What is wrong with a key."""
        done = int(self._versions.done[key])
        seen = _seen(library, uri_of(key))
        lowest = max(done, int(self._reached[key]))
        fitting = [v for v in range(lowest, int(self._versions.begun[key]) + 1) if text_of(key, v) == seen.text]
        if not fitting:
            yield f"{uri_of(key)} is no version from {lowest} on: {seen.text}"
            return
        self._reached[key] = fitting[0]
        settled = fitting[0] == done
        wrong = [*_parts(seen, settled), *(_searched(library, key, done, seen) if settled else ())]
        # Where another version was begun while this one was looked for, either may have been found, or neither.
        yield from wrong if self._versions.begun[key] == done else _parts(seen, settled)


def _seen(library: Library, uri: str) -> Seen:
    store = library.store
    with store.catalog.reading():
        document = read_document(store.catalog, uri)
        rows = store.catalog.rows(
            """SELECT c.id, v.data FROM document AS d JOIN chunk AS c ON c.document = d.id
            LEFT JOIN vector AS v ON v.text_hash = c.text_hash WHERE d.uri = ? ORDER BY c.ordinal""",
            (uri,),
        )
        records = store.records(np.array([number for number, _ in rows], np.int64))
    return Seen(document.text if document else None, records, {number: data for number, data in rows if data})


def _parts(seen: Seen, settled: bool) -> Iterator[str]:
    """What does not agree in a document; one that is ``settled`` has all its vectors."""
    text = seen.text or ""
    if bool(seen.records) != bool(text):
        yield f"{len(seen.records)} chunks of a text of {len(text)} characters"
    for record in seen.records:
        chunk = record.chunk
        if text[chunk.start : chunk.end] != chunk.text:
            yield f"{record.uri}: a chunk at {chunk.start} is of another version: {chunk.text}"
        right = packed(TrigramEmbedder().embed_passages([embedded_text(chunk.heading, chunk.text)]))[0]
        if seen.vectors.get(record.chunk_id, b"" if settled else right) != right:
            yield f"{record.uri}: the vector of a chunk at {chunk.start} is missing, or another's"


def _searched(library: Library, key: int, version: int, seen: Seen) -> Iterator[str]:
    """What is wrong with how a version that was acknowledged is found: by words each of its chunks, by vector too."""
    uri, wanted = uri_of(key), sorted(record.chunk_id for record in seen.records)
    found = sorted(hit.chunk_id for hit in _by_mark(library, uri, version)) if wanted else []
    if found != wanted:
        yield f"{uri}: version {version} is in chunks {wanted}, and found by its word in {found}"
    if any(hit.uri == uri for old in range(max(1, version - 3), version) for hit in _by_mark(library, uri, old)):
        yield f"{uri}: a version before {version} is still found"
    for record in seen.records:
        near = library.search(embedded_text(record.chunk.heading, record.chunk.text), k=3, mode="dense")
        if record.chunk_id not in {hit.chunk_id for hit in near}:
            yield f"{uri}: version {version} is not found by the vector of its chunk at {record.chunk.start}"


def _by_mark(library: Library, uri: str, version: int) -> list[Hit]:
    """The hits for the word that stands in one version alone; all of them must be of a text that holds it."""
    word = mark(uri, version)
    return [hit for hit in library.search(word, k=20, mode="lexical") if word in hit.text]


def write_journal(place: Path) -> None:
    """Write down what was acknowledged last for each key, and what was there before, as `faults.oracle` reads it."""
    done = Versions(place).done.tolist()
    with (place / JOURNAL).open("w", encoding="utf-8") as file:
        for back in (3, 2, 1, 0):
            texts = {uri_of(key): text_of(key, max(0, version - back)) for key, version in enumerate(done)}
            documents = {uri: text for uri, text in texts.items() if text is not None}
            file.write(json.dumps({"word": "done", "step": f"{back} before the end", "documents": documents}) + "\n")
        file.write(json.dumps({"word": "begun", "step": "the end", "documents": documents}) + "\n")
