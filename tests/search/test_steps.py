"""Steps after fusion: rerank, diversify, group, expand; and a document as the query."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from ammon.errors import InputError
from ammon.ports import Embedder
from ammon.search import search, similar, steps
from ammon.search.explain import explain
from ammon.search.gate import lexical_trust, model_reads
from ammon.store.local.documents import read_document
from ammon.store.local.passages import read_passage
from ammon.store.local.store import LocalStore
from ammon.types import Document, Entry, Query

Fill = Callable[..., LocalStore]
MakeEntry = Callable[..., Entry]


class ShortestFirst:
    """A cross-encoder that likes short texts."""

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        assert query
        return np.array([1 / (1 + len(text)) for text in texts], np.float32)


def test_reranking_orders_what_was_read_and_leaves_the_rest_below(
    fill: Fill, fruit: list[Entry], embedder: Embedder
) -> None:
    store = fill(*fruit)
    plain = search(store, embedder, Query("apples ripen in autumn", k=5))
    hits = search(store, embedder, Query("apples ripen in autumn", k=5), steps=[steps.rerank(ShortestFirst(), depth=3)])
    assert [hit.text for hit in hits[:3]] == sorted((hit.text for hit in plain[:3]), key=len)
    assert [hit.text for hit in hits[3:]] == [hit.text for hit in plain[3:]]
    assert all(hit.why.reranked is not None for hit in hits[:3])
    assert hits[4].why.reranked is None
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(search(store, None, Query("nowhere"), steps=[steps.rerank(ShortestFirst())])) == 0


def test_diversity_puts_a_second_matter_before_a_near_copy(fill: Fill, entry: MakeEntry, embedder: Embedder) -> None:
    copies = [f"apples ripen in autumn in the old orchard, note {number}" for number in range(12)]
    store = fill(*(entry(f"c{n}", [text]) for n, text in enumerate(copies)), entry("o", ["autumn: cider is pressed"]))
    plain = search(store, embedder, Query("apples in autumn", k=4))
    hits = search(store, embedder, Query("apples in autumn", k=4), steps=[steps.diversify(store, balance=0.3)])
    assert "o" not in {hit.uri for hit in plain}
    assert hits[0].chunk_id == plain[0].chunk_id
    assert "o" in {hit.uri for hit in hits[:2]}
    assert len({hit.chunk_id for hit in hits}) == 4


def test_diversity_at_full_balance_changes_nothing(fill: Fill, fruit: list[Entry], embedder: Embedder) -> None:
    store = fill(*fruit)
    plain = search(store, embedder, Query("apples"))
    assert search(store, embedder, Query("apples"), steps=[steps.diversify(store, balance=1.0)]) == plain


def test_diversity_serves_passages_without_vectors(fill: Fill, fruit: list[Entry], embedder: Embedder) -> None:
    store = fill(*fruit, vectors=False)
    hits = search(store, embedder, Query("apples ripen pears quinces", k=4), steps=[steps.diversify(store)])
    assert len(hits) == 4


@pytest.mark.parametrize("count", [0, 1, 2, 9])
@pytest.mark.parametrize("gap", ["", "\n\n", " <gap> "])
def test_a_widened_hit_is_the_document_s_own_text(
    fill: Fill, entry: MakeEntry, embedder: Embedder, count: int, gap: str
) -> None:
    parts = [f"part {number} is about {word}" for number, word in enumerate(["apples", "pears", "figs", "plums", "杏"])]
    made = entry("whole", parts, gap=gap)
    store = fill(entry("before", ["apples and figs"]), made, entry("after", ["more figs"]))
    hits = search(store, embedder, Query("part 2 is about figs", k=3), steps=[steps.expand(store, count)])
    first, last = max(0, 2 - count), min(4, 2 + count)
    assert hits[0].span.start == made.chunks[first].start
    assert hits[0].span.end == made.chunks[last].end
    assert (hits[0].first_line, hits[0].last_line) == (made.chunks[first].first_line, made.chunks[last].last_line)
    assert hits[0].text == made.document.text[hits[0].span.start : hits[0].span.end]
    for hit in hits:
        document = read_document(store.catalog, hit.uri)
        assert document is not None
        assert document.text[hit.span.start : hit.span.end] == hit.text


def test_a_hit_inside_a_widened_one_is_not_shown_twice(fill: Fill, entry: MakeEntry, embedder: Embedder) -> None:
    store = fill(entry("a", ["apples one", "apples two", "apples three"]), entry("b", ["apples elsewhere"]))
    hits = search(store, embedder, Query("apples two", k=4), steps=[steps.expand(store, 2)])
    assert sorted(hit.uri for hit in hits) == ["a", "b"]


def test_expanding_by_less_than_nothing_is_refused(fill: Fill) -> None:
    with pytest.raises(InputError, match="count is -1"):
        steps.expand(fill(), -1)


def test_any_stretch_of_a_stored_text_can_be_read(fill: Fill, entry: MakeEntry) -> None:
    made = entry("a", ["one", "two 二", "three"], gap=" ~ ")
    store = fill(made, vectors=False)
    document_id = store.catalog.value("SELECT id FROM document")
    text = made.document.text
    for start in range(len(text) + 2):
        for end in range(start, len(text) + 2):
            assert read_passage(store.catalog, document_id, start, end) == text[start:end]
    assert not read_passage(store.catalog, 99, 0, 10)


def similar_texts(store: LocalStore, embedder: Embedder | None, document: Document, made: Entry, k: int) -> list[str]:
    return [hit.text for hit in similar(store, embedder, document, made.chunks, k)]


def test_a_document_finds_its_likes_and_not_itself(fill: Fill, entry: MakeEntry, embedder: Embedder) -> None:
    near = entry("near", ["apples ripen in late autumn", "pears ripen off a tree"])
    far = [entry(f"far{number}", [f"quantum field number {number}"]) for number in range(20)]
    made = entry("me", ["apples ripen in autumn", "pears ripen off the tree"])
    store = fill(near, *far, made)
    for model in (embedder, None):
        hits = similar(store, model, made.document, made.chunks, 2)
        assert {hit.uri for hit in hits} == {"near"}
    hits = similar(store, embedder, made.document, made.chunks, 22)
    assert len(hits) == 22
    assert "me" not in {hit.uri for hit in hits}
    stranger = entry("not in the library", ["apples ripen in autumn"])
    assert similar(store, embedder, stranger.document, stranger.chunks, 1)[0].uri == "me"


def test_likeness_keeps_to_the_filter_and_refuses_an_empty_document(
    fill: Fill, fruit: list[Entry], embedder: Embedder
) -> None:
    store = fill(*fruit)
    hits = similar(store, embedder, Document("x", "apples"), [], 5, where={"title": "Orchard"})
    assert len(hits) == 2
    assert similar(store, embedder, Document("x", "apples"), [], 0) == []
    with pytest.raises(InputError, match="x has no text"):
        similar(store, embedder, Document("x", " \n"), [], 5)


def test_reasons_are_told_in_a_line(fill: Fill, fruit: list[Entry], embedder: Embedder) -> None:
    store = fill(*fruit)
    hits = search(store, embedder, Query("do pears ripen", k=5), steps=[steps.rerank(ShortestFirst())])
    line = explain(next(hit for hit in hits if hit.why.dense_rank == 1))
    for part in ("meaning: rank 1 (cosine 0.", "words: rank 1 (BM25 ", "; pear, ripen)", "fused ", "reranked 0.0"):
        assert part in line
    assert "words: not found" in explain(search(store, embedder, Query("pears", mode="dense"))[-1])


def test_the_keyword_leg_is_trusted_by_what_its_best_hits_hold(fill: Fill, fruit: list[Entry]) -> None:
    store = fill(*fruit)
    best = store.records(store.lexical("apples", 3).ids)
    assert lexical_trust(("appl", "ripen", "in"), best) == pytest.approx(1.0)
    assert lexical_trust(("appl", *"bcdefghij"), best) == pytest.approx(0.5)
    assert lexical_trust(("zzz",), best) == 0
    assert lexical_trust((), best) == 0
    assert lexical_trust(("appl",), []) == 0


@pytest.mark.parametrize(
    ("text", "languages", "served"),
    [
        ("what is attention", {"en"}, True),
        ("注意力机制是什么", {"en"}, False),
        ("注意力机制是什么", {"en", "zh"}, True),
        ("注意力机制是什么", set(), True),
        ("What does 注意 mean in Chinese?", {"en"}, True),
        ("що таке увага", {"uk"}, True),
        ("что такое внимание", {"en"}, False),
        ("注意とは何ですか", {"zh"}, False),
        ("2024", {"en"}, True),
    ],
)
def test_a_model_is_asked_in_scripts_it_reads(text: str, languages: set[str], served: bool) -> None:
    assert model_reads(text, frozenset(languages)) is served
