"""The plain word finds the text whatever was left in it; what is found is the text as it stands in the source."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ammon.ports import Embedder
from ammon.search.likeness import similar
from ammon.search.retrieve import search
from ammon.store.local.derived.terms import terms
from ammon.store.local.documents import text_hash
from ammon.store.local.store import LocalStore
from ammon.types import Document, Entry, Query

Fill = Callable[..., LocalStore]
Make = Callable[..., Entry]

FOUND = [
    ("information", "the infor-\nmation was lost"),
    ("information", "the infor-\r\n  mation was lost"),
    ("infor", "the infor-\nmation was lost"),
    ("information", "the in\xadfor\xadma\xad\ntion was lost"),
    ("information", "the in\u200bfor\u2060ma\ufefftion was lost"),
    ("well known", "it is well-\nknown"),
    ("efficient file", "an e\ufb03cient \ufb01le"),
    ("ABC123", "ＡＢＣ１２３号"),
    ("中文", "我在学习中\n文和英文"),
    ("中文", "我在学习中\r\n文和英文"),
    ("中文", "我在学习中\u200b文和英文"),
    ("مرحبا", "\ufee3\ufeae\ufea3\ufe92\ufe8e بكم"),
    ("مرحبا", "مرحـــبا بكم"),
    ("10 km", "about\xa010\xa0km away"),
    ("café", "the cafe\u0301 is open"),
]

SAME = [
    ("the infor-\nmation was lost", "the information was lost"),
    ("the in\xadfor\u200bma\xad\ntion was lost", "the information was lost"),
    ("an e\ufb03cient \ufb01le", "an efficient file"),
    ("ＡＢＣ１２３ rooms", "ABC123 rooms"),
    ("about\xa010\xa0km\r\naway", "about 10 km\naway"),
    ("\ufee3\ufeae\ufea3\ufe92\ufe8e بكم", "مرحبا بكم"),
    ("我们今天讨论人工智能的发展和它的未\n来。", "我们今天讨论人工智能的发展和它的未来。"),
]
"""What reads alike: the second is what the model sees of both."""


@pytest.mark.parametrize(("query", "text"), FOUND)
def test_keywords_find_the_plain_word_and_the_hit_is_the_original(
    fill: Fill, entry: Make, query: str, text: str
) -> None:
    made = entry("a", [text], gap="\r\n")
    hits = search(fill(made, vectors=False), None, Query(query, mode="lexical"))
    assert [hit.text for hit in hits] == [text]
    assert made.document.text[hits[0].span.start : hits[0].span.end] == text
    assert hits[0].why.matched == tuple(dict.fromkeys(terms(query)))


@pytest.mark.parametrize(("text", "plain"), SAME)
def test_the_model_reads_the_plain_text_and_the_hit_is_the_original(
    fill: Fill, entry: Make, embedder: Embedder, text: str, plain: str
) -> None:
    store = fill(entry("a", [text]), entry("b", ["nothing of the kind is here"]))
    for asked in (plain, text):
        best = search(store, embedder, Query(asked, mode="dense"))[0]
        assert best.text == text
        assert best.why.dense_score == pytest.approx(1, abs=1e-3)


def test_a_document_is_similar_to_one_that_reads_alike(fill: Fill, entry: Make, embedder: Embedder) -> None:
    text, plain = SAME[0]
    store = fill(entry("a", [text]), entry("b", ["nothing of the kind is here"]))
    best = similar(store, embedder, Document("c", plain), entry("c", [plain]).chunks)[0]
    assert best.text == text
    assert best.why.dense_score == pytest.approx(1, abs=1e-3)


def test_what_reads_alike_is_likened_from_either_side(fill: Fill, entry: Make, embedder: Embedder) -> None:
    text, plain = SAME[0]
    store = fill(entry("a", [plain]), entry("b", ["nothing of the kind is here"]))
    best = similar(store, embedder, Document("c", text), entry("c", [text]).chunks)[0]
    assert best.why.dense_score == pytest.approx(1, abs=1e-3)


def test_a_vector_is_kept_under_the_hash_of_the_text_as_it_stands(fill: Fill, entry: Make) -> None:
    texts = ["the infor-\nmation", "plain words"]
    pending = fill(entry("a", texts), vectors=False).pending(10)
    assert [each.text_hash for each in pending] == [text_hash(text) for text in texts]
    assert [each.text for each in pending] == ["the information", "plain words"]
