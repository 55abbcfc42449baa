"""Number formats of workbooks (ECMA-376 part 1, 18.8.31): a format's code and a number → what a person sees.

Knows numbers only: which of them are dates the parser of workbooks tells, and dates are written in ISO 8601, which is
the same in every country. What a code says by way of conditions, fractions and digits parted by words is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

Shown: TypeAlias = Callable[[float], str]
"""A number → what is seen of it."""

BUILT_IN: Final = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    # The currencies of 5 to 8, 42 and 44 are those of the country that the reader is in.
    **dict.fromkeys((5, 6, 37, 38, 41, 42), "#,##0;(#,##0)"),
    **dict.fromkeys((7, 8, 39, 40, 43, 44), "#,##0.00;(#,##0.00)"),
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    **dict.fromkeys(range(14, 18), "yyyy-mm-dd"),
    **dict.fromkeys(range(18, 22), "h:mm"),
    45: "mm:ss",
    48: "##0.0E+0",
}
"""The codes that have a number and are not written in the file (18.8.30); those left out show a value as it is."""

LARGEST: Final = 1e13
"""From here on a double has no two digits behind the point, and is shown as it is."""

_MOST_THOUSANDS: Final = 4
_WHOLE: Final = 1e15
_TO_ITS_DECIMAL: Final = 1 + 2**-52
"""A half is rounded up as in the decimal number that was written, which a double may miss by half of its last bit."""

MOST_DECIMALS: Final = 10
LONGEST_CODE: Final = 255
"""As Excel has it."""

_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<blank>[_*].)|\[\$(?P<currency>[^\]-]*)[^\]]*\]|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<digits>[0#?.,]*[0#?][0#?.,]*(?P<power>[Ee][+-][0#?]+)?)|(?P<literal>.)",
    re.DOTALL,
)
_COUNTING: Final = frozenset("123456789")
"""Without any of these a number is none below zero."""

_CONDITION: Final = ("<", ">", "=")
_LETTERS: Final = re.compile(r'"[^"]*"|\\.|[_*].|\[\$?[^\]]*\]')
_UNKNOWN: Final = frozenset("/@yYmMdDhHsSeEgGbB")


@dataclass(frozen=True, slots=True)
class _Section:
    """One of the up to three ways that a code has for numbers above, below and at zero.

    ``spec`` is Python's own format, empty for a section of words only; ``width`` is that of the least number, filled
    up with zeros; ``decimals`` are those that stay where they are zeros, -1 if all do.
    """

    before: str
    after: str
    spec: str
    factor: float
    width: int
    decimals: int

    def shown(self, value: float) -> str:
        """A number that is not below zero."""
        if not self.spec or not (value or self.width):
            return (self.before + self.after).strip()
        written = format(value * self.factor * _TO_ITS_DECIMAL, self.spec)
        if self.decimals >= 0:
            whole, _, part = written.partition(".")
            part = part[: self.decimals] + part[self.decimals :].rstrip("0")
            written = whole + ("." + part if part else "")
        return f"{self.before}{written.zfill(self.width)}{self.after}".strip()


def shown_by(code: str) -> Shown | None:
    """What shows a number under a format's code; ``None`` where that is the number as it is.

    >>> shown_by('"Rs "#,##0.0;[Red](#,##0.0)')(-1234.56)
    '(1,234.6)'
    """
    sections = [_section(each) for each in _sections(code[:LONGEST_CODE])][:3]
    above = sections[0]
    if above is None:
        return None
    below = sections[1] if len(sections) > 1 else above
    zero = sections[2] if len(sections) > 2 else above
    sign = "" if len(sections) > 1 else "-"

    def shown(value: float) -> str:
        section = above if value > 0 else below if value < 0 else zero
        # A section that shows nothing hides what is there, and is not heeded.
        if section is None or not abs(value) < LARGEST:
            return plain(value)
        text = section.shown(abs(value))
        return sign + text if value < 0 and not _COUNTING.isdisjoint(text) else text

    return shown


def plain(value: float) -> str:
    """A number as it is, whole numbers without a fraction."""
    return str(int(value)) if abs(value) < _WHOLE and value.is_integer() else f"{value:.12g}"


def moment(code: str, value: datetime) -> str:
    """What of a moment a format's code shows, in ISO 8601: its day, its time, or both.

    >>> moment("h:mm", datetime(2026, 3, 2, 18, 30))
    '18:30:00'
    """
    letters = set(_LETTERS.sub("", code.lower()))
    if not letters & {"h", "s"}:
        return value.date().isoformat()
    return value.isoformat(" ", "seconds") if letters & {"y", "d"} else value.time().isoformat("seconds")


def _sections(code: str) -> Iterator[str]:
    """The sections of a code, parted by semicolons that are not quoted."""
    start = 0
    for each in _TOKEN.finditer(code):
        if each["literal"] == ";":
            yield code[start : each.start()]
            start = each.end()
    yield code[start:]


def _section(code: str) -> _Section | None:
    """A section; ``None`` for one that says more than is known here, or nothing."""
    before, digits, after, power = "", "", "", ""
    for each in _TOKEN.finditer(code):
        said = each["quoted"] or each["escaped"] or each["currency"] or each["literal"] or ""
        if each["literal"] in _UNKNOWN or (each["bracket"] or "").startswith(_CONDITION) or (digits and each["digits"]):
            return None
        if each["digits"]:
            power = each["power"] or ""
            digits = each["digits"].removesuffix(power)
        elif digits:
            after += said
        else:
            before += said
    whole, _, part = digits.rstrip(",").partition(".")
    percents, thousands = (before + after).count("%"), len(digits) - len(digits.rstrip(","))
    if percents > 1 or thousands > _MOST_THOUSANDS or not (digits or before.strip()):
        return None
    most, least = min(len(part), MOST_DECIMALS), min(part.count("0"), MOST_DECIMALS)
    spec = f"{',' if ',' in whole else ''}.{most}{'E' if power else 'f'}" if digits else ""
    zeros = whole.count("0") + part.count("0")
    width = whole.count("0") + (1 + least if least else 0) if zeros else 0
    decimals = -1 if power or least == most else least
    return _Section(before, after, spec, 100.0**percents / 1000.0**thousands, width, decimals)
