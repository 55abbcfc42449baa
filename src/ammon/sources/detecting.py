"""The character set of bytes that are neither UTF-8 nor marked: chardet's candidates, weighed by what they read.

The detector alone takes ISO 8859-5 for Windows-1251 and ISO 8859-2 for Windows-1250, each time with text full of signs
and letters that no word holds, and a few Chinese words for Korean ones. Among candidates of near-equal standing, the
one whose text reads least oddly is taken, and among sets of several bytes the one whose characters are the usual ones.
Of the detector's own 424 test files this reads 422 rightly and refuses 2;
benchmarks/character_sets.py measures it further.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from typing import Final

from ammon.errors import SourceError
from ammon.sources.alphabets import EASTERN, familiar, foreign
from ammon.sources.language import language_of

LEAST_CONFIDENCE: Final = 0.2
"""A best candidate less likely than this is refused, unless the text's language speaks for it."""

FAMILIAR: Final = 0.4
"""The least share of usual characters by which a text is known as Chinese, Japanese or Korean, and the fewest of them
for which that holds."""

_FEW: Final = 4

_KIN: Final = {"johab": "cp949"}
"""Other sets of several bytes, with the one whose languages they share."""

LEAST_STRUCTURED: Final = 0.03
"""A best candidate of several bytes, whose structure chance hardly fulfils, is refused where it is less likely."""

