"""A filter never costs a row: both legs and the whole search against brute force, at any selectivity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ammon import BadFilter
from ammon.search.retrieve import search
from ammon.store.local.filters import Node, metadata_fields, render
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry, Query
from filter_oracle import KEYS, matches, trees
from properties.filled import BruteForce, TopicEmbedder, fill, passage, recall, sentence

MANY = 20_000
SOME = 1_500
SHARES = (0.5, 0.1, 0.01, 0.001, 0.0001)
QUERIES = 30
MODEL = TopicEmbedder()
RANDOM = np.random.default_rng(3)
ASKED = [sentence(RANDOM, 6) for _ in range(QUERIES)]


# --- at set selectivities --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStore]:
    """Documents with a number each, in no order, so that any share of them can be asked for."""
    random = np.random.default_rng(1)
    numbers = random.permutation(MANY)
    store = fill(
        tmp_path_factory.mktemp("large"),
        (passage(f"memory:{at}", sentence(random), number=int(number)) for at, number in enumerate(numbers)),
    )
    yield store
    store.close()


@pytest.fixture(scope="module")
def exact(large: LocalStore) -> BruteForce:
    return BruteForce(large)


def numbers_of(store: LocalStore) -> NDArray[np.int64]:
    """The number of each chunk, by the order of ids."""
    found = store.catalog.rows(
        "SELECT d.metadata ->> 'number' FROM chunk AS c JOIN document AS d ON d.id = c.document ORDER BY c.id"
    )
    return np.array([row[0] for row in found], np.int64)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("k", [1, 10, 100])
def test_the_dense_leg_gives_all_there_are_with_the_recall_of_brute_force(
    large: LocalStore, exact: BruteForce, share: float, k: int
) -> None:
    allowed = numbers_of(large) < share * MANY
    inside = set(exact.ids[allowed].tolist())
    where, recalls = {"number": {"$lt": share * MANY}}, []
    for vector in MODEL.embed_queries(ASKED):
        found = large.dense(vector, k, where).ids
        assert len(found) == min(k, len(inside))
        assert set(found.tolist()) <= inside
        recalls.append(recall(found, exact.nearest(vector, k, allowed)))
    assert np.mean(recalls) >= 0.99


@pytest.mark.parametrize("share", SHARES)
def test_the_keyword_leg_gives_its_unfiltered_list_without_what_is_filtered_out(
    large: LocalStore, exact: BruteForce, share: float
) -> None:
    allowed = dict(zip(exact.ids.tolist(), (numbers_of(large) < share * MANY).tolist(), strict=True))
    where = {"number": {"$lt": share * MANY}}
    for text in ASKED[:5]:
        every = large.lexical(text, MANY)
        kept = np.array([allowed[chunk] for chunk in every.ids.tolist()])
        for k in (1, 10, 100, MANY):
            found = large.lexical(text, k, where)
            assert found.ids.tolist() == every.ids[kept][:k].tolist()
            assert found.scores == pytest.approx(every.scores[kept][:k], abs=1e-3)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("per_document", [0, 1])
def test_a_whole_search_gives_as_many_hits_as_match(large: LocalStore, share: float, per_document: int) -> None:
    where = {"number": {"$lt": share * MANY}}
    for text in ASKED[:5]:
        hits = search(large, MODEL, Query(text, 20, where, per_document=per_document))
        assert len(hits) == min(20, round(share * MANY))
        assert all(hit.metadata["number"] < share * MANY for hit in hits)


# --- with random filters over random documents -----------------------------------------------------------------------

VALUES: tuple[Any, ...] = (
    "",
    "a",
    "A",
    "zh",
    "%",
    "é",
    "2020",
    "注意力",
    0,
    1,
    -1,
    2020,
    0.5,
    2**53,
    2**63,
    True,
    False,
    None,
)


def random_record(random: Random, number: int) -> dict[str, Any]:
    """Everything that a filter can ask about."""

    def value() -> Any:
        kind = random.random()
        if kind < 0.1:
            return [random.choice(VALUES) for _ in range(2)]
        return {random.choice(KEYS): random.choice(VALUES)} if kind < 0.3 else random.choice(VALUES)

    return {
        "uri": random.choice(["/", "/x.y/", ""]) + f"{number}" + random.choice([".md", ".TXT", "", ".tar.gz", ".py"]),
        "media_type": random.choice(["text/plain", "text/markdown"]),
        "size": random.choice([0, 1, 2**40, random.randrange(1000)]),
        "modified": random.randrange(2 * 10**18),
        "title": random.choice(["", "A", "zh", "ab"]),
        "language": random.choice(["", "en", "zh"]),
        "page": random.choice([None, 1, 20]),
        "heading": [random.choice(["", "a", "注意力"]) for _ in range(random.randrange(3))],
        "metadata": {key: value() for key in random.sample(KEYS, random.randrange(6))},
    }


def entry_of(record: Mapping[str, Any], text: str) -> Entry:
    named = {key: record[key] for key in ("uri", "media_type", "title", "language", "metadata")}
    chunk = Chunk(0, 0, len(text), text, 1, 1, record["page"], tuple(record["heading"]), 12)
    return Entry(Document(text=text, **named), [chunk], "x", size=record["size"], modified=record["modified"])


class Mixed:
    """A store of random documents, and what brute force knows of them."""

    def __init__(self, store: LocalStore, records: list[dict[str, Any]]) -> None:
        self.store = store
        self.records = records
        self.exact = BruteForce(store)
        self.names = {path for record in records for path in paths(record["metadata"])}

    def allowed(self, node: Node) -> NDArray[np.bool_]:
        return np.array([matches(node, record) for record in self.records])


def paths(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (*above, key)
        yield from paths(inner, (*above, key))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mixed]:
    random, words = Random(5), np.random.default_rng(5)
    records = [random_record(random, number) for number in range(SOME)]
    store = fill(tmp_path_factory.mktemp("mixed"), (entry_of(record, sentence(words)) for record in records))
    yield Mixed(store, records)
    store.close()


@given(node=trees, k=st.sampled_from([1, 10, 100, SOME]), text=st.sampled_from(ASKED))
@settings(max_examples=max(40, settings().max_examples // 5))
def test_any_filter_selects_in_every_leg_what_brute_force_selects(mixed: Mixed, node: Node, k: int, text: str) -> None:
    where = render(node)
    if {field.path for field in metadata_fields(node)} - mixed.names:
        with pytest.raises(BadFilter):
            mixed.store.lexical(text, k, where)
        return
    allowed = mixed.allowed(node)
    inside = set(mixed.exact.ids[allowed].tolist())
    vector = MODEL.embed_queries([text])[0]
    dense = mixed.store.dense(vector, k, where)
    assert len(dense) == min(k, len(inside))
    assert set(dense.ids.tolist()) <= inside
    assert recall(dense.ids, mixed.exact.nearest(vector, k, allowed)) >= 0.9
    lexical = mixed.store.lexical(text, k, where).ids.tolist()
    assert lexical == [chunk for chunk in mixed.store.lexical(text, SOME).ids.tolist() if chunk in inside][:k]
    hits = search(mixed.store, MODEL, Query(text, min(k, 20), where))
    assert len(hits) == min(k, 20, len(inside))
    assert {hit.chunk_id for hit in hits} <= inside
