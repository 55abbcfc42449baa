"""A summary by a language model, of a text of any length: of stretches, then of their summaries, until it is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from ammon.answer.calls import Calls
from ammon.answer.fitting import FENCE_TOKENS, batches, fenced
from ammon.answer.sentences import sentences
from ammon.answers import Citation, Statement
from ammon.chat import Wish
from ammon.errors import ModelUnavailable
from ammon.progress import Progress, Watcher, unwatched
from ammon.types import Hit, Span

UNCHECKED: Final = "not checked against its source"
"""The problem of a statement that nobody has looked at."""

Check = Callable[[Statement], Statement]
"""A statement with whole passages as its citations → the same with what of it does not stand there."""

_NUMBERS: Final = re.compile(r"\s*[\[【]\s*\d+(?:\s*[,，、–-]\s*\d+)*\s*[\]】]")
_AFTER_STOP: Final = re.compile(rf"([.!?。！？]+[\"”」]?)((?:{_NUMBERS.pattern})+)")
_WISH: Final = Wish(max_tokens=512)


def unchecked(statement: Statement) -> Statement:
    """The statement, with the remark that it was not checked."""
    return Statement(statement.text, statement.citations, 0.0, (*statement.problems, UNCHECKED))


@dataclass(frozen=True, slots=True)
class Request:
    """What to summarise: passages in reading order, on a question or none, in so many sentences at most."""

    hits: Sequence[Hit]
    sentences: int = 5
    question: str = ""
    wish: Wish = field(default_factory=lambda: _WISH)


def summarise(asked: Request, calls: Calls, progress: Watcher = unwatched) -> str:
    """The summary, its sentences followed by the numbers of the passages they rest on, from 1, as in ``[3]``.

    Raises: ModelUnavailable, InputError.
    """
    given: dict[str, object] = {"question": asked.question, "sentences": asked.sentences}
    stretches = list(_stretches(asked.hits, calls, calls.room("summarise", text="", **given)))
    room = calls.room("combine", text="", **given)
    done, texts = 0, list[str]()
    for stretch in stretches:
        progress(Progress("parts", files_done=done, files_total=len(stretches)))
        texts.append(_said(calls, "summarise", text=stretch, **given))
        done += 1
    while len(texts) > 1:
        # Half the room at most: two to a group at least, or they would never become fewer.
        cut = [calls.pieces(text, room // 2 - FENCE_TOKENS)[0] for text in texts]
        if cut != texts:
            calls.remarks.append("Summaries of stretches were too long for the model's window; their end was not read.")
        groups = batches([calls.llm.count(text) + FENCE_TOKENS for text in cut], room)
        progress(Progress("parts", files_done=done, files_total=done + len(groups)))
        texts = [_said(calls, "combine", text=_labelled([cut[at] for at in group]), **given) for group in groups]
        done += len(groups)
    return texts[0]


def _said(calls: Calls, name: str, **values: object) -> str:
    said = calls.answer(name, None, **values)
    if not said:
        raise ModelUnavailable(f"{calls.llm.name} gave an empty summary.", hint="Use another model, or none.")
    return said


def _labelled(texts: Sequence[str]) -> str:
    return fenced([("", text) for text in texts])


def _stretches(hits: Sequence[Hit], calls: Calls, room: int) -> Iterator[str]:
    """The numbered passages in stretches that fit, as few as may be, cut between the sections of documents."""
    parts = [(number, hit, piece) for number, hit in enumerate(hits, 1) for piece in calls.pieces(hit.text, room)]
    sections = [list(some) for _, some in groupby(parts, key=lambda part: (part[1].uri, part[1].heading[:1]))]

    def size(some: Sequence[tuple[int, Hit, str]]) -> int:
        return sum(calls.llm.count(piece) + FENCE_TOKENS for _, _, piece in some)

    for group in batches([size(section) for section in sections], room):
        some = [part for place in group for part in sections[place]]
        for batch in batches([size([part]) for part in some], room):
            yield fenced([(str(some[place][0]), some[place][2]) for place in batch])


def statements_of(text: str, hits: Sequence[Hit], check: Check = unchecked) -> list[Statement]:
    """The sentences of a summary without their numbers, each citing the whole passages that these are of."""
    found: list[tuple[str, list[int]]] = []
    # Numbers after a full stop belong to the sentence that it ends.
    text = _AFTER_STOP.sub(r"\2\1", text)
    for span in sentences(text):
        sentence = text[span.start : span.end]
        numbers = [int(each) for group in _NUMBERS.findall(sentence) for each in re.findall(r"\d+", group)]
        said = _NUMBERS.sub("", sentence).strip()
        if re.search(r"\w", said):
            found.append((said, numbers))
        elif found:
            found[-1][1].extend(numbers)
    return [check(_statement(said, numbers, hits)) for said, numbers in found if said]


def _statement(said: str, numbers: Sequence[int], hits: Sequence[Hit]) -> Statement:
    distinct = list(dict.fromkeys(numbers))
    problems = [f"there is no passage {number}" for number in distinct if not 1 <= number <= len(hits)]
    cited = tuple(whole(hits[number - 1]) for number in distinct if 1 <= number <= len(hits))
    return Statement(said, cited, problems=tuple(problems) if distinct else ("it names no passage",))


def whole(hit: Hit) -> Citation:
    """The citation of a whole passage."""
    return Citation(hit, Span(hit.span.start, hit.span.end), hit.text, hit.first_line, hit.last_line)
