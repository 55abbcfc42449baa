"""The store port against a dictionary: whatever is put, removed and embedded, every view of it in any process is that."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from ammon.store.local.compaction import compact
from ammon.store.local.documents import read_document, text_hash
from ammon.store.local.spaces import claim_space
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry
from properties.holdings import require_indexes
from toy_embedder import TrigramEmbedder

MEMORY = Path("/dev/shm")
MODEL = TrigramEmbedder()
URIS = ("a", "b", "c", "新", "e/f")
WORDS = ("apple", "quince", "pear", "苹果", "plum")

Model = dict[str, tuple[list[str], int]]
"""Uri → the texts of its passages, and a number in its metadata."""

uris = st.sampled_from(URIS)
texts = st.lists(st.sampled_from(WORDS).map(lambda word: f"{word} common"), max_size=4)


def entry(uri: str, passages: list[str], number: int) -> Entry:
    """A document of these passages, one line each."""
    chunks, reached = [], 0
    for ordinal, text in enumerate(passages):
        chunks.append(Chunk(ordinal, reached, reached + len(text), text, ordinal + 1, ordinal + 1, tokens=2))
        reached += len(text) + 1
    return Entry(Document(uri, "\n".join(passages), metadata={"number": number}), chunks, content_hash=str(number))


def seen(store: LocalStore) -> dict[str, Any]:
    """What a view of a library shows through the port: documents, passages by word and by vector, what is pending."""
    whole = {record.uri: read_document(store.catalog, record.uri) for record in store.documents()}
    return {
        "texts": {uri: document.text for uri, document in whole.items() if document},
        "numbers": {uri: document.metadata["number"] for uri, document in whole.items() if document},
        "words": {word: passages(store, store.lexical(word, 100).ids) for word in (*WORDS, "common")},
        "vectors": passages(store, store.dense(MODEL.embed_queries(["common"])[0], 100).ids),
        "pending": sorted(text.text for text in store.pending(100)),
    }


def passages(store: LocalStore, ids: Any) -> list[list[Any]]:
    return sorted([record.uri, record.chunk.ordinal, record.chunk.text] for record in store.records(ids))


def expected(model: Model, embedded: set[str]) -> dict[str, Any]:
    """What every view is to show."""
    every: list[list[Any]] = sorted([uri, at, text] for uri, (held, _) in model.items() for at, text in enumerate(held))
    return {
        "texts": {uri: "\n".join(held) for uri, (held, _) in model.items() if held},
        "numbers": {uri: number for uri, (held, number) in model.items() if held},
        "words": {word: [each for each in every if word in each[2].split()] for word in (*WORDS, "common")},
        "vectors": [each for each in every if each[2] in embedded],
        "pending": sorted({text for _, _, text in every} - embedded),
    }


class Process:
    """Another process that keeps libraries open and tells what it sees."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def seen(self, library: Path) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{library}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def started() -> Iterator[Process]:
    words = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; import {__name__} as m; m.serve()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Process(process)
        assert process.stdin
        process.stdin.close()


def serve() -> None:
    """Tell what is seen of each library named on a line, keeping the last one open."""
    opened: dict[str, LocalStore] = {}
    for line in sys.stdin:
        if line not in opened:
            for store in opened.values():
                store.close()
            opened = {line: LocalStore(Path(line.strip()), create=False)}
        sys.stdout.write(json.dumps(seen(opened[line])) + "\n")
        sys.stdout.flush()


class Storing(RuleBasedStateMachine):
    """Two stores on one library, another process, and what they should hold."""

    other: Process

    @initialize()
    def begin(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="ammon-", dir=MEMORY if MEMORY.is_dir() else None))
        self.stores = [LocalStore(self.place), LocalStore(self.place)]
        claim_space(self.stores[0].catalog, MODEL.name, MODEL.fingerprint, MODEL.dim)
        self.model: Model = {}
        self.embedded: set[str] = set()

    @rule(which=st.integers(0, 1), put=st.dictionaries(uris, st.tuples(texts, st.integers(0, 9)), max_size=3))
    def put(self, which: int, put: Model) -> None:
        self.stores[which].put([entry(uri, *held) for uri, held in put.items()])
        self.model.update(put)

    @rule(which=st.integers(0, 1), names=st.sets(uris, max_size=3))
    def remove(self, which: int, names: set[str]) -> None:
        assert self.stores[which].remove(sorted(names)) == len(names & self.model.keys())
        self.model = {uri: held for uri, held in self.model.items() if uri not in names}

    @rule(which=st.integers(0, 1), count=st.integers(1, 6))
    def embed(self, which: int, count: int) -> None:
        found = [text.text for text in self.stores[which].pending(100)][:count]
        # one of them has been removed since it was read
        asked = [*found, "gone common"]
        self.stores[which].put_vectors([text_hash(text) for text in asked], MODEL.embed_passages(asked))
        self.embedded |= set(found)
        gone = (text_hash("gone common"),)
        assert self.stores[which].catalog.value("SELECT count(*) FROM vector WHERE text_hash = ?", gone) == 0

    @rule(which=st.integers(0, 1))
    def settle(self, which: int) -> None:
        """Only now are vectors let go of whose text is gone: until then a text that comes back is embedded."""
        self.stores[which].settle()
        self.embedded &= {text for held, _ in self.model.values() for text in held}

    @rule(which=st.integers(0, 1))
    def compact(self, which: int) -> None:
        store = self.stores[which]
        assert compact(store.catalog, store.words, store.nearest).changes >= 0
        self.embedded &= {text for held, _ in self.model.values() for text in held}

    @rule(which=st.integers(0, 1))
    def save(self, which: int) -> None:
        self.stores[which].nearest.save(always=True)

    @rule(which=st.integers(0, 1))
    def reopen(self, which: int) -> None:
        self.stores[which].close()
        self.stores[which] = LocalStore(self.place, create=False)

    @rule(which=st.integers(0, 1))
    def look(self, which: int) -> None:
        assert seen(self.stores[which]) == expected(self.model, self.embedded)
        require_indexes(self.stores[which])

    @rule()
    def look_from_another_process(self) -> None:
        assert self.other.seen(self.place) == expected(self.model, self.embedded)

    def teardown(self) -> None:
        try:
            for which in range(2):
                self.look(which)
            self.look_from_another_process()
        finally:
            for store in self.stores:
                store.close()
            shutil.rmtree(self.place)


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with started() as other:
        yield other


def test_every_view_of_a_store_is_what_was_put_into_it(process: Process) -> None:
    Storing.other = process
    run_state_machine_as_test(
        Storing,
        settings=settings(
            max_examples=max(15, settings().max_examples // 10),
            stateful_step_count=25,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


def test_vectors_are_kept_byte_for_byte(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    store.put([entry("a", [f"{word} common" for word in WORDS], 0)])
    claim_space(store.catalog, MODEL.name, MODEL.fingerprint, MODEL.dim)
    pending = store.pending(10)
    rows = MODEL.embed_passages([text.text for text in pending])
    store.put_vectors([text.text_hash for text in pending], rows)
    ids, held = store.nearest.vectors_of(np.array([text.chunk_id for text in pending]))
    assert ids.tolist() == [text.chunk_id for text in pending]
    assert held.tobytes() == rows.astype(np.float16).astype(np.float32).tobytes()
    store.close()
