"""Text → the terms that Ammon's keyword search is made of. The same function reads documents and queries.

Words are folded (NFKC, case, accents) and stemmed; code identifiers stand whole and in parts; numbers stay exact;
scripts written without spaces (Chinese, Japanese, Thai …) and Hangul become characters and pairs of characters, so
that no dictionary is needed. Knows nothing of indexes.

Speed comes from two regex passes in C and one dictionary from raw word to terms: a word is analysed once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from itertools import chain
from operator import add

from tantivy import Filter, TextAnalyzerBuilder, Tokenizer

from ammon.normalising import SPACELESS, hyphenated, with_line_feeds, without_invisible

TERMS_VERSION = 2
"""Raised whenever the same text would give other terms, so that a stored index made by other rules is rebuilt."""

LONGEST_TERM = 64
"""Characters kept of a term; longer runs are encoded data, which nobody searches by their tail."""

MOST_CACHED = 50_000

_JOINED = SPACELESS + "\u1100-\u11ff\uac00-\ud7a3"
"""Hangul and the scripts without spaces are read as pairs of characters."""

_TAIL = r"(?:(?<=[0-9])[.,](?=[0-9]){word}|['’]{word}|\+\+|\#)*"
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]+" + _TAIL.format(word="[A-Za-z0-9_]+"))
_RUN = re.compile(f"[{_JOINED}]+")
_WRAPPED = re.compile(rf"\n(?<=[{_JOINED}]\n)[ \t]*(?=[{_JOINED}])")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\dA-Za-z_]+|[0-9]+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_CONTRACTED = frozenset({"s", "t", "d", "m", "ll", "re", "ve"})
_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th", "ё": "е"}
)
_STEMMED = (("a", "ʯ", "english"), ("Ͱ", "Ͽ", "greek"), ("Ѐ", "ԯ", "russian"), ("\u0600", "ۿ", "arabic"))
"""First letter, last letter and stemmer of each stemmed script."""


def terms(text: str) -> list[str]:
    """The terms of ``text``, repeated as often as they stand there; words first, then pairs and single characters.

    >>> terms("Running getUserName, naïve C++ 1,000 times; 北京")
    ['run', 'getusernam', 'get', 'user', 'name', 'naiv', 'c++', 'c', '1000', 'time', '北京', '北', '京']
    """
    text = _folded_text(text)
    found = list(chain.from_iterable(map(_known.__getitem__, _raw_words(text))))
    if text.isascii():
        return found
    for run in _RUN.findall(text):
        found += map(add, run, run[1:])
        found += run
    return found


def _folded_text(text: str) -> str:
    """The text in one form of each character, without those that cannot be seen; lines without spaces are joined."""
    text = with_line_feeds(text)
    if text.isascii():
        return text
    return _WRAPPED.sub("", without_invisible(unicodedata.normalize("NFKC", text)))


def _raw_words(text: str) -> list[str]:
    """The words of a folded text; those parted at the end of a line both in parts and whole."""
    found: list[str] = (_ASCII_WORD.findall if text.isascii() else _words())(text)
    found += hyphenated(text)
    return found


@cache
def _words() -> Callable[[str], list[str]]:
    """The pass that finds words in any script; compiled when a text first needs it, as it takes 20 ms.

    Combining marks (Devanagari vowels, Hebrew points …) are no word characters to `re`, yet belong to the word.
    """
    chars = map(chr, range(0x300, 0x1D00))
    marks = "".join(char if unicodedata.category(char) in {"Mn", "Mc"} else " " for char in chars)
    ranges = "".join(f"{run[0]}-{run[-1]}" for run in re.sub(f"[{_JOINED}]", " ", marks).split())
    word = rf"[^\W{_JOINED}]+(?:[{ranges}]+[^\W{_JOINED}]*)*"
    return re.compile(word + _TAIL.format(word=word)).findall


def matching(wanted: Iterable[str], text: str) -> tuple[str, ...]:
    """Those of the terms ``wanted`` that are terms of ``text``, in their order.

    The same as looking each up in ``terms(text)``, but characters and pairs are sought without cutting all of them.
    """
    wanted = tuple(wanted)
    text = _folded_text(text)
    joined = {term for term in wanted if _RUN.fullmatch(term)}
    words: set[str] = set()
    if len(joined) < len(set(wanted)):
        initials = {term[0] for term in wanted}
        words.update(*(_known[word] for word in set(_raw_words(text)) if word[0] in initials or not _is_plain(word)))
    return tuple(term for term in wanted if (term in text if term in joined else term in words))


def _is_plain(word: str) -> bool:
    """Whether ``word`` is one lower-case word of ASCII letters, whose only term begins as it does."""
    return word.isascii() and word.islower() and word.isalpha()


class _Known(dict[str, tuple[str, ...]]):
    """Raw word → its terms, worked out at the first look and forgotten all at once when there are too many."""

    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(self) >= MOST_CACHED:
            self.clear()
        found = self[word] = tuple(term[:LONGEST_TERM] for term in _word_terms(word))
        return found


_known = _Known()


def _word_terms(word: str) -> list[str]:
    if _THOUSANDS.fullmatch(word):
        return [word.replace(",", "")]
    if word.isascii() and _NUMBER.fullmatch(word):
        return [word]
    if word.endswith(("+", "#")):
        bare = word.rstrip("+#")
        return ([word.casefold()] if len(bare) == 1 else []) + _word_terms(bare)
    if "," in word or "." in word:
        return [term for piece in re.split(r",|(?<![0-9.])\.|\.(?![0-9])", word) if piece for term in _measure(piece)]
    if "'" in word or "’" in word:
        return _apostrophe(word)
    return _identifier(word)


def _measure(piece: str) -> list[str]:
    """``0.5mg`` → ``0.5`` and ``mg``."""
    number = _NUMBER.match(piece)
    if number is None:
        return _identifier(piece)
    rest = piece[number.end() :].lstrip(".")
    return [number.group(), *(_word_terms(rest) if rest else [])]


def _apostrophe(word: str) -> list[str]:
    """``dog's`` → ``dog``; ``don't`` → ``dont``; ``l'homme`` → ``l`` and ``homme``."""
    head, *tail = re.split("['’]", word)
    if len(tail) == 1 and tail[0].casefold() in _CONTRACTED:
        return _identifier(head) if tail[0] in "sS" else [_folded(head + tail[0])]
    return [term for piece in (head, *tail) if piece for term in _identifier(piece)]


