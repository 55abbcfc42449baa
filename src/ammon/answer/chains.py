"""Four ways to answer a question from texts that may be more than a model's window holds, and how to join steps.

Each is a generator: pieces of the answer as they come, then a `Chained` with the whole and how it was made. What a
step could not do stands in its remarks; where nothing is left to answer from, the model's error is raised.

`stuff` asks once; `map_reduce` takes notes of each text, then answers from the notes; `refine` goes from text to text
with the answer so far; `map_rerank` answers from each text alone and keeps the best.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final, TypeAlias

from ammon.answer.calls import Calls, Chained, without_schema
from ammon.answer.fitting import FENCE_TOKENS, batches, fenced
from ammon.answer.templates import Prompts, find_prompt
from ammon.answers import TraceStep
from ammon.chat import Generation, Wish
from ammon.errors import InputError, ModelUnavailable
from ammon.ports import LLM
from ammon.types import Hit

Texts: TypeAlias = Sequence[str | Hit]
"""Passages, best first, or a text's parts in reading order."""

Chain: TypeAlias = Callable[..., Iterator[str | Chained]]
"""Texts, a question and a model → pieces of the answer, then what it comes to."""

RANKED: Final = {
    "type": "object",
    "properties": {"answer": {"type": "string"}, "score": {"type": "integer", "minimum": 0, "maximum": 100}},
    "required": ["answer", "score"],
    "additionalProperties": False,
}
"""What `map_rerank` asks for, as a JSON schema."""

_NOTHING: Final = re.compile(r"\W*(none|无|没有)\W*", re.IGNORECASE)
_WISH: Final = Wish()


def stuff(
    texts: Texts, question: str, llm: LLM, *, prompts: Prompts = find_prompt, wish: Wish = _WISH
) -> Iterator[str | Chained]:
    """Answer from the texts all at once: from as many of the first as fit, and a remark that tells how many.

    Raises: InputError, ModelUnavailable.
    """
    calls = Calls(llm, prompts, wish)
    given = _plain(texts)
    room = calls.room("answer", question=question, context="")
    kept: list[tuple[str, str]] = []
    for place, text in enumerate(given, 1):
        longer = [*kept, (str(place), text)]
        if llm.count(fenced(longer)) > room + FENCE_TOKENS:
            break
        kept = longer
    if not kept:
        kept = [("1", calls.pieces(given[0], room)[0])]
        calls.remarks.append("Only the beginning of the first text fits the model's window.")
    if len(kept) < len(given):
        calls.remarks.append(f"{len(given) - len(kept)} of {len(given)} texts do not fit the model's window.")
    text = yield from _streamed(calls, "answer", question=question, context=fenced(kept))
    yield calls.result(text, range(len(kept)))


def map_reduce(
    texts: Texts, question: str, llm: LLM, *, prompts: Prompts = find_prompt, wish: Wish = _WISH
) -> Iterator[str | Chained]:
    """Take notes of each text, by itself, then answer from the notes, which are brought together until they fit.

    The answer is empty when no text says anything about the question. Raises: InputError, ModelUnavailable.
    """
    calls = Calls(llm, prompts, wish)
    room = calls.room("map", question=question, text="")
    notes: list[tuple[int, str]] = []
    for place, text in enumerate(_plain(texts)):
        for piece in calls.pieces(text, room):
            said = calls.attempt(
                "map", f"text {place + 1}", without_schema(wish), question=question, text=fenced([("", piece)])
            )
            if said and not _NOTHING.fullmatch(said):
                notes.append((place, said))
    if not notes:
        calls.remarks.append("No text was found to say anything about the question.")
        yield calls.result("", ())
        return
    fitting = _fitting(calls, question, [(str(place + 1), note) for place, note in notes])
    text = yield from _streamed(calls, "reduce", question=question, notes=fenced(fitting))
    yield calls.result(text, [place for place, _ in notes])


