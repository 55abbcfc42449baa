"""AsciiDoc: verbatim, with its section titles as parts and its document header as metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.sections import Heading, parts_of

_INTERESTING: Final = re.compile(
    r"^(?:(?P<level>={1,6}|#{1,6})[ \t]+(?P<title>\S[^\r\n]*)|(?P<block>-{4,}|\.{4,}|\+{4,}|/{4,}|`{3,})[^\r\n]*)",
    re.MULTILINE,
)
_ATTRIBUTE: Final = re.compile(r"^:(author|revdate|lang|description|keywords):[ \t]+(\S.*)$", re.MULTILINE)


def load(text: str, _kind: Kind) -> Loaded:
    """Return the text as it is, cut at its titles."""
    found = list(headings(text))
    metadata = {name: value.strip() for name, value in _ATTRIBUTE.findall(text[:4000])}
    return Loaded(
        text,
        title=found[0].title if found else "",
        language=metadata.get("lang", "")[:2].lower(),
        metadata=metadata,
        parts=parts_of(text, found, "prose"),
    )


def headings(text: str) -> Iterator[Heading]:
    """Yield the section titles in order; those in listings and comments are none."""
    position = 0
    while found := _INTERESTING.search(text, position):
        position = found.end()
        if found["level"]:
            yield Heading(found.start(), len(found["level"]), one_line(found["title"].rstrip("= ")))
        else:
            closing = re.compile(rf"^{re.escape(found['block'])}[ \t]*$", re.MULTILINE).search(text, position)
            position = closing.end() if closing else position
