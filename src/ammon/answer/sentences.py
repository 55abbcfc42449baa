"""Where sentences begin and end, in English and Chinese alike, without a model."""

from __future__ import annotations

import re
from typing import Final

from ammon.types import Span

_END: Final = re.compile(
    r"""[。！？!?]+["'”’」』）)\]]*      # ends wherever it stands
    |[.…]+["'”’)\]]*(?=\s|$)            # a full stop, at the end of a word
    |\n[ \t]*(?=\n|[-*+•\#>|]|\d+[.)]\s) # a blank line, or a line that begins a new item
    |[；;](?=\s*[\u4e00-\u9fff])         # Chinese joins whole sentences so
    """,
    re.VERBOSE,
)
_ABBREVIATED: Final = re.compile(
    r"""(?:^|[\s("'“‘\[])(?:
    [A-Z]|(?:[A-Za-z]\.)+[A-Za-z]       # initials, e.g, U.S
    |(?i:mr|mrs|ms|dr|prof|sr|jr|st|no|nos|vs|etc|fig|figs|eq|sec|vol|pp|p|ch|ed|eds|cf|al|approx|inc|ltd|co|corp|dept
    |gen|col|lt|sgt|capt|maj|rev|hon|pres|gov|sen|rep|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|mt|ft|ca)
    )$""",
    re.VERBOSE,
)


def sentences(text: str) -> list[Span]:
    """The sentences of a text, in order, without the white space around them; joined, nothing but that is missing.

    A full stop after an abbreviation or an initial, or before a small letter, ends none.

    >>> text = "Dr. Wu paid 3.5 yuan. 他走了。Why?"
    >>> [text[span.start : span.end] for span in sentences(text)]
    ['Dr. Wu paid 3.5 yuan.', '他走了。', 'Why?']
    """
    found: list[Span] = []
    start = 0
    for end in _END.finditer(text):
        if not _inside(text, end):
            found += _trimmed(text, start, end.end())
            start = end.end()
    return [*found, *_trimmed(text, start, len(text))]


def _inside(text: str, end: re.Match[str]) -> bool:
    """Whether what looks like an end is within a sentence."""
    if end[0][0] not in ".…!?":
        return False
    following = text[end.end() : end.end() + 8].lstrip()[:1]
    if following.islower():
        return True
    return end[0] == "." and following != "" and bool(_ABBREVIATED.search(text[max(0, end.start() - 12) : end.start()]))


def _trimmed(text: str, start: int, end: int) -> list[Span]:
    part = text[start:end]
    begin, stop = start + len(part) - len(part.lstrip()), start + len(part.rstrip())
    return [Span(begin, stop)] if begin < stop else []
