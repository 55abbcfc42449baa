"""Markdown: verbatim, with its headings as parts and its front matter as metadata.

Headings are found line by line, as CommonMark has them: ATX and setext, never inside fenced or indented code, nor in
an HTML comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ammon.sources.front_matter import front_matter
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.sections import Heading, parts_of

_INTERESTING: Final = re.compile(
    r"^ {0,3}(?:"
    r"(?P<fence>`{3,}|~{3,})(?P<info>[^\r\n]*)"
    r"|(?P<hashes>\#{1,6})(?:[ \t]+(?P<title>[^\r\n]*))?(?=\r|\n|\Z)"
    r"|(?P<underline>=+|-+)[ \t]*(?=\r|\n|\Z)"
    r"|(?P<comment><!--)"
    r")",
    re.MULTILINE,
)
_NOT_PARAGRAPH: Final = re.compile(r"[ \t]*$| {4}|\t| {0,3}(?:[-*+>|]|\d{1,9}[.)])(?:[ \t]|$)|\s*\|")
_CLOSING: Final = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_MARKS: Final = re.compile(r"(?<!\\)[*_`]+|!?\[([^\]]*)\]\([^)]*\)")


def load(text: str, _kind: Kind) -> Loaded:
    """Return the text as it is, cut at its headings."""
    metadata, body = front_matter(text)
    found = list(headings(text, body))
    title = metadata.get("title") or next((heading.title for heading in found), "")
    language = metadata.get("lang", "")
    return Loaded(
        text,
        title=one_line(str(title)),
        language=str(language)[:2].lower() if isinstance(language, str) else "",
        metadata=metadata,
        parts=parts_of(text, found, "markdown"),
    )


def headings(text: str, start: int = 0) -> Iterator[Heading]:
    """Yield the headings at or after character ``start``."""
    position = start
    while found := _INTERESTING.search(text, position):
        position = found.end()
        if found["fence"]:
            position = _after_fence(text, found)
        elif found["comment"]:
            end = text.find("-->", position)
            position = end + 3 if end >= 0 else position
        elif found["hashes"]:
            title = plain(_CLOSING.sub("", found["title"] or ""))
            yield Heading(found.start(), len(found["hashes"]), title)
        else:
            paragraph = _line_before(text, found.start(), start)
            if paragraph is not None:
                yield Heading(
                    paragraph, 1 if found["underline"][0] == "=" else 2, plain(text[paragraph : found.start()])
                )
        position = max(position, found.start() + 1)


def plain(title: str) -> str:
    """Return a heading's text without emphasis, code marks and link targets."""
    return one_line(_MARKS.sub(lambda found: found[1] or "", title))


def _after_fence(text: str, opened: re.Match[str]) -> int:
    """Where the fenced code ends; at its opening line's end, if that is no fence at all."""
    fence, info = opened["fence"], opened["info"]
    if fence[0] == "`" and "`" in info:
        return opened.end()
    closing = re.compile(rf"^ {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*(?=\r|\n|\Z)", re.MULTILINE)
    closed = closing.search(text, opened.end())
    return closed.end() if closed else len(text)


def _line_before(text: str, position: int, floor: int) -> int | None:
    """Where the line before ``position`` starts, if it can be a heading's text."""
    end = position - 1
    if end > floor and text[end] == "\n" and text[end - 1] == "\r":
        end -= 1
    start = max(text.rfind("\n", floor, max(end, floor)), text.rfind("\r", floor, max(end, floor))) + 1
    start = max(start, floor)
    line = text[start:end] if end > start else ""
    return None if not line or _NOT_PARAGRAPH.match(line) or _INTERESTING.match(line) else start