_OF_LANGUAGE: Final = {
    **dict.fromkeys(("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "fi", "id"), ("cp1252",)),
    **dict.fromkeys(("pl", "cs", "hu", "ro"), ("cp1250", "iso8859-2")),
    "tr": ("cp1254",),
}
"""Character sets that a language in Latin letters was written in. Its small words are ASCII, and tell it in any set."""

_LATIN: Final = ("cp1252", "cp1250", "cp1254", "iso8859-15", "iso8859-2")
"""Sets of Latin letters that agree on many of them: ``0xE9`` is é in each."""

_OTHERS: Final = ("cp1251", "koi8-r", "koi8-u", "iso8859-5", "cp866", "cp1253", "iso8859-7")
"""Sets of Cyrillic and Greek letters, with which no Latin ones stand in a word."""

_MIXED: Final = re.compile("[A-Za-z\xaa-\xff][\u0370-\u052f]|[\u0370-\u052f][A-Za-z\xaa-\xff]|[\u2500-\u259f]")

_SIGNS: Final = frozenset("\xa0‘’“”„‚…–—•«»·§°©®€£¿¡±×ºª²³½¼¾")
"""Signs that stand between words; any other sign or letter that stands alone is taken for a damaged byte."""

_ALONE: Final = frozenset("àáâèéêíòóôåöøæ")
"""Letters that are words: à, è, é, ó, ô, å, ö, and what their languages shorten. English has none."""

MOST_ODD: Final = 0.2
"""More than this share of the characters beyond ASCII reading oddly: it is no text in that character set."""

_WORD: Final = re.compile(r"(?=[^\W\d_]*[^\W\d_\x00-\x7f])[^\W\d_]+")
_NO_WORD: Final = re.compile(r"[^\x00-\x7f](?<![^\W\d_])")
_ASCII_LETTER: Final = re.compile("[A-Za-z]")
_CONTROL: Final = re.compile("[\x80-\x9f]")
_CHINESE_SIGNS: Final = re.compile("[¡£][\xa0-\xbf]")
"""What the signs of GB 2312 look like in Latin sets."""

_BEYOND: Final = re.compile(r"[^\W\d_\x00-\x7f]")
_THAI_MARK: Final = re.compile("[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]")
_THAI_FAULT: Final = re.compile(
    "(?<![\u0e01-\u0e2e\u0e31-\u0e3a\u0e47-\u0e4e])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]|[\u0e40-\u0e44](?![\u0e01-\u0e2e])|"
    "[^\u0e00-\u0e7f\x00-\x7f]"
)

_SAMPLE: Final = 65_536
_WEIGHED: Final = 20_000
_CONSIDERED: Final = 6
_NEAR: Final = 0.3
"""Candidates with at least this share of the best one's likelihood are weighed against it."""

_SIBLINGS: Final = {
    "cp1251": "iso8859-5",
    "cp1250": "iso8859-2",
    "cp1253": "iso8859-7",
    "cp1256": "iso8859-6",
}
"""Sets that the detector leaves out where it prefers the one that Windows uses."""

_SIMPLER: Final = {
    "big5hkscs": "cp950",
    "euc_jis_2004": "euc_jp",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis_2004": "cp932",
}
"""Rarer sets of the same shape, which read a backslash as a yen sign and a dash as an overline."""

_STRANGE: Final = frozenset({"So", "Sm", "Sk", "Sc", "Cn", "Co", "Lm", "No", "Cc"})


@dataclass(frozen=True, slots=True)
class _Reading:
    encoding: str
    likelihood: float
    oddness: int


def detect(data: bytes) -> tuple[str, float]:
    r"""Return the name of the most plausible encoding and its likelihood, 0 to 1.

    A guess that the detector itself holds under `LEAST_CONFIDENCE` stands only with support from elsewhere: the
    Latin sets agree on every character and each letter beyond ASCII stands in a word with ASCII letters, which no
    other script does (``b"caf\xe9"``); or the language of the ASCII words has a set of its own, and none of its
    letters stands alone where the language has no such word. All else, such as one damaged byte in a plain text,
    is refused.

    Raises: SourceError with the code ``binary``, if it is like no text; ``undecodable``, if it is too unsure.
    """
    sample = data[:_SAMPLE]
    readings = [reading for name, value in _candidates(sample) if (reading := _read(sample, name, value))]
    if not readings:
        raise SourceError("Its bytes are no text in any known character set.", code="binary")
    best = max(reading.likelihood for reading in readings)
    near = (reading for reading in readings if reading.likelihood >= _NEAR * best)
    chosen = min(near, key=lambda reading: (reading.oddness, -reading.likelihood))
    eastern = _eastern(sample, chosen)
    if eastern or _is_structured(_SIMPLER.get(chosen.encoding, chosen.encoding)):
        chosen = eastern or replace(chosen, likelihood=0.0)
    if not _is_sure(chosen):
        chosen = _agreed(sample) or _by_language(sample) or _by_alphabet(sample) or _thai(sample, chosen) or chosen
    beyond = sum(byte > 0x7F for byte in sample[:_WEIGHED])
    if not _is_sure(chosen) or chosen.oddness > MOST_ODD * beyond:
        raise SourceError(
            f"Its character set is unclear; the best guess is {chosen.encoding}.",
            code="undecodable",
            hint="Save the file as UTF-8.",
        )
    return chosen.encoding, round(chosen.likelihood, 3)


def _is_sure(reading: _Reading) -> bool:
    return reading.likelihood >= LEAST_CONFIDENCE


def _eastern(sample: bytes, chosen: _Reading) -> _Reading | None:
    """The reading in a set of several bytes that is the most familiar, if it is very, or the detector's choice too."""
    favoured = _SIMPLER.get(chosen.encoding, chosen.encoding)
    found = []
    for name in {**dict.fromkeys(EASTERN), favoured: None} if _is_structured(favoured) else EASTERN:
        text = _text(sample, name)[:_WEIGHED]
        usual, letters = familiar(text, _KIN.get(name, name))
        if usual:
            found.append((usual / letters, name == favoured, usual, letters, _Reading(name, 0.9, oddness(text))))
    if not found:
        return None
    found.sort(key=itemgetter(0, 1))
    _, is_favoured, usual, letters, best = found.pop()
    # A few characters may be usual ones of two languages.
    if letters < _FEW and found and found[-1][2] > 1:
        return None
    likely = is_favoured and letters > 1 and chosen.likelihood >= LEAST_STRUCTURED
    return best if likely or usual >= max(_FEW, FAMILIAR * letters) else None


def _is_structured(encoding: str) -> bool:
    return encoding in EASTERN or encoding in _KIN


def _by_alphabet(sample: bytes) -> _Reading | None:
    """The one reading in a set of single bytes whose letters are all in one alphabet, if there are several."""
    texts: dict[str, str] = {}
    for name in (*_LATIN, "cp1257", *_OTHERS):
        text = _text(sample, name)[:_WEIGHED]
        fits = _is_unmixed(text) if name in _OTHERS else _stands_in_words(text, _ALONE)
        if text and fits and not _CONTROL.search(text) and not foreign(text) and not oddness(text):
            texts.setdefault(text, name)
    if len(texts) != 1:
        return None
    text, name = texts.popitem()
    return _read(sample, name, LEAST_CONFIDENCE) if len({*_BEYOND.findall(text)}) >= _FEW else None


def _is_unmixed(text: str) -> bool:
    """Whether no word is of two scripts, and few letters are capitals, as most are in the wrong set."""
    letters = _BEYOND.findall(text)
    return not _MIXED.search(text) and 3 * sum(map(str.isupper, letters)) <= len(letters)


def _thai(sample: bytes, chosen: _Reading) -> _Reading | None:
    """The Thai reading, if it was chosen and every vowel and tone mark, of which there are some, stands well."""
    text = _text(sample, "cp874") if chosen.encoding == "cp874" else ""
    if len(_THAI_MARK.findall(text)) < _FEW or _THAI_FAULT.search(text):
        return None
    return _read(sample, "cp874", LEAST_CONFIDENCE)


def _by_language(sample: bytes) -> _Reading | None:
    """The reading that the language of the text's ASCII words calls for, if that can be told."""
    language = language_of(sample.decode("latin-1"))
    alone = frozenset[str]() if language == "en" else _ALONE
    names = [name for name in _OF_LANGUAGE.get(language, ()) if _stands_in_words(_text(sample, name), alone)]
    readings = [reading for name in names if (reading := _read(sample, name, LEAST_CONFIDENCE))]
    return min(readings, key=lambda reading: reading.oddness, default=None)


def _agreed(sample: bytes) -> _Reading | None:
    """The reading that all Latin sets give alike, if its letters beyond ASCII stand in words with ASCII letters."""
    texts = {text for name in _LATIN if (text := _text(sample, name)) and not _CONTROL.search(text)}
    if len(texts) != 1 or not _stands_in_words(texts.pop(), frozenset()):
        return None
    return _read(sample, "cp1252", LEAST_CONFIDENCE)


def _stands_in_words(text: str, alone: frozenset[str]) -> bool:
    """Whether each letter beyond ASCII has one of ASCII in its word or may stand ``alone``, and each sign is usual."""
    if _CHINESE_SIGNS.search(text):
        return False
    words = _WORD.finditer(text[:_WEIGHED])
    letters = all(found[0].lower() in alone or _ASCII_LETTER.search(found[0]) for found in words)
    others = _NO_WORD.findall(text[:_WEIGHED])
    return bool(text) and letters and _SIGNS.issuperset(others)


def _text(sample: bytes, encoding: str) -> str:
    """The sample read strictly, but for a character that its end may cut; empty where it does not fit."""
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(sample, final=len(sample) < _SAMPLE)
    except (UnicodeDecodeError, LookupError):
        return ""


def _candidates(sample: bytes) -> list[tuple[str, float]]:
    """Names and likelihoods, the likeliest first, each name once."""
    # Imported late: nearly every file is UTF-8, and the detector's models take a while to load.
    import chardet

    found = chardet.detect_all(sample, prefer_superset=True, compat_names=False, ignore_threshold=True)
    names: dict[str, float] = {}
    for each in found[:_CONSIDERED]:
        name = each["encoding"]
        if name:
            names.setdefault(name, each["confidence"])
            if name in _SIBLINGS:
                names.setdefault(_SIBLINGS[name], each["confidence"])
    return list(names.items())


def _read(sample: bytes, encoding: str, likelihood: float) -> _Reading | None:
    text = _text(sample, encoding)
    if not text:
        return None
    text = text[:_WEIGHED]
    return _Reading(encoding, likelihood, oddness(text) + foreign(text))


def oddness(text: str) -> int:
    """Return how many characters beyond ASCII stand where no writing has them: signs and capitals inside words.

    >>> oddness("źródła"), oddness("Ľródła są ±¶"), oddness("dziЊ")
    (0, 0, 1)
    """
    return sum(
        (before.islower() and after.isupper() and (before > "\x7f" or after > "\x7f"))
        or (before.isalpha() and after > "\x7f" and unicodedata.category(after) in _STRANGE)
        or (before in "¶¤¦¬" and after.isalpha())
        for before, after in pairwise(text)
    )
