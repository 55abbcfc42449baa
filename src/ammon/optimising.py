"""A better prompt for a question set: other instructions, and examples, tried against one another within a budget.

Successive halving (Jamieson & Talwalkar 2016): all candidates answer a few questions, the better half answers more. The
present prompt stays in to the end, so that what wins is better on the same questions.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ammon.answer.calls import Calls
from ammon.answer.central import central, middle
from ammon.answer.scoring import METRICS
from ammon.answer.templates import Prompt, find_prompt, save_prompt
from ammon.chat import Usage, Wish
from ammon.errors import InputError, PathNotFound
from ammon.progress import Progress, Watcher, unwatched
from ammon.store.local.files.lines import put_text
from ammon.types import Vectors

if TYPE_CHECKING:
    from ammon.library import Library
    from ammon.ports import LLM

Embed: TypeAlias = Callable[[Sequence[str]], Vectors]
"""Texts → unit rows."""

EXAMPLES: Final = 3
"""Examples that a prompt is tried with, besides with none."""

POOL_SHARE: Final = 4
"""One question of so many is set aside to be an example, and never asked."""

SHOWN: Final = 3
"""Questions shown to the model that is to write instructions."""

PASSAGES: Final = 3
"""Passages of the library put into a prompt that wants a context which the question set does not give."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, its right answers, and the values for a prompt's inputs."""

    text: str
    answers: tuple[str, ...]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Search:
    """What to try, and how far to go. ``budget`` is in calls of the model; ``metric`` one of `scoring.METRICS`.

    ``instructions`` are tried besides up to ``written`` ones that the model writes.
    """

    metric: str = "contains"
    budget: int = 200
    instructions: tuple[str, ...] = ()
    written: int = 4


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate and its mean score in [0, 1] over so many questions."""

    instruction: str
    examples: tuple[tuple[str, str], ...]
    score: float
    questions: int


@dataclass(frozen=True, slots=True)
class Optimised:
    """What an optimisation came to. ``tried`` is best first; ``prompt`` is the present one where none is better."""

    prompt: Prompt
    better: bool
    tried: tuple[Tried, ...]
    metric: str
    calls: int
    usage: Usage = field(default_factory=Usage)
    remarks: tuple[str, ...] = ()


def read_questions(path: Path) -> list[Question]:
    """The question set of a file of JSON lines: ``question``, ``answers``, and any other inputs of the prompt.

    Questions without an answer are left out. Raises: PathNotFound; InputError, which names the line.
    """
    if not path.is_file():
        raise PathNotFound(f"There is no file {path}.")
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8.", hint="Save it as UTF-8, one JSON object a line.") from error
    found = [_question(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    answerable = [each for each in found if each.answers]
    if len(answerable) < 2:
        raise InputError(f"{path} holds {len(answerable)} questions with answers.", hint="It takes at least 2.")
    return answerable


def _question(path: Path, number: int, line: str) -> Question:
    try:
        value: dict[str, Any] = json.loads(line)
        rest = {name: each for name, each in value.items() if isinstance(each, str)}
        return Question(str(value["question"]), tuple(str(each) for each in value.get("answers", ())), rest)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}:{number}: this is no question.", hint='A line reads: {"question": "…", "answers": ["…"]}'
        ) from error


def optimise(
    prompt: Prompt, questions: Sequence[Question], llm: LLM, embed: Embed, search: Search, progress: Watcher = unwatched
) -> Optimised:
    """The best of the prompt as it is, with other instructions, and with examples. Questions hold all its inputs.

    Raises: InputError for a metric that is none, a prompt without an instruction, or a budget too small to try all;
    ModelUnavailable.
    """
    metric = METRICS.get(search.metric)
    if metric is None:
        raise InputError(f"There is no metric '{search.metric}'.", hint=f"There are: {', '.join(sorted(METRICS))}.")
    ordered = sorted(questions, key=lambda each: hashlib.blake2b(each.text.encode("utf-8", "replace")).digest())
    pool, asked = ordered[: len(ordered) // POOL_SHARE], ordered[len(ordered) // POOL_SHARE :]
    named: dict[str, Prompt] = {}
    calls = Calls(llm, lambda name: named.get(name) or find_prompt(name, prompt.language), Wish(max_tokens=256))
    instructions = [*search.instructions, *_written(calls, prompt, asked, search.written)]
    candidates = list(_candidates(prompt, instructions, _examples(pool, asked, embed)))
    named |= {f"#{place}": each for place, (each, _, _) in enumerate(candidates)}
    race = _Race(calls, asked, metric, search.budget, progress)
    scores = race.run(len(candidates))
    ranked = sorted(scores, key=lambda place: (-len(scores[place]), -_mean(scores[place]), place))
    best = max(race.finalists, key=lambda place: (_mean(scores[place]), -place))
    ranked = [best, *(place for place in ranked if place != best)]
    tried = [Tried(*candidates[place][1:], _mean(scores[place]), len(scores[place])) for place in ranked]
    won = replace(candidates[best][0], version=prompt.version + (1 if best else 0))
    usage, remarks = calls.usage, tuple(dict.fromkeys(calls.remarks))
    return Optimised(won, best != 0, tuple(tried), search.metric, len(calls.trace), usage, remarks)


def _written(calls: Calls, prompt: Prompt, asked: Sequence[Question], count: int) -> list[str]:
    """Instructions that the model writes, at most ``count``."""
    if not count:
        return []
    shown = "\n".join(f"{each.text} → {each.answers[0]}" for each in asked[:SHOWN])
    said = calls.attempt("instructions", "new ones", instruction=_instruction(prompt), examples=shown, count=count)
    return [line.strip() for line in (said or "").splitlines() if line.strip()][:count]


def _instruction(prompt: Prompt) -> str:
    return prompt.text.partition("\n\n")[0]


def _examples(pool: Sequence[Question], asked: Sequence[Question], embed: Embed) -> tuple[tuple[str, str], ...]:
    """Questions with their answers, those most like what is asked, and unlike one another."""
    if not pool:
        return ()
    towards = middle(embed([each.text for each in asked]))
    chosen = central(embed([each.text for each in pool]), towards, EXAMPLES)
    return tuple((pool[place].text, pool[place].answers[0]) for place in chosen)


def _candidates(
    prompt: Prompt, instructions: Sequence[str], examples: tuple[tuple[str, str], ...]
) -> Iterator[tuple[Prompt, str, tuple[tuple[str, str], ...]]]:
    """The prompt as it is, then with each other instruction, then all of these with examples."""
    present = _instruction(prompt)
    others = [each for each in dict.fromkeys(" ".join(each.split()) for each in instructions) if each != present]
    for shown in dict.fromkeys(((), examples)):
        yield prompt.with_examples(shown), present, shown
        for each in others:
            yield prompt.with_instruction(each).with_examples(shown), each, shown


class _Race:
    """Candidates against one another, by number; 0 is the present prompt, and stays."""

    def __init__(
        self, calls: Calls, asked: Sequence[Question], metric: Callable[..., float], budget: int, progress: Watcher
    ) -> None:
        self.finalists: list[int] = []
        self._calls = calls
        self._asked = asked
        self._metric = metric
        self._budget = budget
        self._progress = progress

    def run(self, count: int) -> dict[int, list[float]]:
        """The scores of each candidate, question by question; `finalists` have answered the most, and the same."""
        left = self._budget - len(self._calls.trace)
        if left < count:
            raise InputError(
                f"The budget of {self._budget} calls is too small for {count} candidates.",
                hint=f"Give {self._budget - left + 4 * count} or more, or fewer instructions.",
            )
        scores: dict[int, list[float]] = {place: [] for place in range(count)}
        alive, start = list(scores), 0
        rounds = max(1, math.ceil(math.log2(count)))
        for remaining in range(rounds, 0, -1):
            self.finalists = alive
            left = self._budget - len(self._calls.trace)
            some = self._asked[start : start + max(1, left // remaining // len(alive))]
            if not some or left < len(alive):
                break
            for place in alive:
                scores[place] += [self._score(place, question) for question in some]
            start += len(some)
            best = sorted(alive, key=lambda place: (-_mean(scores[place]), place))
            alive = sorted({0, *best[: max(1, len(alive) // 2)]})
        return scores

    def _score(self, place: int, question: Question) -> float:
        self._progress(Progress("parts", files_done=len(self._calls.trace), files_total=self._budget))
        said = self._calls.attempt(f"#{place}", f"'{question.text}'", None, **question.values)
        return self._metric(said or "", question.answers)


def _mean(scores: Sequence[float]) -> float:
    return sum(scores) / len(scores) if scores else 0.0


def optimise_in(
    library: Library, name: str, language: str, path: Path, llm: LLM, search: Search, progress: Watcher = unwatched
) -> Optimised:
    """Optimise a prompt for a library, whose passages fill a ``context`` or ``text`` that the question set lacks.

    A better one is put into the library's folder of prompts; the scores of all stand beside it, in
    ``NAME.LANGUAGE.scores.json``. Raises: as `optimise` and `read_questions`; LibraryError.
    """
    folder = library.path / "prompts"
    prompt = find_prompt(name, language, folder)
    questions = [_filled(library, prompt, each) for each in read_questions(path)]
    done = optimise(prompt, questions, llm, library.encoder.embedder.embed_passages, search, progress)
    if done.better:
        done = replace(done, prompt=save_prompt(done.prompt, folder))
    report = {
        "metric": done.metric,
        "calls": done.calls,
        "model": llm.name,
        "better": done.better,
        "before": prompt.hash,
        "prompt": done.prompt.hash,
        "tried": [asdict(each) for each in done.tried],
    }
    target = folder / f"{prompt.name}.{prompt.language}.scores.json"
    put_text(target, json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return done


def _filled(library: Library, prompt: Prompt, question: Question) -> Question:
    """The question with a value for each input of the prompt. Raises: InputError when there is none."""
    from ammon.answer.fitting import fenced

    values = {name: each for name, each in question.values.items() if name in prompt.inputs}
    for name in (each for each in prompt.inputs if each not in values):
        if name not in ("context", "text"):
            raise InputError(
                f"The prompt '{prompt.name}' needs {name}, which the question set does not give.",
                hint=f'Add "{name}" to each line.',
            )
        hits = library.search(question.text, PASSAGES)
        values[name] = fenced([(str(rank), hit.text) for rank, hit in enumerate(hits, 1)])
    return replace(question, values=values)
