"""Rows on their way into a document: a text in which each row is a part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ammon.types import Part

_BETWEEN: Final = "\n\n"
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
        self._texts: list[str] = []
        self._parts: list[Part] = []
        self._length = 0

    def __len__(self) -> int:
        return len(self._parts)

    def add(self, text: str, lines: tuple[int, int] | None = None, heading: tuple[str, ...] = ()) -> None:
        """Add a row; ``lines`` are its first and last line in the source. A row without text is passed over."""
        if not text or text.isspace():
            return
        end = self._length + len(text)
        self._texts.append(text)
        self._parts.append(Part(self._length, end, "row", heading=heading, lines=lines))
        self._length = end + len(_BETWEEN)

    def text(self) -> str:
        """The document's text so far."""
        return _BETWEEN.join(self._texts)

    @property
    def parts(self) -> tuple[Part, ...]:
        """One part a row."""
        return tuple(self._parts)
