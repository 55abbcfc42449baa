"""Rows on their way into a document: a text in which each row is a part."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias, overload

from ammon.errors import SourceError
from ammon.types import Part

MOST_CHARACTERS: Final = 160_000_000
MOST_ROWS: Final = 6_000_000
"""Of one file: with its column names in each row, a table of 64 MiB could grow to six times that."""

RowKind: TypeAlias = Literal["row", "margin"]
_KINDS: Final[tuple[RowKind, RowKind]] = ("row", "margin")
_BETWEEN: Final = b"\n\n"
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def lines_of(text: str) -> Iterator[str]:
    r"""Yield the lines with their ends: ``\n``, ``\r\n`` or a lone ``\r``, as the universal mode of files has them.

    Unlike ``io.StringIO``, which keeps four bytes for each character, it holds no copy; unlike ``splitlines``, it
    leaves U+2028 and its like inside a line, where JSON strings may hold them.

    >>> list(lines_of("a\r\n\nb"))
    ['a\r\n', '\n', 'b']
    """
    return (found[0] for found in _LINE.finditer(text))


class Rows:
    """Collects rows, a blank line between them."""

    def __init__(self) -> None:
        # As UTF-8: a string takes four bytes for each character as soon as there is one emoji in it.
        self._bytes = bytearray()
        self._parts = RowParts()
        self._length = 0

    def __len__(self) -> int:
        return len(self._parts)

    def add(
        self,
        text: str,
        lines: tuple[int, int] | None = None,
        heading: tuple[str, ...] = (),
        page: int | None = None,
        kind: RowKind = "row",
    ) -> None:
        """Add a row; ``lines`` are its first and last line in the source, ``page`` the sheet it is on.

        One of kind ``margin`` is shown, and is no passage.

        A row without text is passed over.

        Raises: SourceError with the code ``too-large``.
        """
        if not text or text.isspace():
            return
        if self._length + len(text) > MOST_CHARACTERS or len(self) >= MOST_ROWS:
            raise SourceError(
                f"It has more than {MOST_ROWS:,} rows, or {MOST_CHARACTERS:,} characters with its column names.",
                code="too-large",
                hint="Split the file.",
            )
        if self._parts:
            self._bytes += _BETWEEN
            self._length += len(_BETWEEN)
        end = self._length + len(text)
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._parts.append(Part(self._length, end, kind, page=page, heading=heading, lines=lines))
        self._length = end

    @property
    def length(self) -> int:
        """Characters so far."""
        return self._length

    def text(self) -> str:
        """The document's text so far."""
        return self._bytes.decode("utf-8", "surrogatepass")

    @property
    def parts(self) -> RowParts:
        """One part a row."""
        return self._parts


class RowParts(Sequence[Part]):
    """One part a row, 25 bytes each, where an object with its numbers would take 300: a file may have millions."""

    def __init__(self) -> None:
        self._starts, self._ends, self._firsts, self._lasts, self._headings, self._pages = (
            array("I") for _ in range(6)
        )
        self._kinds = array("B")
        self._known: dict[tuple[str, ...], int] = {}
        self._paths: list[tuple[str, ...]] = []

    def append(self, part: Part) -> None:
        """Add the part of the next row."""
        first, last = part.lines or (0, 0)
        self._starts.append(part.start)
        self._ends.append(part.end)
        self._firsts.append(first)
        self._lasts.append(last)
        if part.heading not in self._known:
            self._known[part.heading] = len(self._paths)
            self._paths.append(part.heading)
        self._headings.append(self._known[part.heading])
        self._pages.append(part.page or 0)
        self._kinds.append(0 if part.kind == "row" else 1)

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Part]:
        return map(self._at, range(len(self)))

    @overload
    def __getitem__(self, at: int) -> Part: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Part]: ...

    def __getitem__(self, at: int | slice) -> Part | Sequence[Part]:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        return self._at(range(len(self))[at])

    def _at(self, at: int) -> Part:
        lines = (self._firsts[at], self._lasts[at]) if self._firsts[at] else None
        heading, page = self._paths[self._headings[at]], self._pages[at] or None
        return Part(self._starts[at], self._ends[at], _KINDS[self._kinds[at]], "", page, heading, lines)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr((*self,))
