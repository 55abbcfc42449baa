"""Questions made into other queries, and one list of what all of them find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ammon.answer.history import Turn
from ammon.answer.rewriting import Queries, hypothetical, keywords, multi_query, rewrite, search_many, step_back
from ammon.chat import Generation
from ammon.errors import InputError, ModelUnavailable
from ammon.testing import ScriptedLLM
from ammon.types import Hit, Span, Why

QUESTION = "how far is it?"
HISTORY = [Turn("Where is Ely?", "In Cambridgeshire.")]


def rewritten(question: str, llm: ScriptedLLM) -> Queries:
    return rewrite(question, HISTORY, llm)


STEPS: list[Callable[[str, ScriptedLLM], Queries]] = [rewritten, multi_query, step_back, hypothetical, keywords]


def hit(chunk_id: int, score: float) -> Hit:
    return Hit("", score, f"{chunk_id}", Span(0, 0), 1, 1, None, (), "", "", {}, chunk_id, chunk_id, Why())


def test_a_question_is_rewritten_with_what_was_said_before() -> None:
    llm = ScriptedLLM('"How far is Ely?"')
    assert rewritten(QUESTION, llm).texts == ("How far is Ely?",)
    assert "Q: Where is Ely?\nA: In Cambridgeshire." in llm.asked[0][0][0].text


def test_the_first_question_of_a_conversation_costs_nothing() -> None:
    llm = ScriptedLLM("never asked")
    assert rewrite(QUESTION, [], llm) == Queries((QUESTION,))
    assert llm.asked == []


def test_other_wordings_come_after_the_question_each_once_without_their_numbers() -> None:
    llm = ScriptedLLM(
        "1. What is the distance?\n\n- What is the distance?\n2) how far is it?\n* How long is the way?\nMore?"
    )
    assert multi_query(QUESTION, llm, count=2).texts == (QUESTION, "What is the distance?", "How long is the way?")


@pytest.mark.parametrize("step", [hypothetical, keywords])
def test_a_text_to_search_with_is_one_query_however_many_lines_it_has(step: Callable[..., Queries]) -> None:
    assert step(QUESTION, ScriptedLLM("Ely is\n15 miles away.")).texts == (QUESTION, "Ely is 15 miles away.")


def test_the_question_behind_the_question_is_searched_for_besides() -> None:
    assert step_back(QUESTION, ScriptedLLM("How are distances measured?")).texts[1] == "How are distances measured?"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("failure", [ModelUnavailable("It is down.", hint="x"), "", " \n ", QUESTION])
def test_a_step_that_fails_gives_the_question_and_says_so(step: Callable[..., Queries], failure: Any) -> None:
    found = step(QUESTION, ScriptedLLM(failure))
    assert found.texts == (QUESTION,)
    assert len(found.remarks) == 1
    assert "searched for as it is" in found.remarks[0]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_breaks_off_says_so_and_a_window_too_small_is_no_error(step: Callable[..., Queries]) -> None:
    found = step(QUESTION, ScriptedLLM(Generation("How far is", finish="cut", remark="The line went dead.")))
    assert "The line went dead." in found.remarks[0]
    assert step(QUESTION, ScriptedLLM("x", window=20)).texts == (QUESTION,)


def test_a_talkative_model_does_not_make_endless_queries() -> None:
    for said in ("word " * 10_000, "a line\n" * 10_000):
        assert len(hypothetical(QUESTION, ScriptedLLM(said)).texts[1]) <= 2_000


def test_passages_that_several_queries_find_come_first_with_their_best_score() -> None:
    lists = {"a": [hit(1, 0.9), hit(2, 0.5)], "b": [hit(3, 0.8), hit(2, 0.7)]}
    found = search_many(lambda query, _: lists[query], ["a", "b", "b"], 3)
    assert [(each.chunk_id, each.score) for each in found] == [(2, 0.7), (1, 0.9), (3, 0.8)]
    assert len(search_many(lambda query, _: lists[query], ["a", "b"], 1)) == 1


def test_searching_for_nothing_is_an_error() -> None:
    with pytest.raises(InputError, match="no query"):
        search_many(lambda _, __: [], [], 3)
