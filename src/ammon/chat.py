"""What goes to a language model and comes back from it: plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant", "tool"]
Finish: TypeAlias = Literal["stop", "length", "tools", "cut"]
"""Why a model stopped: it was done, it ran out of tokens, it wants tools called, or its answer broke off."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to have a tool called. ``arguments`` is what the model wrote: JSON, if it kept to the form."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. ``answers`` is the id of the `ToolCall` that a ``tool`` message answers."""

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it; ``parameters`` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """How a model is to write. ``max_tokens`` of the answer; ``temperature`` 0 is the most likely answer.

    ``stop`` are strings the answer ends before. ``schema`` is a JSON schema the answer must fit, where the model can be
    held to one; elsewhere it is asked to. ``seed`` makes an answer repeatable where the model has such a thing.
    """

    max_tokens: int = 512
    temperature: float = 0.0
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    tools: Sequence[ToolSpec] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written, and what they cost (in the currency of the prices that were set; 0 where none were).

    ``counted`` tells whether the model itself counted; else they are estimated.
    """

    read: int = 0
    written: int = 0
    cost: float = 0.0
    counted: bool = True

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.read + other.read, self.written + other.written, self.cost + other.cost, self.counted and other.counted
        )


@dataclass(frozen=True, slots=True)
class Generation:
    """A whole answer of a model: its text, the tools it wants called, why it stopped, and what it took.

    ``held`` tells whether the model was held to the schema that was wished for, rather than asked to keep to it.
    ``remark`` says what went wrong with an answer that was ``cut``.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    finish: Finish = "stop"
    usage: Usage = field(default_factory=Usage)
    held: bool = False
    remark: str = ""
