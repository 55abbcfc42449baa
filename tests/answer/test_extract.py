"""Answers without a language model: the sentences that answer, word for word, where they stand, or none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ammon import Document, InputError, Library
from ammon.answer.extract import LONGEST_SENTENCE, cited, in_one_line
from ammon.answer.questions import kind_of, offers
from ammon.answer.sentences import sentences
from ammon.asking import ask_hits
from ammon.errors import NothingIndexed
from ammon.store.local.documents import read_document
from ammon.types import Span

NOTES = {
    "memory:light": (
        "# The lighthouse\n\nThe lighthouse on the headland was built by John Harkness in 1843. "
        "It was painted white.\nIts lamp burned colza oil, and could be seen for eleven miles. "
        "The keeper climbed 124 steps\nevery evening because the clockwork had to be wound."
    ),
    "memory:tea": (
        "# 绿茶\n\n泡绿茶的水温以八十度为宜，水太热会使茶汤发苦。红茶可以用刚烧开的水。\n"
        "龙井茶产于浙江省杭州市，每年清明前后采摘。陆羽在唐代写了《茶经》。"
    ),
    "memory:bread": (
        "Sourdough rises slowly because wild yeast is weaker than baker's yeast. Knead it for ten minutes. "
        "The oven should be at 230 degrees."
    ),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library(tmp_path_factory.mktemp("answers") / "library") as opened:
        opened.add([Document(uri, text, "text/markdown") for uri, text in NOTES.items()])
        yield opened


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who built the lighthouse?", "John Harkness"),
        ("When was the lighthouse built?", "1843"),
        ("How many steps did the keeper climb?", "124"),
        ("Why did the keeper climb the steps?", "clockwork had to be wound"),
        ("What did the lamp burn?", "colza oil"),
        ("How hot should the oven be?", "230 degrees"),
        ("泡绿茶用多热的水？", "八十度"),
        ("龙井茶产于哪里？", "杭州"),
        ("谁写了《茶经》？", "陆羽"),
    ],
)
def test_the_best_sentence_holds_the_answer(library: Library, question: str, answer: str) -> None:
    found = library.ask(question, sentences=1)
    assert answer in found.text
    assert found.way == "extracted"
    assert not found.abstained
    assert [step.name for step in found.trace] == ["search", "extract"]


@pytest.mark.parametrize("question", ["Who built the lighthouse, and when?", "红茶和绿茶用什么水？"])
def test_every_word_stands_in_a_source_where_the_citation_says(library: Library, question: str) -> None:
    found = library.ask(question, sentences=3)
    assert len(found.statements) == 3
    for statement in found.statements:
        (citation,) = statement.citations
        document = read_document(library.store.catalog, citation.uri)
        assert document is not None
        assert document.text[citation.span.start : citation.span.end] == citation.quote
        assert statement.text.split() == citation.quote.split()
        lines = document.text.splitlines()[citation.first_line - 1 : citation.last_line]
        assert citation.quote.splitlines()[0] in lines[0]
        assert citation.quote.splitlines()[-1] in lines[-1]
        assert citation.place.startswith(citation.uri)


def test_sentences_of_a_document_are_told_in_reading_order(library: Library) -> None:
    found = library.ask("Who built the lighthouse, and how many steps has it?", sentences=4)
    starts = [citation.span.start for citation in found.citations if citation.uri == "memory:light"]
    assert len(starts) >= 2
    assert starts == sorted(starts)


@pytest.mark.parametrize(
    "question",
    ["What is the capital of Mongolia?", "How do I renew a passport online?", "量子计算机的工作原理是什么？"],
)
def test_what_the_library_does_not_hold_is_not_answered(library: Library, question: str) -> None:
    found = library.ask(question)
    assert found.abstained
    assert (found.text, found.statements, found.way) == ("", (), "none")
    assert found.reason
    assert found.confidence < 0.15


def test_a_passage_that_is_given_answers_or_does_not(library: Library) -> None:
    hits = [hit for hit in library.search("lighthouse", k=3) if hit.uri == "memory:light"]
    assert "124" in ask_hits(library, "How many steps did the keeper climb every evening?", hits, sentences=1).text
    assert ask_hits(library, "When was the harbour of Lisbon rebuilt?", hits, sentences=1).abstained


def test_without_vectors_words_alone_answer(tmp_path: Path) -> None:
    with Library(tmp_path / "library") as library:
        library.add([Document(uri, text) for uri, text in NOTES.items()])
        hits = library.search("When was the lighthouse built?", mode="lexical")
        library.encoder.answer = lambda ask: ask(None)  # type: ignore[method-assign]
        assert "1843" in ask_hits(library, "When was the lighthouse built?", hits, sentences=1).text


def test_a_question_that_is_none_is_refused(library: Library, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        library.ask("  ")
    with pytest.raises(InputError, match="sentences is 0"):
        library.ask("Who?", sentences=0)
    with pytest.raises(InputError, match="k is 0"):
        library.ask("Who?", k=0)
    with Library(tmp_path / "empty") as empty, pytest.raises(NothingIndexed):
        empty.ask("Who?")


def test_no_passages_are_no_answer(library: Library) -> None:
    assert ask_hits(library, "Who?", []).abstained


def test_a_quote_over_lines_is_shown_in_one(library: Library) -> None:
    assert in_one_line("The keeper climbed 124 steps\nevery evening.") == "The keeper climbed 124 steps every evening."
    assert in_one_line("水太热\n会使茶汤发苦。") == "水太热会使茶汤发苦。"
    assert in_one_line("a  b") == "a  b"
    (hit,) = [each for each in library.search("keeper", k=3) if each.uri == "memory:light"]
    start = hit.text.index("every evening")
    assert cited(hit, Span(start, start + 5)).first_line == 5


def test_a_long_line_without_sentences_is_cut_at_its_lines(library: Library) -> None:
    rows = "\n".join(f"key{number} = value{number}" for number in range(60))
    assert len(rows) > LONGEST_SENTENCE
    library.add([Document("memory:settings", rows)])
    found = library.ask("What is the value of key37?", sentences=1)
    library.remove("memory:settings")
    assert found.text == "key37 = value37"


def test_code_is_answered_with_in_blocks_as_it_stands(library: Library) -> None:
    block = "def back_off(attempt):\n    # wait longer after each failed attempt\n    return 2**attempt"
    library.add([Document("memory:retry.py", f"import time\n\n{block}\n\nLIMIT = 3\n", "text/x-python")])
    found = library.ask("how long to wait after a failed attempt?", sentences=1)
    library.remove("memory:retry.py")
    assert found.text == block


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When did it begin?", "when"),
        ("In what year was it founded?", "when"),
        ("它是什么时候成立的？", "when"),
        ("How many people came?", "how many"),
        ("一共有多少人？", "how many"),
        ("Who was there?", "who"),
        ("是谁写的？", "who"),
        ("In which country is it?", "where"),
        ("它在哪里？", "where"),
        ("Why not?", "why"),
        ("为什么？", "why"),
        ("What is a heron?", ""),
    ],
)
def test_a_question_tells_what_it_asks_for(question: str, kind: str) -> None:
    assert kind_of(question) == kind


def test_a_sentence_offers_what_is_asked_for_or_does_not() -> None:
    assert offers("when", "When?")("It was in May.") == 1
    assert offers("when", "When?")("It was late.") == -1
    assert offers("how many", "多少？")("有三只。") == 1
    assert offers("who", "Who met Ada?")("There Ada met Charles.") == 1
    assert offers("who", "Who met Ada?")("There Ada met nobody.") == -1
    assert offers("who", "是谁？")("是陆羽。") == 0
    assert offers("why", "Why?")("It rained.") == 0
    assert offers("", "What?")("It rained.") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("他来了。她走了！为什么？", ["他来了。", "她走了！", "为什么？"]),
        ("He met Dr. Wu of the U.S. Army.", ["He met Dr. Wu of the U.S. Army."]),
        ("J. R. R. Tolkien wrote. He slept.", ["J. R. R. Tolkien wrote.", "He slept."]),
        ('"Stop!" he said. She did.', ['"Stop!" he said.', "She did."]),
        ("It cost 3.5 yuan… then less.", ["It cost 3.5 yuan… then less."]),
        ("他说：“好。”然后走了；她没走。", ["他说：“好。”", "然后走了；", "她没走。"]),
        ("A head\n\n- first\n- second", ["A head", "- first", "- second"]),
        ("wrapped\nline. Next", ["wrapped\nline.", "Next"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, expected: list[str]) -> None:
    assert [text[span.start : span.end] for span in sentences(text)] == expected
