"""A text that grows block by block, under headings, with its parts."""

from __future__ import annotations

from dataclasses import replace

from ammon.sources.loaded import Loaded
from ammon.types import Part, PartKind

_TITLE_LENGTH = 300


class Outline:
    """Collects blocks, a blank line between them. Neighbours of one kind, page and heading path become one part."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._path: list[tuple[int, str]] = []
        self._parts: list[Part] = []

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts so far."""
        return tuple(self._parts)

    def text(self) -> str:
        """What was written so far."""
        return "".join(self._pieces)

    def heading(self, level: int, title: str, *, page: int | None = None) -> None:
        """Write a heading, of level 1 to 6, that what follows stands under."""
        said = " ".join(title.split())
        if said:
            self.under(level, said)
            self.block(f"{'#' * min(level, 6)} {said}", "markdown", page=page)

    def under(self, level: int, title: str) -> None:
        """Go on under a heading that is not written itself; without a title, under those above that level only."""
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        if title:
            self._path.append((level, " ".join(title.split())[:_TITLE_LENGTH]))

    def block(
        self,
        text: str,
        kind: PartKind = "markdown",
        *,
        page: int | None = None,
        lines: tuple[int, int] | None = None,
    ) -> None:
        """Write a paragraph, a table, a row. One without any text is passed over."""
        if not text or text.isspace():
            return
        if self._length:
            self._write("\n\n")
        start = self._length
        self._write(text)
        heading = tuple(title for _, title in self._path)
        last = self._parts[-1] if self._parts else None
        alike = last is not None and (last.kind, last.page, last.heading) == (kind, page, heading)
        if last is not None and alike and kind != "row" and lines is None:
            self._parts[-1] = Part(last.start, self._length, kind, page=page, heading=heading)
        else:
            self._parts.append(Part(start, self._length, kind, page=page, heading=heading, lines=lines))

    def take(self, loaded: Loaded, *, page: int | None = None) -> None:
        """Write a text that has parts of its own, under the headings there are."""
        text = loaded.whole()
        if not text.strip():
            return
        if self._length:
            self._write("\n\n")
        above = tuple(title for _, title in self._path)
        for part in loaded.parts or (Part(0, len(text)),):
            start, end = part.start + self._length, part.end + self._length
            self._parts.append(replace(part, start=start, end=end, page=page, heading=above + part.heading))
        self._write(text)

    def _write(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)


def markdown_table(rows: list[list[str]]) -> str:
    """Rows of cells as a table in Markdown, the first one its head; rows may be of different lengths."""
    width = max(map(len, rows), default=0)
    lines = ["| " + " | ".join(_cell(row[at] if at < len(row) else "") for at in range(width)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]]) if lines and width else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
