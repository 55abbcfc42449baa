"""The reading path over a real store: k hits whenever k match, stable ties, legs that come and go."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ammon.errors import InputError
from ammon.ports import Embedder
from ammon.search import search
from ammon.store.local.store import LocalStore
from ammon.types import Entry, Hit, Mode, Query

Fill = Callable[..., LocalStore]
MakeEntry = Callable[..., Entry]


def texts(hits: list[Hit]) -> list[str]:
    return [hit.text for hit in hits]


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_the_passage_that_says_it_comes_first(fill: Fill, fruit: list[Entry], embedder: Embedder, mode: Mode) -> None:
    hits = search(fill(*fruit), embedder, Query("quinces are sour", mode=mode))
    assert hits[0].text == "quinces are hard and sour"
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(0 <= hit.score <= 1 for hit in hits)


@pytest.mark.parametrize("k", [0, 1, 3, 5, 400])
def test_k_hits_come_back_whenever_k_rows_match(fill: Fill, fruit: list[Entry], embedder: Embedder, k: int) -> None:
    assert len(search(fill(*fruit), embedder, Query("apples", k=k))) == min(k, 5)


@pytest.mark.parametrize("k", [5, 150, 299])
def test_k_hits_come_back_under_a_filter(fill: Fill, entry: MakeEntry, embedder: Embedder, k: int) -> None:
    store = fill(
        *(entry(f"d{number:03}", [f"apples, basket {number}"], title="odd" * (number % 2)) for number in range(600))
    )
    hits = search(store, embedder, Query("apples", k=k, where={"title": "odd"}))
    assert len(hits) == k
    assert {hit.title for hit in hits} == {"odd"}


def test_more_hits_begin_with_the_same_ones(fill: Fill, entry: MakeEntry, embedder: Embedder) -> None:
    chance = np.random.default_rng(5)
    words = ["apple", "pear", "plum", "quince", "fig", "grape", "melon"]
    store = fill(*(entry(f"d{n:03}", [" ".join(chance.choice(words, 6))]) for n in range(300)))
    few = search(store, embedder, Query("ripe apple and fig", k=20))
    many = search(store, embedder, Query("ripe apple and fig", k=250))
    assert [hit.chunk_id for hit in few] == [hit.chunk_id for hit in many[:20]]


def test_a_hit_says_how_it_was_found(fill: Fill, fruit: list[Entry], embedder: Embedder) -> None:
    hit = search(fill(*fruit), embedder, Query("do pears ripen"))[0]
    assert hit.text == "pears ripen off the tree"
    assert (hit.why.dense_rank, hit.why.lexical_rank) == (1, 1)
    assert hit.why.dense_score is not None
    assert 0 < hit.why.dense_score <= 1
    assert hit.why.matched == ("pear", "ripen")
    assert hit.why.fused == pytest.approx(1.0)


def test_a_passage_without_its_vector_yet_is_found_by_its_words(
    fill: Fill, fruit: list[Entry], embedder: Embedder
) -> None:
    hits = search(fill(*fruit, vectors=False), embedder, Query("quinces"))
    assert texts(hits) == ["quinces are hard and sour"]
    assert hits[0].why.dense_rank is None


def test_without_a_model_words_answer_alone(fill: Fill, fruit: list[Entry]) -> None:
    assert texts(search(fill(*fruit), None, Query("秋天"))) == ["苹果在秋天成熟"]
    with pytest.raises(InputError, match="embedding model"):
        search(fill(), None, Query("秋天", mode="dense"))


def test_a_model_of_another_language_is_left_out(fill: Fill, english: Embedder, fruit: list[Entry]) -> None:
    store = fill(*fruit)
    hits = search(store, english, Query("秋天成熟"))
    assert texts(hits) == ["苹果在秋天成熟"]
    assert hits[0].why.dense_rank is None
    assert search(store, english, Query("秋天", mode="dense"))[0].why.dense_rank == 1


def test_a_lone_accidental_term_does_not_outweigh_the_dense_leg(
    fill: Fill, entry: MakeEntry, embedder: Embedder
) -> None:
    store = fill(
        entry("a", ["NFL"]), entry("b", ["wie viele punkte liess die abwehr der panthers zu"]), entry("c", ["z"])
    )
    hits = search(
        store, embedder, Query("wieviel punkt liessen abwehrende panther einer NFL saison nochmal zusammen"), weight=0.3
    )
    assert hits[0].uri == "b"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_query_is_refused(fill: Fill, fruit: list[Entry], embedder: Embedder, text: str) -> None:
    with pytest.raises(InputError, match="empty"):
        search(fill(*fruit), embedder, Query(text))


def test_a_negative_k_is_refused(fill: Fill, fruit: list[Entry], embedder: Embedder) -> None:
    with pytest.raises(InputError, match="-1"):
        search(fill(*fruit), embedder, Query("apples", k=-1))


@pytest.mark.parametrize("text", ["?!", "🙂", "\x00", "a" * 5000, "苹"])
def test_odd_queries_are_answered_all_the_same(fill: Fill, fruit: list[Entry], embedder: Embedder, text: str) -> None:
    assert len(search(fill(*fruit), embedder, Query(text, k=3))) == 3


def test_equal_texts_come_in_a_stable_order(fill: Fill, entry: MakeEntry, embedder: Embedder) -> None:
    store = fill(*(entry(f"d{number}", ["the very same words"]) for number in range(9)))
    for k in (1, 4, 9):
        ids = [hit.chunk_id for hit in search(store, embedder, Query("same words", k=k))]
        assert ids == sorted(ids)
        assert ids[0] == 1


def test_as_many_documents_come_back_as_were_asked_for(fill: Fill, entry: MakeEntry, embedder: Embedder) -> None:
    store = fill(
        entry("long", [f"apples, part {part}" for part in range(500)]),
        *(entry(f"d{number}", [f"basket {number} holds no fruit at all"]) for number in range(5)),
    )
    hits = search(store, embedder, Query("apples, part", k=4, per_document=1))
    assert len({hit.document_id for hit in hits}) == 4
    assert hits[0].uri == "long"
    assert len(search(store, embedder, Query("apples, part", k=9, per_document=1))) == 6


def test_a_step_that_drops_hits_is_given_more_until_there_are_k(
    fill: Fill, entry: MakeEntry, embedder: Embedder
) -> None:
    store = fill(
        entry("long", [f"apples, part {part}" for part in range(500)]),
        *(entry(f"d{number}", [f"basket {number} holds no fruit at all"]) for number in range(5)),
    )

    def short(_query: Query, hits: list[Hit]) -> list[Hit]:
        return [hit for hit in hits if hit.uri != "long"]

    assert len(search(store, embedder, Query("apples, part", k=4), steps=[short])) == 4


@pytest.mark.parametrize("most", [1, 2])
def test_at_most_so_many_passages_of_each_document_come_back(
    fill: Fill, fruit: list[Entry], embedder: Embedder, most: int
) -> None:
    store = fill(*fruit)
    plain = search(store, embedder, Query("apples ripen", k=50))
    hits = search(store, embedder, Query("apples ripen", k=50, per_document=most))
    there, given = (Counter(hit.document_id for hit in each) for each in (plain, hits))
    assert given == {document: min(most, count) for document, count in there.items()}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_document_is_ranked_by_what_both_legs_find_in_it(fill: Fill, entry: MakeEntry, embedder: Embedder) -> None:
    store = fill(
        entry("both", ["orchards bear fruit in autumn", "zyx is a name"]),
        entry("one", ["apples and pears are ripe when autumn comes"]),
        entry("none", ["trains leave at noon"]),
    )
    query = Query("zyx: fruit of orchards in autumn", per_document=1)
    together = search(store, embedder, query)[0]
    assert together.uri == "both"
    apart = {hit.chunk_id: hit.why.fused for hit in search(store, embedder, replace(query, per_document=0))}
    assert together.why.fused >= max(apart.values()) - 1e-6


def test_less_than_no_passages_of_a_document_are_refused(fill: Fill, embedder: Embedder) -> None:
    with pytest.raises(InputError, match="per_document is -1"):
        search(fill(), embedder, Query("apples", per_document=-1))


def test_steps_run_in_order_over_more_than_k(fill: Fill, fruit: list[Entry], embedder: Embedder) -> None:
    seen: list[int] = []

    def count(_query: Query, hits: list[Hit]) -> list[Hit]:
        seen.append(len(hits))
        return hits

    def worst(_query: Query, hits: list[Hit]) -> list[Hit]:
        return hits[::-1]

    plain = search(fill(*fruit), embedder, Query("apples", k=5))
    turned = search(fill(), embedder, Query("apples", k=2), steps=[count, worst, count])
    assert seen == [5, 5]
    assert [hit.chunk_id for hit in turned] == [plain[4].chunk_id, plain[3].chunk_id]


def test_freshness_tells_whether_the_source_still_is_what_was_indexed(
    fill: Fill, entry: MakeEntry, embedder: Embedder, tmp_path: Path
) -> None:
    file = tmp_path / "note.txt"
    file.write_text("apples")
    state = file.stat()
    indexed = entry(str(file), ["apples"], size=state.st_size, modified=state.st_mtime_ns)
    store = fill(indexed, entry("made:by/a/program", ["apples too"]))

    def fresh() -> dict[str, str]:
        return {hit.uri: hit.freshness for hit in search(store, embedder, Query("apples"))}

    assert fresh() == {str(file): "fresh", "made:by/a/program": "unknown"}
    os.utime(file, ns=(1, 1))
    assert fresh()[str(file)] == "changed"
    file.unlink()
    assert fresh()[str(file)] == "missing"


def test_a_better_match_has_a_higher_score_across_queries(fill: Fill, fruit: list[Entry], embedder: Embedder) -> None:
    store = fill(*fruit)
    good = search(store, embedder, Query("quinces are hard and sour"))[0]
    poor = search(store, embedder, Query("zzz unrelated xylophone"))[0]
    assert good.score > 0.7
    assert poor.score < 0.4


_FORKED = """
import os, signal, sys
from ammon import Library
with Library(sys.argv[1], create=False) as library:
    found = len(library.search("quinces", mode="lexical"))
child = os.fork()
if child == 0:
    signal.alarm(20)
    with Library(sys.argv[1], create=False) as library:
        os._exit(0 if len(library.search("quinces", mode="lexical")) == found > 0 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_searches_too(fill: Fill, fruit: list[Entry]) -> None:
    folder = fill(*fruit).catalog.folder
    subprocess.run([sys.executable, "-c", _FORKED, str(folder)], check=True, timeout=60)
