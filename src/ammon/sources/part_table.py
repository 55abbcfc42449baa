"""Parts kept in columns: 33 bytes each, where an object with its numbers would take 300; a file may have millions."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar, overload

from ammon.types import Part, PartKind

KINDS: Final[tuple[PartKind, ...]] = ("prose", "markdown", "code", "row", "margin")
_COLUMNS: Final = 8
"""Start, end, kind, grammar, page, heading, first line, last line; the two before the last two count from 1."""


Name = TypeVar("Name", str, tuple[str, ...])


class PartTable(Sequence[Part]):
    """Parts, in order. As bytes they may come from anywhere: `from_bytes` believes nothing."""

    def __init__(self, parts: Iterable[Part] = ()) -> None:
        self._columns = tuple(array("I") for _ in range(_COLUMNS))
        self.headings: list[tuple[str, ...]] = []
        self.grammars: list[str] = []
        self._known: dict[tuple[str, ...] | str, int] = {}
        for part in parts:
            self.append(part)

    def append(self, part: Part) -> None:
        """Add a part."""
        first, last = part.lines or (0, 0)
        heading, grammar = self._number(part.heading, self.headings), self._number(part.grammar, self.grammars)
        row = (part.start, part.end, KINDS.index(part.kind), grammar, part.page or 0, heading, first, last)
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def _number(self, value: Name, values: list[Name]) -> int:
        if value not in self._known:
            self._known[value] = len(values)
            values.append(value)
        return self._known[value]

    def to_bytes(self) -> bytes:
        """The columns, one after the other; headings and grammars go beside them."""
        return b"".join(column.tobytes() for column in self._columns)

    @classmethod
    def from_bytes(
        cls, data: bytes | memoryview, headings: list[tuple[str, ...]], grammars: list[str], length: int
    ) -> PartTable:
        """What `to_bytes` gave, for a text of ``length`` characters. Raises: ValueError for what it never gives."""
        table = cls()
        table.headings, table.grammars = headings, grammars
        size = len(data) // _COLUMNS
        for number, column in enumerate(table._columns):
            column.frombytes(data[number * size : (number + 1) * size])
        table._check(length)
        return table

    def _check(self, length: int) -> None:
        starts, ends, kinds, grammars, _, headings, firsts, lasts = self._columns
        reached = 0
        for start, end in zip(starts, ends, strict=True):
            if not reached <= start <= end <= length:
                raise ValueError("A part does not fit its text.")
            reached = end
        bounds = ((kinds, len(KINDS)), (grammars, len(self.grammars)), (headings, len(self.headings)))
        if any(max(column, default=0) >= bound for column, bound in bounds if len(column)):
            raise ValueError("A part is of a kind that there is not.")
        if any(last < first for first, last in zip(firsts, lasts, strict=True)):
            raise ValueError("A part ends before it begins.")

    def __len__(self) -> int:
        return len(self._columns[0])

    def __iter__(self) -> Iterator[Part]:
        return map(self._at, range(len(self)))

    @overload
    def __getitem__(self, at: int) -> Part: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Part]: ...

    def __getitem__(self, at: int | slice) -> Part | Sequence[Part]:
        if isinstance(at, slice):
            return [self._at(each) for each in range(*at.indices(len(self)))]
        return self._at(range(len(self))[at])

    def _at(self, at: int) -> Part:
        start, end, kind, grammar, page, heading, first, last = (column[at] for column in self._columns)
        lines = (first, last) if first else None
        return Part(start, end, KINDS[kind], self.grammars[grammar], page or None, self.headings[heading], lines)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr((*self,))
