"""An answer and all that is needed to check it: plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from ammon.chat import Usage
from ammon.types import Hit, Span

Way: TypeAlias = Literal["extracted", "generated", "none"]
"""How the text of an answer came about: cut from its sources, written by a model, or not at all."""


@dataclass(frozen=True, slots=True)
class Citation:
    """The very words of a source: ``quote`` stands at ``span`` of the document's extracted text.

    ``hit`` is the passage it is in. Lines are 1-based.
    """

    hit: Hit
    span: Span
    quote: str
    first_line: int
    last_line: int

    @property
    def uri(self) -> str:
        """The document."""
        return self.hit.uri

    @property
    def place(self) -> str:
        """Where it stands, for people; as `Hit.citation`, but of the quote's own lines."""
        from dataclasses import replace

        return replace(self.hit, first_line=self.first_line, last_line=self.last_line).citation


@dataclass(frozen=True, slots=True)
class Statement:
    """A piece of an answer, what it rests on, and whether that holds.

    ``support`` in [0, 1] is how well the cited words bear it out; 1 where it is made of them. ``problems`` say what of
    it does not stand in what it cites, for people; none means that it was verified.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    support: float = 1.0
    problems: tuple[str, ...] = ()

    @property
    def supported(self) -> bool:
        """Whether it rests on something, and that holds."""
        return bool(self.citations) and not self.problems


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One thing that was done on the way to an answer: its name, seconds, and what can be told of it (JSON-like)."""

    name: str
    seconds: float
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a question. ``text`` is empty, and ``reason`` says why, where it is ``abstained``.

    ``statements`` are in the order of ``text``. ``hits`` are the passages that were looked at, best first; ``model`` is
    the language model's name, empty where none was used. ``confidence`` in [0, 1] is how likely the library is to hold
    the answer. ``remarks`` say what did not go as asked, for people: a degraded answer says so here.
    """

    question: str
    text: str
    way: Way
    statements: tuple[Statement, ...] = ()
    abstained: bool = False
    reason: str = ""
    confidence: float = 0.0
    hits: Sequence[Hit] = ()
    model: str = ""
    usage: Usage = field(default_factory=Usage)
    trace: tuple[TraceStep, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What its statements rest on, each once, in the order it is first cited."""
        return tuple({(c.uri, c.span): c for each in self.statements for c in each.citations}.values())
