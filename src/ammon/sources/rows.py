"""Rows on their way into a document: a text in which each row is a part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from ammon.errors import SourceError
from ammon.sources.part_table import PartTable
from ammon.types import Part

MOST_CHARACTERS: Final = 160_000_000
MOST_ROWS: Final = 6_000_000
"""Of one file: with its column names in each row, a table of 64 MiB could grow to six times that."""

RowKind: TypeAlias = Literal["row", "margin"]
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
        self._parts = PartTable()
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
    def parts(self) -> PartTable:
        """One part a row."""
        return self._parts
