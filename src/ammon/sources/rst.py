"""reStructuredText: verbatim, with its section titles as parts.

A title is a line with a row of one punctuation character under it, at least as long, and perhaps one over it. Levels
are in the order in which the styles first appear, as docutils has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.sections import Heading, parts_of

_TITLE: Final = re.compile(
    r"^(?:(?P<over>([=\-`:.'\"~^_*+#<>])\2{2,})[ \t]*\r?\n)?"
    r"(?P<title>[ \t]*\S[^\r\n]*)\r?\n"
    r"(?P<under>([=\-`:.'\"~^_*+#<>])\5{2,})[ \t]*$",
    re.MULTILINE,
)
_ROLE: Final = re.compile(r":[\w-]+:`([^`<]*?)(?:\s*<[^`]*>)?`|[`*]+")
_FIELD: Final = re.compile(r"^:(\w+):[ \t]+(\S.*)$", re.MULTILINE)
_FIELDS: Final = frozenset({"author", "authors", "date", "version", "status", "copyright"})


def load(text: str, _kind: Kind) -> Loaded:
    """Return the text as it is, cut at its titles; the field list under the first one is metadata."""
    found = list(headings(text))
    fields = _FIELD.findall(text[:2000])
    return Loaded(
        text,
        title=found[0].title if found else "",
        metadata={name.lower(): value.strip() for name, value in fields if name.lower() in _FIELDS},
        parts=parts_of(text, found, "prose"),
    )


def headings(text: str) -> Iterator[Heading]:
    """Yield the section titles in order."""
    styles: list[tuple[str, bool]] = []
    for found in _TITLE.finditer(text):
        title, under, over = found["title"], found["under"], found["over"]
        length = len(title.strip())
        if len(under) < length or (over is None and title[0] in " \t") or (over and over[0] != under[0]):
            continue
        style = (under[0], over is not None)
        if style not in styles:
            styles.append(style)
        plain = _ROLE.sub(lambda role: role[1] or "", title)
        yield Heading(found.start(), styles.index(style) + 1, one_line(plain))
