"""What both spellings must refuse: operators and values that cannot go together. Nothing here knows a position."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass

from ammon.store.local.filters.moments import period
from ammon.store.local.filters.tree import Field, Value, spelled

MAX_DEPTH = 100
"""Parentheses, `not` and lists inside one another; SQLite itself stops at 1,000."""

MAX_VALUES = 10_000
"""Values in one filter; SQLite takes 32,766."""

MAX_PATTERN = 10_000
"""Characters of a `like` pattern; SQLite takes 50,000 bytes."""

MAX_BITS = 1_000
"""Whole numbers past 64 bits are compared as floating-point numbers, which end a little above this."""

TEXT_OPERATORS = frozenset({"contains", "startswith", "endswith", "like"})
ORDER_OPERATORS = frozenset({"<", "<=", ">", ">="})


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong, and what to do instead."""

    message: str
    hint: str = ""


def value_mistake(value: Value) -> Mistake | None:
    """What makes a value unusable in any filter."""
    if isinstance(value, float) and not math.isfinite(value):
        return Mistake(f"{value} is not a number to compare with.", "Use `exists` to ask whether a field is there.")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        return Mistake("The number is too large to compare with.", f"Stay under 2 to the power of {MAX_BITS}.")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        return Mistake("The text holds half of a surrogate pair, which no document can hold.", "Remove it.")
    return None


def comparison_mistake(field: Field, operator: str, value: Value) -> Mistake | None:
    """What keeps ``field operator value`` from having a meaning; ``None`` when it has one."""
    return (
        value_mistake(value)
        or _operator_mistake(field, operator, value)
        or _kind_mistake(field, operator, value)
        or (_pattern_mistake(value) if operator == "like" else None)
    )


def _operator_mistake(field: Field, operator: str, value: Value) -> Mistake | None:
    if operator in TEXT_OPERATORS and not isinstance(value, str):
        return Mistake(f"'{operator}' needs text, not {spelled(value)}.", f"Write: {field.text} {operator} 'text'.")
    if operator in ORDER_OPERATORS and isinstance(value, bool):
        return Mistake(f"{spelled(value)} has no order.", f"Write: {field.text} = {spelled(value)}.")
    return None


def _kind_mistake(field: Field, operator: str, value: Value) -> Mistake | None:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if field.kind == "number" and not numeric:
        return Mistake(f"'{field.text}' is a number; {spelled(value)} is not.", f"Write: {field.text} >= 10.")
    if field.kind == "text" and not isinstance(value, str):
        return Mistake(
            f"'{field.text}' is text; {spelled(value)} is not.", f"Write: {field.text} = '{spelled(value)}'."
        )
    if field.kind == "moment":
        return _moment_mistake(field, operator, value)
    return None


def _moment_mistake(field: Field, operator: str, value: Value) -> Mistake | None:
    hint = f"Write: {field.text} >= '2024-05-01', or with a time: '2024-05-01T10:30'."
    if not isinstance(value, str):
        return Mistake(f"'{field.text}' is a date; {spelled(value)} is not.", hint)
    if operator in TEXT_OPERATORS:
        return Mistake(f"'{field.text}' is a date; '{operator}' is for text.", hint)
    try:
        period(value)
    except (ValueError, OverflowError):
        return Mistake(f"{spelled(value)} is not a date.", hint)
    return None


def _pattern_mistake(value: Value) -> Mistake | None:
    pattern = str(value)
    if len(pattern) > MAX_PATTERN:
        return Mistake(f"The pattern is longer than {MAX_PATTERN:,} characters.", "Use `contains`.")
    if "\0" in pattern:
        return Mistake("A 'like' pattern cannot hold a NUL character.", "Use `contains`.")
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        return Mistake("The pattern ends in a lone backslash.", r"Write \\ for a backslash, \% and \_ for % and _.")
    return None


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word closest to ``word``; empty when none is close."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return found[0] if found else ""
