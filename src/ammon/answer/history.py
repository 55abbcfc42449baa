"""What a model is told of a conversation so far: all of it, its end, as much as fits, or a summary and its end.

A policy is a callable, turns → messages. The last turns are always word for word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from ammon.answer.calls import Calls
from ammon.answer.fitting import Count, pieces
from ammon.answer.templates import Prompts, find_prompt
from ammon.chat import Message, Wish
from ammon.errors import InputError, ModelUnavailable
from ammon.ports import LLM


@dataclass(frozen=True, slots=True)
class Turn:
    """A question, the text that answered it, where that was found (for people), and when (ISO 8601, UTC)."""

    question: str
    answer: str
    places: tuple[str, ...] = ()
    time: str = ""


Policy: TypeAlias = Callable[[Sequence[Turn]], list[Message]]
"""A conversation → the messages that stand for it."""

TURN_TOKENS: Final = 8
"""What a model's template puts around a question and its answer."""

_SUMMARY_WISH: Final = Wish(max_tokens=400)


def now() -> str:
    """The time as a `Turn` has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def transcript(turns: Sequence[Turn]) -> str:
    """A conversation as text, for a prompt."""
    return "\n".join(f"Q: {turn.question}\nA: {turn.answer}" for turn in turns)


def whole(turns: Sequence[Turn]) -> list[Message]:
    """Everything that was said."""
    return [
        message for turn in turns for message in (Message("user", turn.question), Message("assistant", turn.answer))
    ]


def window(count: int) -> Policy:
    """The policy that keeps the last ``count`` turns."""
    return lambda turns: whole(turns[max(0, len(turns) - count) :])


def budget(tokens: int, count: Count) -> Policy:
    """The policy that keeps as many of the last turns as come to ``tokens`` at most; ``count`` is the model's own."""
    return lambda turns: whole(_last(turns, tokens, count))


def _last(turns: Sequence[Turn], tokens: int, count: Count) -> Sequence[Turn]:
    first = len(turns)
    while first:
        tokens -= count(turns[first - 1].question) + count(turns[first - 1].answer) + TURN_TOKENS
        if tokens < 0:
            break
        first -= 1
    return turns[first:]


def running_summary(
    llm: LLM, tokens: int, *, prompts: Prompts = find_prompt, told: Callable[[str], object] = str
) -> Policy:
    """The policy that keeps the last turns that come to half of ``tokens``, and a summary of those before.

    The summary is the model's, goes on from the last one, and is cut to the other half. Where the model fails, the
    turns before are left out, and ``told`` is called with a remark that says so, for people.
    """
    known: dict[tuple[Turn, ...], str] = {(): ""}

    def summary_of(turns: tuple[Turn, ...]) -> str:
        start = next(size for size in range(len(turns), -1, -1) if turns[:size] in known)
        summary = known[turns[:start]]
        calls = Calls(llm, prompts, _SUMMARY_WISH)
        room = calls.room("running-summary", summary=summary, history="")
        for part in calls.pieces(transcript(turns[start:]), room):
            summary = pieces(calls.answer("running-summary", summary=summary, history=part), tokens // 2, llm.count)[0]
        known[turns] = summary
        return summary

    def policy(turns: Sequence[Turn]) -> list[Message]:
        recent = _last(turns, tokens // 2, llm.count)
        before = tuple(turns[: len(turns) - len(recent)])
        try:
            summary = summary_of(before)
        except (ModelUnavailable, InputError) as error:
            told(f"The conversation before its last {len(recent)} turns was left out, for want of a summary: {error}")
            summary = ""
        return [*([Message("user", f"Earlier: {summary}")] if summary else []), *whole(recent)]

    return policy
