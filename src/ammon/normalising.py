"""Text as it is searched: without what layout and old character sets left in it. What is stored and shown stays.

A model reads `normalised` text; the keyword index, which folds all characters anyway, takes the pieces it needs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

SPACELESS: Final = (
    "\u0e00-\u0e3a\u0e40-\u0e4e\u0e80-\u0ecd\u1000-\u103f\u1050-\u108f\u1780-\u17d3"
    "\u3005-\u3007\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u3105-\u312f\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""Thai, Lao, Myanmar, Khmer, Kana, Bopomofo, Han: no space stands between their words, and so none at a line's end."""

# Marks of no width part words in Persian and make one emoji of several: after those they stay.
_INVISIBLE: Final = re.compile(
    "\xad\n[ \t]*|[\xad\u034f\u0640\u180e\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+|"
    "(?<![\u0590-\u063f\u0641-\u08ff\u200b-\u200d\u2190-\u2bff\ufb1d-\ufdff\ufe0f-\ufefe\U0001f000-\U0001ffff])[\u200b-\u200d]+"
)
_ANY_INVISIBLE: Final = re.compile("[\xad\u034f\u0640\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Sought first: a set by itself is found several times as fast, and hardly any text has one of it."""

_HYPHEN: Final = re.compile("[-\u2010]\n(?<=[^\\W\\d_]..)[ \t]*(?=[^\\W\\d_])", re.DOTALL)
_HEAD: Final = re.compile(r"[^\W\d_]+\Z")
_TAIL: Final = re.compile(r"[^\W\d_]+")
_LONGEST_HALF: Final = 40

_LISTED: Final = re.compile(r"(?:and|or|to|und|oder|bis|et|ou|en|of|och|y|e|o)\b")
"""What follows a hyphen that stands for a word left out: "pre- and postwar", "Vor- und Nachteile"."""

_SHAPES: Final = re.compile(
    "[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufdff\ufe70-\ufefc\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uff9f"
    "\u2f00-\u2fd5\uf900-\ufaff]+"
)
"""Forms that letters have in print: ligatures, Arabic and Hebrew shapes, full and half width, radicals. Punctuation of
full width is the usual one in Chinese, which models know."""

_SPACE: Final = re.compile("[\xa0\u2000-\u200a\u202f\u205f\u3000]")
_WRAPPED: Final = re.compile(rf"\n(?<=[^\n]{{15}}[{SPACELESS}]\n)(?=[{SPACELESS}])")
"""A line's end inside a paragraph. After a short line it may be a heading, a list or a verse, and parts for good."""


def normalised(text: str) -> str:
    r"""Return ``text`` as a model is to read it, which is ``text`` itself where there is nothing to mend.

    >>> normalised("The e\ufb03cient infor-\nmation\xa0system")
    'The efficient information system'
    """
    text = with_line_feeds(text)
    if _may_be_hyphenated(text):
        text = _HYPHEN.sub(_joined, text)
    if text.isascii():
        return text
    text = _SHAPES.sub(_plain, _SPACE.sub(" ", without_invisible(text)))
    return unicodedata.normalize("NFC", _WRAPPED.sub("", text))


def with_line_feeds(text: str) -> str:
    """Return ``text`` with one character at the end of every line, whatever system wrote it."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def without_invisible(text: str) -> str:
    r"""Return ``text`` without the characters that have no width, and without the line ends after soft hyphens.

    >>> without_invisible("in\xadfor\u200bma\xad\ntion")
    'information'
    """
    return _INVISIBLE.sub("", text) if _ANY_INVISIBLE.search(text) else text


def hyphenated(text: str) -> Iterator[str]:
    r"""Yield the words that a hyphen parts at the end of a line, whole: whether they are words is not known here.

    >>> [*hyphenated("infor-\nmation, well-\n  known, Jean-\nPaul")]
    ['information', 'wellknown']
    """
    if not _may_be_hyphenated(text):
        return
    for found in _HYPHEN.finditer(text):
        if _goes_on(found):
            head = _HEAD.search(text[max(0, found.start() - _LONGEST_HALF) : found.start()])
            tail = _TAIL.match(text, found.end(), found.end() + _LONGEST_HALF)
            if head and tail:
                yield head[0] + tail[0]


def _may_be_hyphenated(text: str) -> bool:
    return "-\n" in text or "\u2010\n" in text


def _goes_on(found: re.Match[str]) -> bool:
    """Whether the next line may go on with the word: not with a name, nor with "and"."""
    return found.string[found.end()].islower() and not _LISTED.match(found.string, found.end())


def _joined(found: re.Match[str]) -> str:
    return "" if _goes_on(found) else found[0]


def _plain(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", found[0])
