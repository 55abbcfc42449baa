"""JSON: read as people would say it. A list of records gives a passage a record; the rest, lines of path and value.

Text that is nearly JSON (comments, a comma too many) is kept as it stands, and the metadata says why.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line, storable
from ammon.sources.rows import MOST_CHARACTERS, Rows
from ammon.types import Part

_TITLE_KEYS: Final = ("title", "name", "headline", "subject")
_TEXT_KEYS: Final = ("text", "content", "contents", "body", "passage", "description", "abstract", "summary")
LONGEST_PATH: Final = 200

_RECORDS: Final = 2
"""A list of this many objects or more is a table of records."""


def load(text: str, kind: Kind) -> Loaded:
    """Return records as rows, anything else as lines.

    Raises: SourceError with the code ``malformed``, if it is nested beyond all measure.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        return Loaded(text, metadata={"malformed": str(error)}, parts=(Part(0, len(text), "code", kind.grammar),))
    except RecursionError as error:
        raise SourceError("Its values are nested too deeply.", code="malformed") from error
    name, records = _records(value)
    title = one_line(_first(value, _TITLE_KEYS)) if isinstance(value, dict) else ""
    if not records:
        return Loaded(storable("\n".join(lines_of(value))), title=storable(title))
    rows = Rows()
    if isinstance(value, dict):
        rows.add(storable("\n".join(lines_of({key: each for key, each in value.items() if key != name}))))
    for record in records:
        rows.add(record_text(record))
    return Loaded(rows, title=storable(title), metadata={"rows": len(records)}, parts=rows.parts)


def _records(value: Any) -> tuple[str, list[dict[str, Any]]]:
    """The list of records in a value, and under which key; an empty list if there is none."""
    if _is_table(value):
        return "", value
    if isinstance(value, dict):
        tables = [key for key, each in value.items() if _is_table(each)]
        if len(tables) == 1:
            return tables[0], value[tables[0]]
    return "", []


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= _RECORDS and all(isinstance(each, dict) for each in value)


def record_text(record: Any) -> str:
    r"""Return a record as a passage: its title and its text first, then the rest as ``key: value`` lines.

    >>> record_text({"id": 7, "title": "Whales", "text": "They sing."})
    'Whales\n\nThey sing.\n\nid: 7'
    """
    if not isinstance(record, dict):
        return storable("\n".join(lines_of(record)))
    title_key = next((key for key in _TITLE_KEYS if _is_text(record.get(key))), "")
    text_key = next((key for key in _TEXT_KEYS if _is_text(record.get(key))), "")
    rest = {key: each for key, each in record.items() if key not in (title_key, text_key)} if text_key else record
    blocks = [record[title_key] if title_key else "", record[text_key]] if text_key else []
    return storable("\n\n".join(filter(None, (*blocks, "\n".join(lines_of(rest))))))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _first(record: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((record[key] for key in keys if _is_text(record.get(key))), "")


def lines_of(value: Any) -> Iterator[str]:
    """Yield ``path: value`` for every value that says something; short lists of plain values stand on one line.

    Of a long path the last `LONGEST_PATH` characters are kept. Raises: SourceError with the code ``too-large``, where
    the paths make far more of the text than there was.
    """
    waiting: list[tuple[Iterator[tuple[str, Any]], str]] = [(iter((("", value),)), "")]
    length = 0
    while waiting:
        members, path = waiting[-1]
        step, each = next(members, ("", waiting))
        if each is waiting:
            waiting.pop()
            continue
        inner = (path + step)[-LONGEST_PATH:]
        if isinstance(each, dict):
            waiting.append((_keyed(each, inner), inner))
        elif isinstance(each, list) and not _is_short(each):
            waiting.append((((f"[{number}]", one) for number, one in enumerate(each, 1)), inner))
        elif each is not None:
            line = _line(inner, _said(each))
            length += len(line) + 1
            if length > MOST_CHARACTERS:
                raise SourceError(f"Written out it has more than {MOST_CHARACTERS:,} characters.", code="too-large")
            yield line


def _keyed(value: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    between = "." if path else ""
    return ((f"{between}{key}", each) for key, each in value.items())


def _is_short(values: list[Any]) -> bool:
    # Of 200 values the digits alone are too long.
    plain = len(values) < 200 and all(isinstance(each, (str, int, float)) for each in values)
    return plain and sum(len(str(each)) for each in values) < 200


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(path: str, value: str) -> str:
    if not value.strip():
        return ""
    return f"{path}: {value}" if path else value