def _identifier(word: str) -> list[str]:
    if "_" not in word and (word.islower() or word.istitle()):
        return [_stem(_folded(word))]
    whole = _folded(word.strip("_"))
    parts = [part for piece in word.split("_") for part in _CAMEL.findall(piece)] if _is_compound(word) else []
    if len(parts) < 2:
        return [_stem(whole)] if whole else []
    return [_stem(whole), *(_stem(_folded(part)) for part in parts)]


def _is_compound(word: str) -> bool:
    """Whether ``word`` is ``snake_case`` or ``camelCase`` rather than one word with a digit, such as ``BRCA1``."""
    return "_" in word.strip("_") or re.search("[a-z][A-Z]|[A-Z]{2}[a-z]{2}", word) is not None


def _folded(word: str) -> str:
    word = word.casefold()
    if word.isascii():
        return word
    word = word.translate(_LETTERS)
    if word[0] > "ʯ" and not ("Ͱ" <= word[0] <= "Ͽ" or "\u0590" <= word[0] <= "ۿ"):
        return "".join(str(unicodedata.decimal(char, char)) for char in word)
    bare = (char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
    return "".join(str(unicodedata.decimal(char, char)) for char in bare)


def _stem(word: str) -> str:
    if len(word) < 3:
        return word
    for first, last, language in _STEMMED:
        if first <= word[0] <= last:
            return word if any(char.isdigit() for char in word) else _stemmer(language)(word)
    return word


@cache
def _stemmer(language: str) -> Callable[[str], str]:
    """Tantivy's own Snowball stemmers: the same stems as `snowballstemmer`, fifty times as fast."""
    analyzer = TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer(language)).build()
    return lambda word: analyzer.analyze(word)[0]
