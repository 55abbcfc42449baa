"""Blocks of pages → one text with its parts and boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Final

from ammon.sources.documents.pdf_layout import Block
from ammon.sources.documents.pdf_page import HYPHEN, Line
from ammon.sources.recognising import Line as Recognised
from ammon.types import Box, Part, PartKind, Remark

DOUBTFUL: Final = 0.85
"""A page that was recognised with less certainty than this, on average of its letters, is told of."""

_NEVER_SURE: Final = 0.999
"""The most that a recogniser may be sure: 1 says that the file itself holds the text."""

_WORD: Final = re.compile(r"\w+(?:-\w+)*")
_FIRST: Final = re.compile(r"\S+")
_KINDS: Final[dict[str, PartKind]] = {"text": "prose", "heading": "markdown", "table": "markdown", "margin": "margin"}


class Words:
    """The words of a document, by which a word that a line's end divides is put together again."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines

    @cached_property
    def _known(self) -> set[str]:
        # Each is made small once, however often it stands there.
        words = set(chain.from_iterable(_WORD.findall(line.text) for line in self._lines))
        return {word.lower() for word in words}

    def joined(self, first: str, second: str) -> str:
        """What stands between the halves of a word divided after ``first``: a hyphen, or nothing."""
        left, right = _last_word(first).lower(), _first_word(second).lower()
        if left + right in self._known:
            return ""
        if f"{left}-{right}" in self._known or not (left[-1:].isalpha() and second[:1].islower()) or "-" in right:
            return "-"
        return ""


def _last_word(text: str) -> str:
    found = _WORD.findall(text)
    return found[-1] if found else ""


def _first_word(text: str) -> str:
    found = _WORD.search(text)
    return found[0] if found else ""


class Writer:
    """Collects a text, page by page, with its parts and boxes."""

    def __init__(self, words: Words) -> None:
        self.parts: list[Part] = []
        self.boxes: list[Box] = []
        self._pieces: list[str] = []
        self._length = 0
        self._words = words
        self._path: list[tuple[int, str]] = []

    def text(self) -> str:
        """What was written so far."""
        return "".join(self._pieces)

    def page(self, number: int, blocks: Sequence[Block]) -> None:
        """Write a page; blocks of one kind and under one heading are one part."""
        for block in blocks:
            if self._length:
                self._write("\n\n")
            start = self._length
            if block.kind == "heading":
                title = " ".join(line.text.strip().rstrip(HYPHEN) for line in block.lines)
                while self._path and self._path[-1][0] >= block.level:
                    self._path.pop()
                self._path.append((block.level, " ".join(title.split())[:300]))
                self._write("#" * block.level + " ")
                self._lines(number, block.lines, " ")
            elif block.kind == "table":
                self._table(number, block)
            else:
                self._lines(number, block.lines, "\n")
            self._part(start, number, _KINDS[block.kind])

    def paragraph(self, number: int, text: str) -> None:
        """Write something that stands nowhere on the page, such as a comment."""
        if self._length:
            self._write("\n\n")
        start = self._length
        self._write(text)
        self._part(start, number, "prose")

    def recognised(self, number: int, lines: Sequence[Recognised]) -> None:
        """Write lines that were read from the picture of a page; what stands in one row is written as one."""
        if self._length and lines:
            self._write("\n\n")
        start = self._length
        before: Recognised | None = None
        for line in lines:
            if before is not None:
                self._write(_between(before, line))
            at = self._length
            self._write(_valid(line.text))
            edges = (line.left, line.top, line.right, line.bottom)
            self.boxes.append(Box(at, self._length, number, *edges, min(line.confidence, _NEVER_SURE)))
            before = line
        self._part(start, number, "prose")

    def _part(self, start: int, number: int, kind: PartKind) -> None:
        if start == self._length:
            return
        heading = tuple(title for _, title in self._path)
        last = self.parts[-1] if self.parts else None
        if last and (last.kind, last.page, last.heading) == (kind, number, heading):
            self.parts[-1] = Part(last.start, self._length, kind, page=number, heading=heading)
        else:
            self.parts.append(Part(start, self._length, kind, page=number, heading=heading))

    def _write(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)

    def _lines(self, number: int, lines: Sequence[Line], between: str) -> None:
        carried = ""
        for at, line in enumerate(lines):
            text = _valid(line.text).strip()[len(carried) :].lstrip()
            carried = ""
            if text.endswith(HYPHEN):
                following = _valid(lines[at + 1].text).strip() if at + 1 < len(lines) else ""
                text = text[: -len(HYPHEN)]
                found = _FIRST.match(following)
                carried = found[0] if found else ""
                text += self._words.joined(text, following) + carried.removesuffix(HYPHEN) if carried else "-"
            if text:
                self._box(number, line, text)
                if at + 1 < len(lines):
                    self._write(between)

    def _table(self, number: int, block: Block) -> None:
        for at, (lines, row) in enumerate(block.rows):
            if at:
                self._write("\n")
            cells = [_valid(cell).replace(HYPHEN, "-").replace("|", "\\|") for cell in row]
            self._box(number, _around(lines), "| " + " | ".join(cells) + " |")
            if at == 0:
                self._write("\n|" + " --- |" * len(row))

    def _box(self, number: int, line: Line, text: str) -> None:
        start = self._length
        self._write(text)
        self.boxes.append(Box(start, self._length, number, line.left, line.top, line.right, line.bottom))


def _between(line: Recognised, following: Recognised) -> str:
    """What stands between two lines: a gap in a row, the end of a line, or of a paragraph."""
    height = max(line.bottom - line.top, following.bottom - following.top)
    width = max(line.right - line.left, following.right - following.left)
    if height > width:
        # Lines on their side stand beside one another.
        gap = max(following.left - line.right, line.left - following.right)
        return "  " if gap < 0 else "\n\n" if gap > width else "\n"
    if following.left >= line.right and abs((line.top + line.bottom) - (following.top + following.bottom)) < height:
        return "  "
    return "\n\n" if following.top - line.bottom > height or following.bottom < line.top else "\n"


def doubtful(boxes: Sequence[Box]) -> Iterator[Remark]:
    """What is to be said of pages whose text was recognised with doubt."""
    pages: dict[int, list[Box]] = {}
    for box in boxes:
        if box.confidence < 1:
            pages.setdefault(box.page, []).append(box)
    for page, found in pages.items():
        letters = sum(box.end - box.start for box in found)
        sure = sum(box.confidence * (box.end - box.start) for box in found) / max(letters, 1)
        if sure < DOUBTFUL:
            yield Remark("low-confidence", f"The text of page {page} was recognised with doubt ({sure:.0%} sure).")


def _valid(text: str) -> str:
    """The text with pairs of surrogates, as UTF-16 has them, put together, and without marks that are no text."""
    if text.isprintable():
        return text
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return whole.replace("\x00", "").replace("\x02", "-").replace("\xad", "")


def _around(lines: Sequence[Line]) -> Line:
    """One line that has the edges of all."""
    first = lines[0]
    edges = (min(each.left for each in lines), min(each.top for each in lines))
    ends = (max(each.right for each in lines), max(each.bottom for each in lines))
    return Line("", *edges, *ends, first.size, first.bold, first.at)