def _fitting(calls: Calls, question: str, notes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The notes, brought together in batches until all of them fit into one prompt."""
    room = calls.room("reduce", question=question, notes="")
    while calls.llm.count(fenced(notes)) > room + FENCE_TOKENS:
        # Half the room at most: two to a batch at least, or they would never become fewer.
        cut = [(label, calls.pieces(note, room // 2 - FENCE_TOKENS)[0]) for label, note in notes]
        if cut != notes:
            calls.remarks.append("Notes were too long for the model's window; only their beginning was read.")
        if calls.llm.count(fenced(cut)) <= room + FENCE_TOKENS:
            return cut
        sizes = [calls.llm.count(note) + FENCE_TOKENS for _, note in cut]
        notes = []
        for batch in batches(sizes, room):
            some = [cut[place] for place in batch]
            said = calls.attempt(
                "reduce", "some notes", without_schema(calls.wish), question=question, notes=fenced(some)
            )
            if said:
                first, last = some[0][0].split("-")[0], some[-1][0].split("-")[-1]
                notes.append((first if first == last else f"{first}-{last}", said))
        if not notes:
            raise ModelUnavailable(f"{calls.llm.name} could not bring the notes together.", hint="Ask again.")
    return notes


def refine(
    texts: Texts, question: str, llm: LLM, *, prompts: Prompts = find_prompt, wish: Wish = _WISH
) -> Iterator[str | Chained]:
    """Answer from the first text, then better the answer with each of the others; only the last is streamed.

    Raises: InputError, ModelUnavailable.
    """
    calls = Calls(llm, prompts, wish)
    room = calls.room("refine", question=question, answer="", text="") - wish.max_tokens
    if room < FENCE_TOKENS:
        raise InputError(
            f"The window of {llm.name}, {llm.window} tokens, is too small for the answer so far and a better one.",
            hint=f"Ask for answers shorter than {wish.max_tokens} tokens, or use map-reduce.",
        )
    parts = [(place, piece) for place, text in enumerate(_plain(texts)) for piece in calls.pieces(text, room)]
    answer, used = "", list[int]()
    for place, piece in parts[:-1]:
        shown = fenced([("", piece)])
        said = calls.attempt(
            "refine", f"text {place + 1}", without_schema(wish), question=question, answer=answer, text=shown
        )
        if said:
            answer, used = said, [*used, place]
    place, piece = parts[-1]
    try:
        last = yield from _streamed(calls, "refine", question=question, answer=answer, text=fenced([("", piece)]))
    except ModelUnavailable as error:
        if not answer:
            raise
        calls.remarks.append(f"Step 'refine' failed for text {place + 1}: {error}")
        yield answer
        yield calls.result(answer, used)
        return
    yield calls.result(last, [*used, place])


def map_rerank(
    texts: Texts, question: str, llm: LLM, *, prompts: Prompts = find_prompt, wish: Wish = _WISH
) -> Iterator[str | Chained]:
    """Answer from each text alone and give the answer that its text bears out best; the first of equal ones.

    The answer is empty when none is worth anything. Raises: InputError, ModelUnavailable.
    """
    calls = Calls(llm, prompts, replace(wish, schema=RANKED))
    room = calls.room("rank", question=question, text="")
    best, score, used = "", 0.0, -1
    for place, text in enumerate(_plain(texts)):
        for piece in calls.pieces(text, room):
            said = calls.attempt("rank", f"text {place + 1}", question=question, text=fenced([("", piece)]))
            ranked = None if said is None else _ranked(said)
            if said is not None and ranked is None:
                calls.remarks.append(f"Step 'rank' gave no answer with a score for text {place + 1}.")
            if ranked is not None and ranked[1] > score:
                best, score, used = ranked[0], ranked[1], place
    if best:
        yield best
    else:
        calls.remarks.append("No text was found to answer the question.")
    yield calls.result(best, [used] if best else [])


def _ranked(said: str) -> tuple[str, float] | None:
    """The answer and the score in [0, 100] that a model wrote as JSON, perhaps among other words."""
    found = re.search(r"\{.*\}", said, re.DOTALL)
    try:
        value: Any = json.loads(found[0]) if found else None
        return str(value["answer"]).strip(), min(100.0, max(0.0, float(value["score"])))
    except (ValueError, TypeError, KeyError):
        return None


def _streamed(calls: Calls, name: str, **values: object) -> Generator[str, None, str]:
    """Yields the pieces of the chain's last step; returns its text."""
    whole = ""
    for piece in calls.ask(name, None, **values):
        if isinstance(piece, Generation):
            whole = piece.text
        else:
            yield piece
    return whole


def _plain(texts: Texts) -> list[str]:
    """The words of each text. Raises: InputError when there are none at all."""
    given = [each if isinstance(each, str) else each.text for each in texts]
    if not any(text.strip() for text in given):
        raise InputError("There is no text to answer from.", hint="Give at least one passage that is not empty.")
    return given


# --- composition -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Composed:
    """What composed steps come to: the last one's value, and the trace of all."""

    value: Any
    trace: tuple[TraceStep, ...] = ()


def compose(*steps: Callable[[Any], Any]) -> Callable[[Any], Iterator[Any]]:
    """One step after the other, each given what the one before came to; then a `Composed`, after the last's pieces.

    A step is any callable of one value. One that gives a generator, as the chains do, comes to its last value; the
    texts before that are let through where it is the last step.

    >>> *_, last = compose(str.strip, str.split, len)(" three plain words ")
    >>> last.value
    3
    """

    def composed(value: Any) -> Iterator[Any]:
        trace: list[TraceStep] = []
        for number, step in enumerate(steps, 1):
            start = perf_counter()
            value = step(value)
            if isinstance(value, Iterator):
                value = yield from _last(value, let_through=number == len(steps))
            trace.append(TraceStep(_name_of(step), perf_counter() - start))
            trace += getattr(value, "trace", ())
        yield Composed(value, tuple(trace))

    return composed


def _last(stream: Iterator[Any], *, let_through: bool) -> Generator[str, None, Any]:
    """The last value of a stream; yields its pieces, if they are to be let through."""
    value: Any = None
    for value in stream:
        if let_through and isinstance(value, str):
            yield value
    return value


def _name_of(step: Callable[[Any], Any]) -> str:
    inner = getattr(step, "func", step)  # of a functools.partial
    return str(getattr(inner, "__name__", type(inner).__name__))
