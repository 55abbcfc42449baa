"""A better prompt is found where there is one, within the budget, and never one that is worse than the present."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ammon.answer.scoring import contains, exact, f1
from ammon.answer.templates import find_prompt
from ammon.chat import Message, Wish
from ammon.errors import InputError, ModelUnavailable, PathNotFound
from ammon.library import Library
from ammon.optimising import Question, Search, optimise, optimise_in, read_questions
from ammon.testing import ScriptedLLM
from toy_embedder import TrigramEmbedder

EMBED = TrigramEmbedder().embed_passages
PROMPT = find_prompt("answer")
GOOD = "Answer in one word, in capitals."
POOR = "Tell me a story about it."
QUESTIONS = [
    Question(f"What is thing {n}?", (f"WORD{n}",), {"question": f"What is thing {n}?", "context": f"Thing {n}."})
    for n in range(24)
]


def obedient(messages: Sequence[Message], _: Wish) -> str:
    """A model that answers rightly under one instruction, half of the time under examples, else never."""
    text = messages[-1].text
    if text.startswith("Write other instructions"):
        return f"{GOOD}\n{POOR}"
    number = text.rsplit("thing ", 1)[1].split("?")[0]
    knows = text.startswith(GOOD) or ("Examples of how" in text and int(number) % 2)
    return f"WORD{number}" if knows else "Once upon a time."


def test_the_better_instruction_wins_and_the_losers_are_told_with_their_scores() -> None:
    done = optimise(PROMPT, QUESTIONS, ScriptedLLM(obedient), EMBED, Search(budget=80))
    assert done.better
    assert done.prompt.render(question="q", context="c").startswith(GOOD)
    assert done.prompt.version == PROMPT.version + 1
    assert (done.tried[0].instruction, done.tried[0].score) == (GOOD, 1.0)
    assert {each.score for each in done.tried if each.instruction == POOR and not each.examples} == {0.0}
    assert done.calls <= 80


def test_the_budget_is_kept_and_better_candidates_answer_more() -> None:
    llm = ScriptedLLM(obedient)
    done = optimise(PROMPT, QUESTIONS, llm, EMBED, Search(budget=40))
    assert len(llm.asked) == done.calls <= 40
    assert done.tried[0].questions > min(each.questions for each in done.tried)


def test_the_winner_and_the_present_prompt_have_answered_the_same_questions_each_once() -> None:
    llm = ScriptedLLM(obedient)
    done = optimise(PROMPT, QUESTIONS, llm, EMBED, Search(budget=60))
    present = next(each for each in done.tried if each.instruction.startswith("Answer the question"))
    assert present.questions == done.tried[0].questions
    prompts = [messages[-1].text for messages, _ in llm.asked]
    assert len(set(prompts)) == len(prompts)


def test_the_present_prompt_stays_when_nothing_is_better() -> None:
    done = optimise(PROMPT, QUESTIONS, ScriptedLLM("Once upon a time."), EMBED, Search(budget=60, written=0))
    assert not done.better
    assert done.prompt == PROMPT
    assert done.tried[0].score == 0.0


def test_examples_win_where_they_help_and_are_never_among_the_questions_asked() -> None:
    llm = ScriptedLLM(obedient)
    done = optimise(PROMPT, QUESTIONS, llm, EMBED, Search(budget=60, written=0))
    assert done.better
    shown = {question for question, _ in done.tried[0].examples}
    assert len(shown) == 3
    asked = {messages[-1].text.rsplit("Question: ", 1)[1].strip() for messages, _ in llm.asked}
    assert shown & asked == set()


def test_given_instructions_are_tried_besides_those_that_the_model_writes() -> None:
    done = optimise(
        PROMPT, QUESTIONS, ScriptedLLM(obedient), EMBED, Search(budget=80, instructions=("Do your best.", POOR))
    )
    assert {"Do your best.", GOOD, POOR} < {each.instruction for each in done.tried}


def test_a_failing_call_scores_nothing_and_is_told() -> None:
    failures = iter([True, False] * 100)

    def moody(messages: Sequence[Message], wish: Wish) -> str:
        if next(failures):
            raise ModelUnavailable("It is down.", hint="x")
        return obedient(messages, wish)

    done = optimise(PROMPT, QUESTIONS, ScriptedLLM(moody), EMBED, Search(budget=60, written=0, instructions=(GOOD,)))
    assert any("It is down." in remark for remark in done.remarks)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (Search(budget=3, written=0, instructions=("a", "b")), "budget of 3 calls is too small"),
        (Search(metric="bleu"), "no metric 'bleu'"),
    ],
)
def test_a_search_that_cannot_be_is_refused(search: Search, message: str) -> None:
    with pytest.raises(InputError, match=message):
        optimise(PROMPT, QUESTIONS, ScriptedLLM(obedient), EMBED, search)


def test_the_winner_becomes_a_prompt_of_the_library_with_all_scores_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps({"question": q.text, "answers": q.answers}) for q in QUESTIONS), "utf-8")
    with Library(tmp_path / "library", embedder=TrigramEmbedder()) as library:
        (tmp_path / "things.txt").write_text("Thing after thing.\n", "utf-8")
        library.index(tmp_path / "things.txt")
        done = optimise_in(library, "answer", "en", path, ScriptedLLM(obedient), Search(budget=80))
        assert library.doctor() == []
    folder = tmp_path / "library" / "prompts"
    assert find_prompt("answer", folder=folder) == done.prompt
    assert done.prompt.own
    report = json.loads((folder / "answer.en.scores.json").read_text("utf-8"))
    assert report["tried"][0]["instruction"] == GOOD
    assert len(report["tried"]) == len(done.tried) > 1
    assert (report["prompt"], report["before"]) == (done.prompt.hash, PROMPT.hash)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"question": "q", "answers": ["a"]}\nnot json', "2: this is no question"),
        ('{"answers": ["a"]}', "1: this is no question"),
        ("[1]", "1: this is no question"),
        ('{"question": "q", "answers": ["a"]}\n{"question": "r"}', "holds 1 questions with answers"),
    ],
)
def test_a_question_set_that_cannot_be_used_is_named_with_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=message):
        read_questions(path)
    with pytest.raises(PathNotFound):
        read_questions(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("said", "right", "scores"),
    [
        ("The Eiffel Tower.", ["eiffel tower"], (1, 1, 1)),
        ("It is the Eiffel Tower", ["Eiffel Tower"], (0, 1, 2 * 2 / 6)),
        ("It was 1889", ["188"], (0, 0, 0)),
        ("答案是长城。", ["长城"], (0, 1, 2 * 2 / 7)),
        ("", ["x"], (0, 0, 0)),
    ],
)
def test_an_answer_scores_as_squad_scores_it(said: str, right: list[str], scores: tuple[float, ...]) -> None:
    assert (exact(said, right), contains(said, right), f1(said, right)) == pytest.approx(scores)
