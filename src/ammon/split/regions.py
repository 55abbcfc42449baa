"""Parts of a document → regions: stretches small enough that any splitter handles one in a moment.

Neighbouring sections of one kind join, so that small ones can share a passage; long stretches are cut where a reader
would pause. Whatever the text, a region has at most `REGION` characters, which keeps time linear and memory bounded.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ammon.split.fragments import whole
from ammon.types import Document, Part

REGION: Final = 65_536
"""Characters of the longest region."""

LINE: Final = 8_192
"""A line longer than this is cut into stretches of half of it: the splitter's time grows with the square of what has
no border (a region of Chinese without punctuation takes 8 s, its 16 stretches together 0.5 s)."""

# Looked for at the beginnings of lines only: from every character on, it would take quadratic time.
_LONG_LINE: Final = re.compile(rf"(?<![^\r\n])[^\r\n]{{{LINE},}}")

_PAUSES: Final = ("\n\n", "\r\n\r\n", "\n", "\r", "。", ". ", " ", "\t", "\u3000")


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch ``[start, end)`` that one splitter takes at once, with the parts it covers, in order."""

    start: int
    end: int
    parts: Sequence[Part]

    @property
    def kind(self) -> str:
        """The kind that all its parts have."""
        return self.parts[0].kind

    def part_at(self, position: int) -> Part:
        """The part that holds the character at ``position``."""
        return self.parts[max(bisect_right(self.parts, position, key=_start) - 1, 0)]

    def same_part(self, left: int, right: int) -> bool:
        """Whether one part holds the characters at both places."""
        return self.part_at(left) is self.part_at(right)


def _start(part: Part) -> int:
    return part.start


def regions_of(document: Document) -> Iterator[Region]:
    """Yield regions in order. What lies between parts belongs to none of them and is read as prose; margins are not."""
    text = document.text
    waiting: list[Part] = []
    for part in _covering(document):
        if waiting and not (_joins(waiting[-1], part) and part.end - waiting[0].start <= REGION):
            yield from _cut(text, waiting)
            waiting = []
        if part.kind != "margin":
            waiting.append(part)
    if waiting:
        yield from _cut(text, waiting)


def _covering(document: Document) -> Iterator[Part]:
    """The document's parts, and prose wherever there is text between them."""
    position, text = 0, document.text
    for part in document.parts:
        if position < part.start and not text[position : part.start].isspace():
            yield Part(position, part.start)
        yield part
        position = part.end
    if position < len(text):
        yield Part(position, len(text))


def _joins(left: Part, right: Part) -> bool:
    return (
        left.kind == right.kind != "row"
        and left.kind != "code"
        and left.page == right.page
        and left.lines is None
        and right.lines is None
    )


def _cut(text: str, parts: list[Part]) -> Iterator[Region]:
    """The stretch of these parts as regions, long lines apart from the rest."""
    start, end = parts[0].start, parts[-1].end
    if _has_long_line(text, start, end):
        for found in _LONG_LINE.finditer(text, start, end):
            yield from _limited(text, start, found.start(), REGION, parts)
            yield from _limited(text, found.start(), found.end(), LINE // 2, parts)
            start = found.end()
    yield from _limited(text, start, end, REGION, parts)


def _has_long_line(text: str, start: int, end: int) -> bool:
    """Whether there may be one: a look at every few thousandth character, where the pattern looks at all of them."""
    while end - start >= LINE:
        last = max(text.rfind("\n", start, start + LINE), text.rfind("\r", start, start + LINE))
        if last < 0:
            return True
        start = last + 1
    return False


def _limited(text: str, start: int, end: int, limit: int, parts: list[Part]) -> Iterator[Region]:
    while end - start > limit:
        cut = _pause(text, start, start + limit)
        yield Region(start, cut, parts)
        start = cut
    if start < end:
        yield Region(start, end, parts)


def _pause(text: str, start: int, end: int) -> int:
    """The best place to cut in the second half of ``[start, end)``; never inside a character with its marks."""
    middle = (start + end) // 2
    for pause in _PAUSES:
        found = text.rfind(pause, middle, end)
        if found >= 0:
            return found + len(pause) if not (pause == "\r" and text[found + 1 : found + 2] == "\n") else found
    return whole(text, end, middle)
