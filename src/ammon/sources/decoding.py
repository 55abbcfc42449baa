"""Bytes → text, in the order of certainty: byte order mark, escape sequences, strict UTF-8, what the file declares,
and detection. Every decoding is strict: a text comes out whole or not at all.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from ammon.errors import SourceError
from ammon.sources.alphabets import EASTERN, familiar
from ammon.sources.detecting import detect

Decoded = tuple[str, str, float]
"""Text, the name of its encoding as Python knows it, and how sure that is (0 to 1)."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_ISO_2022: Final = re.compile(rb"\x1b(?:\$[@ABCD()]|\([BIJ]|\.[AF])")
_ISO_2022_NAMES: Final = ("iso2022_jp_2", "iso2022_jp_ext", "iso2022_jp_2004", "iso2022_kr")

_HZ: Final = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}")

_WIDE_NAMES: Final = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_WIDE_SAMPLE: Final = 4096
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SAMPLE: Final = 200_000
_FEW_LETTERS: Final = 4

_SUPERSETS: Final = {
    "ascii": "utf-8",
    "big5": "cp950",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "shift_jis": "cp932",
}
"""Labels that files carry although they hold characters of the larger set."""


def decode(data: bytes, *, declared: str = "") -> Decoded:
    """Return (text, encoding, confidence). Line ends stay as they are; a byte order mark is no part of the text.

    ``declared`` is what the file itself says, as HTML and XML do; it is believed only if the bytes fit.

    Raises: SourceError with the code ``undecodable``, or ``binary`` where NUL bytes or controls show it is no text.

    >>> decode("Straße".encode())
    ('Straße', 'utf-8', 1.0)
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data, encoding), encoding, 1.0
    if (b"\x1b" in data or b"~{" in data) and (found := _escaped(data)):
        return found
    if b"\0" in data:
        return _wide(data)
    try:
        return data.decode("utf-8"), "utf-8", 1.0
    except UnicodeDecodeError:
        return _declared(data, declared) or _wide_eastern(data) or _detected(data)


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"The bytes do not fit {encoding}: {error.reason} at byte {error.start}.", code="undecodable"
        ) from error


def _fitting(data: bytes, encoding: str) -> str | None:
    """The text, or ``None`` where the bytes do not fit or give control characters that no text has.

    Files of DOS may end with a control character that says that they end.
    """
    try:
        text = data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None
    return None if _CONTROL.search(text, 0, len(text.rstrip("\x1a"))) else text


def _escaped(data: bytes) -> Decoded | None:
    """ISO 2022 and HZ: seven-bit text that escape sequences switch to Japanese, Korean or Chinese."""
    sample = data[:_SAMPLE]
    names = _ISO_2022_NAMES if _ISO_2022.search(sample) else ("hz",) if _HZ.search(sample) else ()
    for encoding in names:
        text = _fitting(data, encoding)
        if text is not None and "\x1b" not in text and not text.isascii():
            return text, encoding, 0.95
    return None


def _wide(data: bytes) -> Decoded:
    """UTF-16 or UTF-32 without a mark: the one reading whose sample looks like writing rather than like noise."""
    sample = data[:_WIDE_SAMPLE]
    best, encoding = max((_likeness(sample, name), name) for name in _WIDE_NAMES)
    text = _fitting(data, encoding) if best >= 0.7 else None
    if text is None:
        raise SourceError("It holds NUL bytes and is neither UTF-16 nor UTF-32.", code="binary")
    return text, encoding, best


def _wide_eastern(data: bytes) -> Decoded | None:
    """UTF-16 without a mark and without a NUL: Chinese, Japanese or Korean without spaces."""
    for encoding in _WIDE_NAMES[:2] if len(data) % 2 == 0 else ():
        sample = data[:_WIDE_SAMPLE].decode(encoding, "ignore")
        shares = (familiar(sample, language) for language in EASTERN)
        if any(usual >= max(_FEW_LETTERS, 0.6 * letters, 0.4 * len(sample)) for usual, letters in shares):
            text = _fitting(data, encoding)
            return None if text is None else (text, encoding, 0.95)
    return None


def _likeness(sample: bytes, encoding: str) -> float:
    """The share of characters, 0 to 1, that stand in the blocks of living scripts."""
    width = 4 if encoding.startswith("utf-32") else 2
    try:
        text = sample[: len(sample) // width * width].decode(encoding)
    except UnicodeDecodeError as error:
        # The sample may have cut a surrogate pair at its very end, nowhere else.
        if error.start < len(sample) - width:
            return 0.0
        text = sample[: error.start].decode(encoding)
    if not text or len(sample) % width or _CONTROL.search(text) or _is_ascii_with_nul(sample):
        return 0.0
    usual = sum(map(_is_usual, text))
    # The right byte order has the more of ASCII: spaces, digits and line ends are in every script.
    plain = sum(character < "\x7f" for character in text)
    return usual / len(text) * (0.9 + 0.1 * min(1.0, 20 * plain / len(text)))


def _is_ascii_with_nul(sample: bytes) -> bool:
    """Whether this is ASCII with a stray NUL: its pairs of letters would read as ideographs."""
    nul = sample.count(0)
    plain = sum(0x09 <= byte < 0x7F for byte in sample)
    return nul < 0.3 * len(sample) and plain >= 0.9 * (len(sample) - nul)


def _is_usual(character: str) -> bool:
    point = ord(character)
    return (
        0x20 <= point < 0x0780
        or 0x0900 <= point < 0x1200
        or 0x2010 <= point < 0x2070
        or 0x3000 <= point < 0x3130
        or 0x4E00 <= point < 0xA000
        or 0xAC00 <= point < 0xD7A4
        or 0xFF00 <= point < 0xFFF0
        or character in "\t\n\r\f"
    )


def _declared(data: bytes, declared: str) -> Decoded | None:
    if not declared:
        return None
    try:
        name = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return None
    encoding = _SUPERSETS.get(name, name)
    text = _fitting(data, encoding)
    return None if text is None else (text, encoding, 0.9)


def _detected(data: bytes) -> Decoded:
    encoding, confidence = detect(data)
    text = _fitting(data, encoding)
    if text is None:
        raise SourceError(f"It looks like {encoding}, but its bytes do not fit.", code="undecodable")
    return text, encoding, confidence
