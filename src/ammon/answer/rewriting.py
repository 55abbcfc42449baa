"""Optional steps before a search: one question becomes other queries, and what they find becomes one list.

Each step is a callable of a question and a model. Where the model fails, what it gives is the question itself, and a
remark that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ammon.answer.calls import Calls
from ammon.answer.history import Turn, transcript
from ammon.answer.templates import Prompts, find_prompt
from ammon.answers import TraceStep
from ammon.chat import Usage, Wish
from ammon.errors import InputError, ModelUnavailable
from ammon.ports import LLM
from ammon.types import Hit

RRF_RANKS: Final = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke & Büttcher 2009, section 2)."""

MOST_CHARACTERS: Final = 2_000
"""A longer query is no query; of a talkative model, so much is read."""

TURNS: Final = 6
"""Turns of a conversation that a question is put together with."""

_WISH: Final = Wish(max_tokens=256)
_BULLET: Final = re.compile(r"^\s*(?:[-*•]|\d+[.)、])\s*")


@dataclass(frozen=True, slots=True)
class Queries:
    """What to search for: at least one text. ``remarks`` say what went wrong, for people."""

    texts: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    trace: tuple[TraceStep, ...] = ()
    usage: Usage = field(default_factory=Usage)


def rewrite(question: str, history: Sequence[Turn], llm: LLM, *, prompts: Prompts = find_prompt) -> Queries:
    """The question as it stands by itself, without the conversation before it; one query."""
    if not history:
        return Queries((question,))
    said = transcript(history[-TURNS:])
    found = _asked("condense-question", question, llm, prompts, history=said)
    return Queries(found.texts[-1:], found.remarks, found.trace, found.usage)


def multi_query(question: str, llm: LLM, *, count: int = 3, prompts: Prompts = find_prompt) -> Queries:
    """The question, and up to ``count`` others that mean the same in other words."""
    return _asked("multi-query", question, llm, prompts, most=count, count=count)


def step_back(question: str, llm: LLM, *, prompts: Prompts = find_prompt) -> Queries:
    """The question, and the more general one behind it (Zheng et al. 2023, "Take a Step Back")."""
    return _asked("step-back", question, llm, prompts)


def hypothetical(question: str, llm: LLM, *, prompts: Prompts = find_prompt) -> Queries:
    """The question, and a passage as it might answer it (Gao et al. 2022, "HyDE")."""
    return _asked("hypothetical-document", question, llm, prompts, joined=True)


def keywords(question: str, llm: LLM, *, prompts: Prompts = find_prompt) -> Queries:
    """The question, and words that a text which answers it is likely to hold."""
    return _asked("keywords", question, llm, prompts, joined=True)


def _asked(
    name: str,
    question: str,
    llm: LLM,
    prompts: Prompts,
    *,
    most: int = 1,
    joined: bool = False,
    **values: object,
) -> Queries:
    """The question, and ``most`` of the lines that the model wrote: or all of them ``joined`` to one."""
    calls = Calls(llm, prompts, _WISH)
    try:
        said = calls.answer(name, None, question=question, **values)
    except (ModelUnavailable, InputError) as error:
        calls.remarks.append(f"Step '{name}' failed, the question was searched for as it is: {error}")
        said = ""
    lines = [_BULLET.sub("", line).strip().strip('"“”「」')[:MOST_CHARACTERS] for line in said.splitlines()]
    lines = [" ".join(lines)[:MOST_CHARACTERS]] if joined else lines
    new = [line for line in dict.fromkeys(lines) if line.strip() and line != question][:most]
    if not new and not calls.remarks:
        calls.remarks.append(f"Step '{name}' gave nothing new; the question was searched for as it is.")
    return Queries((question, *new), tuple(calls.remarks), tuple(calls.trace), calls.usage)


def search_many(search: Callable[[str, int], Iterable[Hit]], queries: Sequence[str], k: int) -> list[Hit]:
    """The ``k`` best passages for all of the queries together, best first, by reciprocal rank fusion.

    ``search`` gives the best passages for one query. A passage has the best score that it was found with, so that
    scores need not fall from one to the next. Raises: InputError when there is no query.
    """
    if not queries:
        raise InputError("There is no query.", hint="Give at least one.")
    worth: dict[int, float] = {}
    best: dict[int, Hit] = {}
    for query in dict.fromkeys(queries):
        for rank, hit in enumerate(search(query, k), 1):
            worth[hit.chunk_id] = worth.get(hit.chunk_id, 0.0) + 1 / (RRF_RANKS + rank)
            known = best.get(hit.chunk_id)
            best[hit.chunk_id] = hit if known is None or hit.score > known.score else known
    return [best[each] for each in sorted(worth, key=lambda each: (-worth[each], each))][:k]
