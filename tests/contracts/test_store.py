"""The laws of the `Store` port, on every adapter."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ammon.store.local.documents import text_hash
from ammon.store.local.masks import Where
from ammon.store.local.spaces import claim_space
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry, Vectors

DIM = 24
COLOURS = ("red", "green", "blue", "绿色", "黄色")


def document(uri: str, texts: list[str], **metadata: object) -> Entry:
    chunks, reached = [], 0
    for ordinal, text in enumerate(texts):
        chunks.append(Chunk(ordinal, reached, reached + len(text), text, ordinal + 1, ordinal + 1, tokens=2))
        reached += len(text) + 1
    return Entry(Document(uri, "\n".join(texts), metadata=metadata), chunks, content_hash=uri)


def vector_of(text: str) -> Vectors:
    """A unit row that depends on the text alone."""
    seed = int.from_bytes(text_hash(text)[:4], "little")
    row = np.random.default_rng(seed).standard_normal(DIM).astype(np.float32)
    row /= np.linalg.norm(row)
    return row


def embed_all(store: LocalStore) -> int:
    """Give every pending text its vector; returns how many there were."""
    claim_space(store.catalog, "test", "test", DIM)
    pending = store.pending(10_000)
    if pending:
        store.put_vectors([text.text_hash for text in pending], np.stack([vector_of(text.text) for text in pending]))
    return len(pending)


@pytest.fixture(params=[LocalStore], ids=["local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalStore]:
    opened: LocalStore = request.param(tmp_path / "library")
    yield opened
    opened.close()


def texts_of(store: LocalStore, query: str, k: int = 10, where: Where = None) -> list[str]:
    return [record.chunk.text for record in store.records(store.lexical(query, k, where).ids)]


def test_what_is_put_is_found_by_word_and_by_vector(store: LocalStore) -> None:
    store.put([document("a", ["a red apple", "a green pear"])])
    assert texts_of(store, "apple") == ["a red apple"]
    embed_all(store)
    nearest = store.dense(vector_of("a green pear"), 1)
    assert [record.chunk.text for record in store.records(nearest.ids)] == ["a green pear"]
    assert nearest.scores[0] == pytest.approx(1.0, abs=2e-3)


def test_another_process_sees_it_at_once(store: LocalStore) -> None:
    other = LocalStore(store.catalog.folder, create=False)
    assert len(other.lexical("apple", 5)) == 0
    store.put([document("a", ["an apple"])])
    embed_all(store)
    assert len(other.lexical("apple", 5)) == 1
    assert len(other.dense(vector_of("an apple"), 5)) == 1
    other.put([document("b", ["another apple"])])
    assert len(store.lexical("apple", 5)) == 2
    store.remove(["a"])
    assert len(other.lexical("apple", 5)) == 1
    assert len(other.dense(vector_of("an apple"), 5)) == 0
    other.close()


def test_putting_a_document_again_replaces_it(store: LocalStore) -> None:
    store.put([document("a", ["an apple", "a pear"])])
    embed_all(store)
    store.put([document("a", ["a pear", "a quince"])])
    assert texts_of(store, "apple") == []
    assert texts_of(store, "pear") == ["a pear"]
    assert embed_all(store) == 1
    assert len(store.dense(vector_of("a pear"), 10)) == 2


def test_equal_text_is_embedded_once(store: LocalStore) -> None:
    store.put([document("a", ["the same"]), document("b", ["the same"])])
    assert embed_all(store) == 1
    assert len(store.dense(vector_of("the same"), 10)) == 2
    store.put([document("c", ["the same"])])
    assert embed_all(store) == 0
    assert len(store.dense(vector_of("the same"), 10)) == 3


def test_removing_what_is_not_there_removes_nothing(store: LocalStore) -> None:
    store.put([document("a", ["an apple"])])
    assert store.remove(["b"]) == 0
    assert store.remove(["a", "b"]) == 1
    assert texts_of(store, "apple") == []


def test_records_keep_the_order_asked_for_and_leave_out_what_is_gone(store: LocalStore) -> None:
    store.put([document("a", ["one", "two", "three"])])
    ids = store.lexical("one two three", 10).ids
    asked = np.array([*ids[::-1], 10_000])
    assert [record.chunk_id for record in store.records(asked)] == ids[::-1].tolist()


def test_closing_twice_is_harmless(store: LocalStore) -> None:
    store.close()
    store.close()


def test_the_vectors_outlive_their_process(store: LocalStore) -> None:
    store.put([document(str(number), [f"text {number}"]) for number in range(50)])
    embed_all(store)
    store.settle()
    store.remove(["7"])
    again = LocalStore(store.catalog.folder, create=False)
    found = {record.uri for record in again.records(again.dense(vector_of("text 8"), 60).ids)}
    assert found == {str(number) for number in range(50)} - {"7"}
    again.close()


trees = st.lists(st.tuples(st.sampled_from(COLOURS), st.integers(0, 30)), min_size=1, max_size=60)


@given(rows=trees, colour=st.sampled_from(COLOURS), low=st.integers(0, 30), k=st.integers(1, 70))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_filter_costs_no_row(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]], colour: str, low: int, k: int
) -> None:
    store = LocalStore(tmp_path_factory.mktemp("filter"))
    texts = [f"{name} thing number {number}" for number, (name, _) in enumerate(rows)]
    store.put(
        [document(str(number), [texts[number]], colour=name, size=many) for number, (name, many) in enumerate(rows)]
    )
    embed_all(store)
    matching = [number for number, (name, many) in enumerate(rows) if many >= low or name == colour]
    where = {"$or": [{"metadata.size": {"$gte": low}}, {"colour": colour}]}
    query = vector_of("anything")
    exact = np.array([vector_of(text).astype(np.float16).astype(np.float32) @ query for text in texts])
    best = sorted(matching, key=lambda number: (-exact[number], number))[:k]
    dense = [int(record.uri) for record in store.records(store.dense(query, k, where).ids)]
    assert len(dense) == min(k, len(matching))
    assert set(dense) <= set(matching)
    assert len(set(dense) & set(best)) >= 0.9 * len(best)
    lexical = [int(record.uri) for record in store.records(store.lexical("thing", k, where).ids)]
    assert len(lexical) == min(k, len(matching))
    assert set(lexical) <= set(matching)
    store.close()


def test_threads_may_search_while_one_writes(store: LocalStore) -> None:
    store.put([document(str(number), [f"stay {number}"]) for number in range(40)])
    embed_all(store)
    done = threading.Event()
    wrong: list[object] = []

    def search() -> None:
        while not done.is_set():
            found = {record.uri for record in store.records(store.dense(vector_of("stay 1"), 500).ids)}
            if not {str(number) for number in range(40)} <= found:
                wrong.append(found)
            if len(store.lexical("stay", 500)) < 40:
                wrong.append("words")

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(25):
        store.put([document("come and go", [f"stay for {number}", f"and {number} more"])])
        embed_all(store)
        if number % 3 == 0:
            store.remove(["come and go"])
    done.set()
    for thread in threads:
        thread.join(30)
    assert wrong == []
