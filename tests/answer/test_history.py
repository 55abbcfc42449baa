"""Conversations: what a model is told of them, and how they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ammon.answer.history import Turn, budget, now, running_summary, whole, window
from ammon.answer.sessions import Session, Sessions
from ammon.chat import Message, Wish
from ammon.errors import InputError, LibraryError, ModelUnavailable
from ammon.testing import ScriptedLLM

TURNS = [Turn(f"question {number}", f"answer {number}", ("a.md:1",), now()) for number in range(6)]


def test_the_whole_conversation_is_told_turn_by_turn() -> None:
    assert whole(TURNS[:1]) == [Message("user", "question 0"), Message("assistant", "answer 0")]
    assert len(whole(TURNS)) == 12


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (2, 4), (99, 12)])
def test_a_window_keeps_the_last_turns(count: int, kept: int) -> None:
    assert window(count)(TURNS) == whole(TURNS)[12 - kept :]


@given(st.integers(0, 120))
def test_a_budget_keeps_the_last_turns_that_fit(tokens: int) -> None:
    kept = budget(tokens, lambda text: len(text.split()))(TURNS)
    assert kept == whole(TURNS)[12 - len(kept) :]
    assert len(kept) == min(12, tokens // 12 * 2)  # four words and the template's eight


def test_what_no_longer_fits_is_summarised_and_the_summary_goes_on_from_the_last() -> None:
    llm = ScriptedLLM(["They spoke of 0 to 3.", "They spoke of 0 to 4."])
    policy = running_summary(llm, 48)
    assert policy(TURNS)[0].text == "Earlier: They spoke of 0 to 3."
    assert policy(TURNS)[1:] == whole(TURNS[4:])
    assert policy([*TURNS, Turn("new", "new")])[0].text == "Earlier: They spoke of 0 to 4."
    second = llm.asked[1][0][0].text
    assert "They spoke of 0 to 3." in second
    assert "question 4" in second
    assert "question 3" not in second
    assert len(llm.asked) == 2


def test_a_short_conversation_needs_no_summary() -> None:
    llm = ScriptedLLM("never asked")
    assert running_summary(llm, 1000)(TURNS) == whole(TURNS)
    assert llm.asked == []


def test_a_long_conversation_is_summarised_in_parts_that_fit_the_window() -> None:
    def brief(_: Sequence[Message], wish: Wish) -> str:
        return "word " * wish.max_tokens

    llm = ScriptedLLM(brief, window=900)  # raises when it is given more
    turns = [Turn("why? " * 50, "because " * 100) for _ in range(20)]
    messages = running_summary(llm, 200)(turns)
    assert len(llm.asked) > 5
    assert llm.count(messages[0].text) <= 101


@pytest.mark.parametrize("llm", [ScriptedLLM(ModelUnavailable("It is down.", hint="x")), ScriptedLLM("x", window=50)])
def test_a_summary_that_fails_is_told_and_the_last_turns_are_there(llm: ScriptedLLM) -> None:
    told: list[str] = []
    assert running_summary(llm, 48, told=told.append)(TURNS) == whole(TURNS[4:])
    assert len(told) == 1
    assert "left out" in told[0]


def test_a_conversation_is_kept_turn_by_turn(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    assert sessions.names() == []
    for turn in TURNS:
        sessions.append("tea 茶", turn)
    assert Sessions(tmp_path).read("tea 茶") == Session("tea 茶", tuple(TURNS))
    assert sessions.names() == ["tea 茶"]
    sessions.remove("tea 茶")
    assert sessions.names() == []


@pytest.mark.parametrize("torn", [b'{"question": "wh', b'{"question": "\xe8', b"\x00\x00\x00"])
def test_a_torn_last_line_is_told_and_costs_no_other_turn(tmp_path: Path, torn: bytes) -> None:
    sessions = Sessions(tmp_path)
    sessions.append("one", TURNS[0])
    path = tmp_path / "sessions" / "one.jsonl"
    path.write_bytes(path.read_bytes() + torn)
    assert sessions.read("one") == Session("one", (TURNS[0],), ("Line 2 could not be read.",))
    sessions.append("one", TURNS[1])
    assert sessions.read("one").turns == (TURNS[0], TURNS[1])


@pytest.mark.parametrize("line", ["3", "[]", '{"question": "q"}', '{"question": "q", "answer": "a", "places": 3}'])
def test_a_line_that_is_no_turn_is_told(tmp_path: Path, line: str) -> None:
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "one.jsonl").write_text(line + "\n", "utf-8")
    assert Sessions(tmp_path).read("one") == Session("one", (), ("A line is no turn.",))


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "x" * 49, "a\nb", "a\x00", " a"])
def test_a_name_that_could_lead_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot name"):
        Sessions(tmp_path).append(name, TURNS[0])
    assert list(tmp_path.rglob("*")) == []


def test_the_longest_name_in_the_widest_letters_is_a_file(tmp_path: Path) -> None:
    name = "\U00020000" * 48
    Sessions(tmp_path).append(name, TURNS[0])
    assert Sessions(tmp_path).names() == [name]


def test_a_session_that_is_not_there_cannot_be_shown_or_removed(tmp_path: Path) -> None:
    for verb in (Sessions(tmp_path).find, Sessions(tmp_path).remove):
        with pytest.raises(InputError, match="no session 'tea'"):
            verb("tea")


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("a file in its place", "utf-8")
    with pytest.raises(LibraryError, match="sessions"):
        Sessions(tmp_path).append("one", TURNS[0])


def add_many(folder: Path, who: str) -> None:
    for number in range(40):
        Sessions(folder).append("both", Turn(f"{who} {number}", "long " * 500))


def test_programs_that_speak_at_the_same_time_lose_no_turn(tmp_path: Path) -> None:
    speakers = [get_context("spawn").Process(target=add_many, args=(tmp_path, who)) for who in ("a", "b")]
    for each in speakers:
        each.start()
    for each in speakers:
        each.join()
    found = Sessions(tmp_path).read("both")
    assert found.remarks == ()
    assert {turn.question for turn in found.turns} == {f"{who} {number}" for who in "ab" for number in range(40)}
