"""Points in time as filters write them: a year, a month, a day or a time of day, each a stretch of nanoseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_COARSE = re.compile(r"(\d{4})(?:-(\d\d))?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MINUTE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_SECOND = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOSECONDS = 1000
"""In a microsecond, which is as fine as `datetime` goes."""

LATEST = 2**63 - 1


def period(text: str) -> tuple[int, int]:
    """The stretch ``[start, end)`` that an ISO 8601 date or time names, in nanoseconds since the epoch, UTC.

    ``2024`` is a year, ``2024-05`` a month, ``2024-05-01`` a day, ``2024-05-01T10:30`` a minute; a zone may follow
    a time. Both ends are kept within 64 bits.

    Raises: ValueError.

    >>> period("1970-01-01")
    (0, 86400000000000)
    """
    if coarse := _COARSE.fullmatch(text):
        year, month = int(coarse[1]), int(coarse[2] or 1)
        months = 1 if coarse[2] else 12
        return _nanoseconds(_month(year, month)), _nanoseconds(_month(year, month + months))
    start = datetime.fromisoformat(text)
    if start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    return _nanoseconds(start), _nanoseconds(start + _width(_ZONE.sub("", text)))


def _month(year: int, month: int) -> datetime:
    carried, rest = divmod(month - 1, 12)
    return datetime(year + carried, rest + 1, 1, tzinfo=UTC)


def _width(text: str) -> timedelta:
    for pattern, width in ((_DAY, timedelta(days=1)), (_MINUTE, timedelta(minutes=1)), (_SECOND, timedelta(seconds=1))):
        if pattern.fullmatch(text):
            return width
    return timedelta(microseconds=1)


def _nanoseconds(moment: datetime) -> int:
    exact = (moment - _EPOCH) // timedelta(microseconds=1) * _NANOSECONDS
    return max(-LATEST, min(exact, LATEST))
