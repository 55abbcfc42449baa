"""Summaries: of documents and questions, word for word without a model, resumable and cited with one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from ammon.answer.central import central, middle
from ammon.answer.remembering import RememberingLLM
from ammon.answer.summarise import UNCHECKED, statements_of
from ammon.answers import Statement
from ammon.chat import Generation, Message, Usage, Wish
from ammon.errors import InputError, ModelUnavailable, PathNotFound
from ammon.library import Library
from ammon.ports import complete
from ammon.progress import Progress
from ammon.store.local.documents import read_document
from ammon.summarising import KEPT_NAME, passages_of, summarise
from ammon.testing import ScriptedLLM
from ammon.types import Hit
from toy_embedder import TrigramEmbedder

DOWN = ModelUnavailable("The server is down.", hint="Start it.")
ASK = [Message("user", "Hello?")]


@pytest.fixture
def library(sample: Path, tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library", embedder=TrigramEmbedder()) as opened:
        opened.index(sample)
        yield opened


@pytest.fixture
def lighthouse(sample: Path) -> str:
    return str(sample / "notes" / "lighthouse.md")


def numbered(messages: Sequence[Message], _: Wish) -> str:
    """A model that names the first text that it is shown, or keeps the first number of a summary."""
    text = messages[-1].text
    number = re.search(r"<text (\d+) ", text) or re.search(r"(?s)<text .*?\[(\d+)\]", text)
    assert number is not None
    return f"It is about {number[1]}. [{number[1]}]"


# --- without a model -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("about", ["notes/lighthouse.md", "中文/茶的故事.md", "science", "data/rivers.csv", ""])
def test_every_sentence_stands_in_its_document_where_the_summary_says(
    library: Library, sample: Path, about: str
) -> None:
    summary = summarise(library, str(sample / about), sentences=4)
    assert (summary.way, len(summary.statements)) == ("extracted", 4)
    for statement in summary.statements:
        cited = statement.citations[0]
        document = read_document(library.store.catalog, cited.uri)
        assert document is not None
        assert document.text[cited.span.start : cited.span.end] == cited.quote
        assert statement.text == " ".join(cited.quote.split())
        assert statement.supported


def test_the_lines_of_a_sentence_are_those_of_the_file(library: Library, lighthouse: str) -> None:
    lines = Path(lighthouse).read_text("utf-8").splitlines()
    for cited in summarise(library, lighthouse).citations:
        there = "\n".join(lines[cited.first_line - 1 : cited.last_line])
        assert cited.quote in there


def test_sentences_come_in_reading_order(library: Library, lighthouse: str) -> None:
    starts = [each.span.start for each in summarise(library, lighthouse, sentences=6).citations]
    assert starts == sorted(starts)


def test_a_question_is_summarised_from_what_is_found_for_it(library: Library, sample: Path) -> None:
    summary = summarise(library, "how do bees tell each other where the food is?", sentences=2)
    assert summary.question
    assert summary.citations[0].uri == str(sample / "notes" / "bees.txt")


def test_what_a_text_repeats_is_said_once(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "again.txt"
    path.write_text("The tide comes in twice a day.\n\n" * 30 + "The moon pulls at the sea all day long.\n", "utf-8")
    library.index(path)
    assert sorted(each.text for each in summarise(library, str(path)).statements) == [
        "The moon pulls at the sea all day long.",
        "The tide comes in twice a day.",
    ]


def test_asking_for_more_sentences_than_there_are_gives_all(library: Library, sample: Path) -> None:
    summary = summarise(library, str(sample / "notes" / "bees.txt"), sentences=1000)
    assert 1 < len(summary.statements) < 1000


def test_central_rows_are_near_the_middle_and_unlike_one_another() -> None:
    rows = np.array([[1, 0], [1, 0.001], [0.8, 0.6], [-1, 0]], np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert sorted(central(rows, middle(rows), 2))[1] == 2
    assert central(rows, middle(rows), 9)[3] == 3
    assert central(rows[:0], np.zeros(2, np.float32), 3) == []


def test_a_path_that_the_library_does_not_hold_is_told_how_to_get_there(library: Library, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("Not indexed.", "utf-8")
    with pytest.raises(PathNotFound) as caught:
        summarise(library, str(other))
    assert caught.value.hint == f"Run: ammon index {other}"


def test_no_sentences_at_all_is_an_error(library: Library) -> None:
    with pytest.raises(InputError, match="sentences is 0"):
        summarise(library, "bees", sentences=0)


# --- with a model ----------------------------------------------------------------------------------------------------


def test_a_text_longer_than_the_window_is_summarised_stretch_by_stretch(library: Library, sample: Path) -> None:
    llm = ScriptedLLM(numbered, window=1500)  # raises when it is given more
    summary = summarise(library, str(sample), llm=llm)
    steps = [step.name for step in summary.trace]
    assert steps.count("summarise") > 2
    assert steps.count("combine") >= 1
    assert summary.text == "It is about 1."
    assert summary.citations[0].hit.chunk_id == passages_of(library, str(sample))[0].chunk_id


def test_a_section_longer_than_the_window_is_cut(library: Library, tmp_path: Path) -> None:
    long = tmp_path / "long.txt"
    long.write_text("\n\n".join(f"Paragraph {n} says {n} things. " * 20 for n in range(40)), "utf-8")
    library.index(long)
    llm = ScriptedLLM(numbered, window=1500)  # raises when it is given more
    assert [step.name for step in summarise(library, str(long), llm=llm).trace].count("summarise") > 3


def test_every_passage_is_read_once_and_numbered_in_reading_order(library: Library, sample: Path) -> None:
    llm = ScriptedLLM(numbered, window=1500)
    summarise(library, str(sample), llm=llm)
    read = [
        int(number)
        for messages, _ in llm.asked
        for number in re.findall(r"^<text (\d+) ", messages[-1].text, re.MULTILINE)
    ]
    distinct = list(dict.fromkeys(read))
    assert distinct == list(range(1, len(passages_of(library, str(sample))) + 1))
    assert read == sorted(read)


def test_an_interrupted_summary_goes_on_where_it_was(library: Library, sample: Path) -> None:
    whole = summarise(library, str(sample), llm=ScriptedLLM(numbered, window=1500))
    (library.path / KEPT_NAME).unlink()
    with pytest.raises(ModelUnavailable):
        summarise(library, str(sample), llm=ScriptedLLM([numbered, numbered, DOWN], window=1500))
    again = ScriptedLLM(numbered, window=1500)
    assert summarise(library, str(sample), llm=again).text == whole.text
    assert len(again.asked) == len(whole.trace) - 2


def test_how_far_it_has_come_is_told(library: Library, sample: Path) -> None:
    told: list[Progress] = []
    summarise(library, str(sample), llm=ScriptedLLM(numbered, window=1500), progress=told.append)
    assert [each.files_done for each in told] == sorted(each.files_done for each in told)
    assert all(each.files_done < each.files_total for each in told)


def test_a_library_of_chinese_is_summarised_with_chinese_prompts(library: Library, sample: Path) -> None:
    llm = ScriptedLLM("茶分绿茶和红茶。[1]")
    assert summarise(library, str(sample / "中文"), llm=llm).text == "茶分绿茶和红茶。"
    assert "最多写 5 句话" in llm.asked[0][0][0].text


def test_what_a_model_wrote_counts_as_unchecked_until_it_is_checked(library: Library, lighthouse: str) -> None:
    llm = ScriptedLLM("A lamp burns. [1] It is 12 m high.")
    first, second = summarise(library, lighthouse, llm=llm).statements
    assert (first.problems, first.supported) == ((UNCHECKED,), False)
    assert second.problems == ("it names no passage", UNCHECKED)

    def check(statement: Statement) -> Statement:
        return statement

    assert summarise(library, lighthouse, llm=llm, check=check).statements[0].supported


def test_an_empty_summary_is_an_error(library: Library, lighthouse: str) -> None:
    with pytest.raises(ModelUnavailable, match="empty"):
        summarise(library, lighthouse, llm=ScriptedLLM(""))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A lamp. [1] Tea [2, 3].", [("A lamp.", [1]), ("Tea.", [2, 3])]),
        ("灯塔。[1][2]茶【3】。", [("灯塔。", [1, 2]), ("茶。", [3])]),
        ("One [1] and two [2]. Three. [9]", [("One and two.", [1, 2]), ("Three.", [])]),
        ("No numbers. None.", [("No numbers.", []), ("None.", [])]),
        ("[1] [2]", []),
        ("", []),
    ],
)
def test_numbers_belong_to_the_sentence_before_them(
    library: Library, text: str, expected: list[tuple[str, list[int]]]
) -> None:
    hits: list[Hit] = library.search("bees", 3)
    found = statements_of(text, hits)
    assert [(each.text, [hits.index(c.hit) + 1 for c in each.citations]) for each in found] == expected


# --- a model that remembers ------------------------------------------------------------------------------------------


def test_a_model_is_asked_each_thing_once_even_by_another_program(tmp_path: Path) -> None:
    llm = ScriptedLLM(["first", "second", "third"])
    assert complete(RememberingLLM(llm, tmp_path / "kept.jsonl"), ASK).text == "first"
    again = RememberingLLM(llm, tmp_path / "kept.jsonl")
    assert complete(again, ASK) == Generation("first", usage=Usage())
    assert complete(again, ASK, Wish(max_tokens=5)).text == "second"
    assert complete(again, [Message("user", "Other?")]).text == "third"


@pytest.mark.parametrize("finish", ["cut", "length"])
def test_an_answer_that_broke_off_is_not_kept(tmp_path: Path, finish: str) -> None:
    broken = Generation("fir", finish="cut" if finish == "cut" else "length")
    llm = RememberingLLM(ScriptedLLM([broken, "first"]), tmp_path / "kept.jsonl")
    assert complete(llm, ASK).text == "fir"
    assert complete(llm, ASK).text == "first"


def test_damage_to_what_is_kept_costs_only_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    llm = ScriptedLLM(["first", "second", "third"])
    complete(RememberingLLM(llm, path), ASK)
    complete(RememberingLLM(llm, path), ASK, Wish(seed=1))
    path.write_bytes(b"[3]\n" + path.read_bytes()[:-9])
    remembering = RememberingLLM(llm, path)
    assert complete(remembering, ASK).text == "first"
    assert complete(remembering, ASK, Wish(seed=1)).text == "third"
