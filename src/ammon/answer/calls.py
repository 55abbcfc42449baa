"""The calls of a language model that a chain makes: each within the window, timed, and told of when it goes wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Final

from ammon.answer.fitting import FENCE_TOKENS, pieces
from ammon.answer.templates import Prompts
from ammon.answers import TraceStep
from ammon.chat import Generation, Message, Usage, Wish
from ammon.errors import InputError, ModelUnavailable
from ammon.ports import LLM

AROUND: Final = 32
"""Tokens left to what a model's template puts around a message."""

LEAST_ROOM: Final = 256
"""Tokens of a text that it takes to say something."""

PATIENCE: Final = 3
"""Failures in a row after which a model counts as gone."""


@dataclass(frozen=True, slots=True)
class Chained:
    """What a chain comes to, its last value: the text, and how it was made.

    ``used`` are the places (from 0) of the texts that it was made from. ``remarks`` say what went wrong, for people.
    """

    text: str
    used: tuple[int, ...] = ()
    trace: tuple[TraceStep, ...] = ()
    usage: Usage = field(default_factory=Usage)
    remarks: tuple[str, ...] = ()


class Calls:
    """Asks a model prompt by prompt, and keeps what was done."""

    def __init__(self, llm: LLM, prompts: Prompts, wish: Wish) -> None:
        self.llm = llm
        self.wish = wish
        self.trace: list[TraceStep] = []
        self.usage = Usage()
        self.remarks: list[str] = []
        self._prompts = prompts
        self._failures = 0

    def room(self, name: str, **values: object) -> int:
        """Tokens that a text more than these values may have in a prompt. Raises: InputError when hardly any."""
        taken = self.llm.count(self._prompts(name).render(**values))
        left = self.llm.window - self.wish.max_tokens - taken - AROUND - FENCE_TOKENS
        if left < LEAST_ROOM:
            raise InputError(
                f"The window of {self.llm.name}, {self.llm.window} tokens, is too small: the prompt '{name}' takes "
                f"{taken} of them, and the answer up to {self.wish.max_tokens}.",
                hint="Use a model with a larger window, a shorter question, or ask for a shorter answer.",
            )
        return left

    def pieces(self, text: str, room: int) -> list[str]:
        """A text in pieces that fit into ``room`` tokens."""
        return [piece for piece in pieces(text, room, self.llm.count) if piece.strip()]

    def ask(self, name: str, wish: Wish | None = None, **values: object) -> Iterator[str | Generation]:
        """The model's answer to a prompt, piece by piece, then as a whole. Raises: as `LLM.stream`."""
        prompt = self._prompts(name)
        start = perf_counter()
        told: dict[str, object] = {"prompt": prompt.hash, "model": self.llm.name}
        try:
            for piece in self.llm.stream([Message("user", prompt.render(**values))], wish or self.wish):
                if isinstance(piece, Generation):
                    told |= {"read": piece.usage.read, "written": piece.usage.written, "finish": piece.finish}
                    self._keep(name, piece)
                yield piece
        except ModelUnavailable as error:
            told["error"] = str(error)
            raise
        finally:
            self.trace.append(TraceStep(name, perf_counter() - start, told))

    def _keep(self, name: str, whole: Generation) -> None:
        self.usage += whole.usage
        if whole.finish == "length":
            self.remarks.append(f"Step '{name}' broke off: the answer is longer than {self.wish.max_tokens} tokens.")
        elif whole.finish == "cut":
            self.remarks.append(f"Step '{name}' broke off: {whole.remark or 'the model does not say why'}")

    def answer(self, name: str, wish: Wish | None = None, **values: object) -> str:
        """The model's whole answer to a prompt. Raises: as `LLM.stream`; ModelUnavailable when there is none."""
        whole = ""
        for piece in self.ask(name, wish, **values):
            whole = piece.text if isinstance(piece, Generation) else whole
        return whole.strip()

    def attempt(self, name: str, about: str, wish: Wish | None = None, **values: object) -> str | None:
        """As `answer`; ``None``, and a remark that says what ``about``, when the model fails.

        Raises: ModelUnavailable when it does so time and again.
        """
        try:
            said = self.answer(name, wish, **values)
        except ModelUnavailable as error:
            self._failures += 1
            if self._failures >= PATIENCE:
                raise
            self.remarks.append(f"Step '{name}' failed for {about}: {error}")
            return None
        self._failures = 0
        return said

    def result(self, text: str, used: Sequence[int]) -> Chained:
        """What the chain comes to."""
        distinct = tuple(dict.fromkeys(used))
        return Chained(text.strip(), distinct, tuple(self.trace), self.usage, tuple(dict.fromkeys(self.remarks)))


def without_schema(wish: Wish) -> Wish:
    """The wish, free to write text: for the steps before the one that the schema is of."""
    return replace(wish, schema=None, tools=())
