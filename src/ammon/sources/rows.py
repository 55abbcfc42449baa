"""Rows on their way into a document: a text in which each row is a part."""

from __future__ import annotations

from ammon.types import Part

_BETWEEN = "\n\n"


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
