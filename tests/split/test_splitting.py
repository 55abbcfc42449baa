"""The laws of passages, on random texts of every kind."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from ammon.split import splitter
from ammon.split.fragments import FRAGMENT, Joiner
from ammon.types import Chunk, Document, Part, embedded_text


def word_tokenizer() -> Tokenizer:
    """WordPiece over single characters, as BERT cuts: small, and with all of BERT's rules for words."""
    pieces = ["[UNK]", *map(chr, range(33, 127)), *(f"##{chr(point)}" for point in range(33, 127)), "the", "##ing"]
    tokenizer = Tokenizer(models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def metaspace_tokenizer() -> Tokenizer:
    """Unigram after NFKC and Metaspace, as XLM-R cuts."""
    pieces = [("<unk>", 0.0), ("▁", -2.0), *((chr(point), -5.0) for point in range(33, 127)), ("▁the", -3.0)]
    tokenizer = Tokenizer(models.Unigram(pieces, 0, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return tokenizer


def byte_tokenizer() -> Tokenizer:
    """Byte-level, as GPT cuts: words do not count alone, so nothing may be remembered."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({piece: number for number, piece in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


TOKENIZERS = {"word": word_tokenizer(), "metaspace": metaspace_tokenizer(), "bytes": byte_tokenizer()}

SNIPPETS = st.sampled_from(
    ["\r\n", "\r", "\n", "\n\n", " ", "\t", "\x00", "\u3000", "\u2028",
     "\ufeff", "e\u0301", "👨\u200d👩\u200d👧", "我们", "。", "ﷺ", "# H\n",
     "```\n", "- item\n", "| a | b |\n", "def f(x):\n    return x\n", "The cat sat. ", "a" * 300, "<tag>", "\ud800"]
)  # fmt: skip
TEXTS = st.lists(st.one_of(SNIPPETS, st.text(max_size=20)), max_size=60).map("".join)
KINDS = st.sampled_from([("prose", ""), ("markdown", ""), ("code", "python"), ("code", "absent"), ("row", "")])


def check(document: Document, chunks: Sequence[Chunk]) -> None:
    """Assert what holds for every document, whatever its text."""
    text, position = document.text, 0
    for ordinal, chunk in enumerate(chunks):
        assert chunk.ordinal == ordinal
        assert text[chunk.start : chunk.end] == chunk.text
        assert chunk.text.strip() == chunk.text != ""
        assert position <= chunk.start
        assert not text[position : chunk.start].strip()
        position = chunk.end
        before, inside = text[: chunk.start], chunk.text
        assert chunk.first_line == line_ends(before) + 1
        assert chunk.last_line == chunk.first_line + line_ends(inside)
    assert not text[position:].strip()


def line_ends(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


@settings(max_examples=120, deadline=None)
@given(TEXTS, KINDS, st.sampled_from(sorted(TOKENIZERS)), st.integers(1, 40))
def test_passages_are_the_text_in_order_whole_and_small_enough(
    text: str, kind: tuple[str, str], name: str, most: int
) -> None:
    tokenizer = TOKENIZERS[name]
    document = Document("u", text, parts=(Part(0, len(text), kind[0], kind[1]),) if text else ())  # type: ignore[arg-type]
    chunks = splitter(tokenizer, max_tokens=most)(document)
    check(document, chunks)
    for chunk in chunks:
        if "\ud800" not in chunk.text:
            assert chunk.tokens == len(tokenizer.encode(chunk.text, add_special_tokens=False).ids)
        assert chunk.tokens <= most or len(chunk.text) == 1


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 60), st.data())
def test_any_parts_may_cut_the_text(text: str, most: int, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=8)))
    kinds = ["prose", "markdown", "code", "row"]
    # A part never begins between the two characters of one line end.
    cuts = [cut for cut in cuts if text[cut - 1 : cut + 1] != "\r\n"]
    parts = tuple(
        Part(start, end, kinds[number % 4], page=number)  # type: ignore[arg-type]
        for number, (start, end) in enumerate(pairwise(cuts))
    )
    document = Document("u", text, parts=parts)
    chunks = splitter(None, max_tokens=most, count=len)(document)
    check(document, chunks)
    for chunk in chunks:
        inside = [part for part in parts if part.start <= chunk.start < part.end]
        assert chunk.page == (inside[0].page if inside else None)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.lists(st.text("abc def", min_size=1, max_size=12), max_size=4), st.integers(8, 60))
def test_a_passage_and_its_heading_path_fit_together(text: str, heading: list[str], most: int) -> None:
    part = Part(0, len(text), heading=tuple(heading))
    chunks = splitter(None, max_tokens=most, count=len)(Document("u", text, parts=(part,) if text else ()))
    room = most - min(len(embedded_text(heading, "")), most // 2)
    assert all(chunk.tokens <= room for chunk in chunks)


def test_a_text_just_over_the_maximum_falls_into_like_halves() -> None:
    text = " ".join(f"Sentence number {number:02} stands here." for number in range(30))
    for most in range(len(text) // 2 + 100, len(text), 50):
        sizes = [chunk.tokens for chunk in splitter(None, max_tokens=most, count=len)(Document("u", text))]
        assert len(sizes) == 2
        assert max(sizes) < 1.5 * min(sizes), (most, sizes)


def is_fragment(chunk: Chunk, most: int) -> bool:
    return chunk.tokens < most // FRAGMENT and len(chunk.text) < most


@settings(max_examples=150, deadline=None)
@given(TEXTS, KINDS.filter(lambda kind: kind[0] != "row"), st.integers(8, 200))
def test_no_passage_is_a_fragment_unless_its_whole_part_is(text: str, kind: tuple[str, str], most: int) -> None:
    document = Document("u", text, parts=(Part(0, len(text), kind[0], kind[1]),) if text else ())  # type: ignore[arg-type]
    chunks = splitter(None, max_tokens=most, count=len)(document)
    check(document, chunks)
    assert len(chunks) == 1 or not any(is_fragment(chunk, most) for chunk in chunks)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("ab .\n#{}", max_size=40), max_size=60).map("".join), KINDS.filter(lambda kind: kind[0] != "row")
)
def test_no_passage_is_a_fragment_by_a_real_tokenizer(text: str, kind: tuple[str, str]) -> None:
    document = Document("u", text, parts=(Part(0, len(text), kind[0], kind[1]),) if text else ())  # type: ignore[arg-type]
    chunks = splitter(TOKENIZERS["word"], max_tokens=32)(document)
    check(document, chunks)
    assert all(chunk.tokens <= 32 for chunk in chunks)
    assert len(chunks) == 1 or not any(is_fragment(chunk, 32) for chunk in chunks)


@pytest.mark.parametrize("kind", ["prose", "markdown"])
@pytest.mark.parametrize("sentences", [9, 25, 2_000])
@pytest.mark.parametrize("between", ["\n\n", "\n", "\r\n\r\n"])
def test_a_title_is_in_one_passage_with_the_text_below_it(kind: str, sentences: int, between: str) -> None:
    text = "On the growth of cats" + between + "The cat sat on the mat and grew again. " * sentences
    document = Document("u", text, parts=(Part(0, len(text), kind),))  # type: ignore[arg-type]
    chunks = splitter(None, max_tokens=400, count=len)(document)
    check(document, chunks)
    assert chunks[0].text.startswith("On the growth of cats")
    assert min(chunk.tokens for chunk in chunks) >= 50


def test_an_overfull_pair_becomes_two_halves_at_the_end_of_a_sentence() -> None:
    text = "A title\n\n" + "The cat sat on the mat. " * 15 + "It left."

    def same(left: int, right: int) -> bool:
        return left <= right

    (_, first, left), (second, end, right) = Joiner(text, len, 370)([(0, 7, 7), (9, len(text), len(text) - 9)], same)
    assert end == len(text)
    assert text[:first].endswith("mat.")
    assert text[second:].startswith("The")
    assert abs(left - right) < 30


def test_a_brace_is_never_a_passage() -> None:
    lines = "".join(f"\t\tvalue{number} = compute(value{number}, limit)\n" for number in range(12))
    code = f"package a\n\nfunc Do(ctx context.Context, attempts int, f func() error) error {{\n{lines}}}\n"
    for most in range(40, 400, 20):
        document = Document("u", code, parts=(Part(0, len(code), "code", "go"),))
        chunks = splitter(None, max_tokens=most, count=len)(document)
        assert not any(is_fragment(chunk, most) for chunk in chunks)


def test_neighbouring_crumbs_that_fit_are_one_passage() -> None:
    code = "".join(f"value{number} = {{\n    {number}: compute({number}),\n}}\n" for number in range(9))
    document = Document("u", code, parts=(Part(0, len(code), "code", "python"),))
    chunks = splitter(None, max_tokens=100, count=len)(document)
    for left, right in pairwise(chunks):
        assert min(left.tokens, right.tokens) >= 33 or right.end - left.start > 100


def test_headings_follow_the_passages() -> None:
    from ammon.sources.kinds import kind_of
    from ammon.sources.markdown import load

    body = "Some words that fill the section well. " * 6
    text = f"# Guide\n\n{body}\n\n## Install\n\n```sh\n# no heading\n```\n\n{body}\n\nUse\n---\n\n{body}\n"
    document = Document("u", text, parts=load(text, kind_of("a.md")).parts)
    chunks = splitter(None, max_tokens=300, count=len)(document)
    assert {chunk.heading for chunk in chunks} == {("Guide",), ("Guide", "Install"), ("Guide", "Use")}
    check(document, chunks)


def test_rows_are_passages_of_their_own_with_the_lines_of_the_file() -> None:
    text = "a: 1\n\nb: 2\n\n" + "long " * 100
    parts = (
        Part(0, 4, "row", lines=(2, 2)),
        Part(6, 10, "row", lines=(3, 5)),
        Part(12, len(text), "row", lines=(6, 6)),
    )
    chunks = splitter(None, max_tokens=100, count=len)(Document("u", text, parts=parts))
    assert [(chunk.text, chunk.first_line, chunk.last_line) for chunk in chunks[:2]] == [("a: 1", 2, 2), ("b: 2", 3, 5)]
    assert {(chunk.first_line, chunk.last_line) for chunk in chunks[2:]} == {(6, 6)}


def test_code_is_cut_between_functions() -> None:
    code = "".join(f"def function_{number}(x):\n    y = x + {number}\n\n    return y\n\n\n" for number in range(20))
    document = Document("u", code, parts=(Part(0, len(code), "code", "python"),))
    chunks = splitter(None, max_tokens=150, count=len)(document)
    assert all(chunk.text.startswith("def ") and chunk.text.rstrip().endswith("return y") for chunk in chunks)


@pytest.mark.parametrize("name", ["bash", "c", "c_sharp", "cpp", "css", "go", "haskell", "java", "javascript", "kotlin", "lua", "php", "python", "ruby", "rust", "scala", "sql", "swift", "typescript", "tsx"])  # fmt: skip  # fmt: skip
def test_every_grammar_that_a_file_may_name_is_installed(name: str) -> None:
    from ammon.split.grammars import grammar

    assert grammar(name) is not None


@pytest.mark.parametrize(
    "unit", ["a", "word ", "-", "我", "e\u0301", "👨\u200d👩\u200d👧", '{"a":[1,2]},', "\n", "x\n\n"]
)
@pytest.mark.parametrize("kind", ["prose", "markdown", "code"])
def test_time_grows_with_the_text_and_not_with_its_square(unit: str, kind: str) -> None:
    split = splitter(TOKENIZERS["word"], max_tokens=250)

    def seconds(characters: int) -> float:
        text = unit * (characters // len(unit))
        document = Document("u", text, parts=(Part(0, len(text), kind, "python"),))  # type: ignore[arg-type]
        started = time.process_time()
        split(document)
        return time.process_time() - started

    seconds(10_000)
    assert seconds(160_000) < 12 * max(seconds(40_000), 0.01)


def test_nothing_gives_nothing() -> None:
    split = splitter(None, max_tokens=10, count=len)
    assert split(Document("u", "")) == []
    assert split(Document("u", " \n\t\r\n")) == []


def test_a_splitter_needs_a_size_and_a_measure() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        splitter(None, max_tokens=0, count=len)
    with pytest.raises(ValueError, match="counts tokens"):
        splitter(None, max_tokens=10)
