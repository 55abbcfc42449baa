"""The chunks of one document, kept as numbers: where each begins and ends in the text that they all stand in.

A table of a few bytes a row has millions of them, and an object with a text of its own takes ten times as much.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import overload

from ammon.types import Chunk, Part


class Passages(Sequence[Chunk]):
    """Chunks of ``text`` in order, 28 bytes each; each is made when it is looked at."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts, self._ends, self._firsts, self._lasts, self._tokens = (array("I") for _ in range(5))
        self._places = array("I")
        self._known: dict[tuple[int | None, tuple[str, ...]], int] = {}

    def append(self, start: int, end: int, lines: tuple[int, int], part: Part, tokens: int) -> None:
        """Add the next chunk, which stands in ``part``."""
        self._starts.append(start)
        self._ends.append(end)
        self._firsts.append(lines[0])
        self._lasts.append(lines[1])
        self._tokens.append(tokens)
        self._places.append(self._known.setdefault((part.page, part.heading), len(self._known)))

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Chunk]:
        places = tuple(self._known)
        columns = zip(self._starts, self._ends, self._firsts, self._lasts, self._places, self._tokens, strict=True)
        for ordinal, (start, end, first, last, place, tokens) in enumerate(columns):
            page, heading = places[place]
            yield Chunk(ordinal, start, end, self._text[start:end], first, last, page, heading, tokens)

    @overload
    def __getitem__(self, at: int) -> Chunk: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Chunk]: ...

    def __getitem__(self, at: int | slice) -> Chunk | Sequence[Chunk]:
        chosen = range(len(self))[at]
        if isinstance(chosen, range):
            return [self[each] for each in chosen]
        start, end = self._starts[chosen], self._ends[chosen]
        page, heading = tuple(self._known)[self._places[chosen]]
        first, last, tokens = self._firsts[chosen], self._lasts[chosen], self._tokens[chosen]
        return Chunk(chosen, start, end, self._text[start:end], first, last, page, heading, tokens)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr([*self])
