"""The mapping spelling of a filter: ``{"year": {"$gte": 2020}, "lang": "zh"}``, in Python or as JSON text.

A mapping is met when each of its entries is. A key is a field (``author.name``, spelled as in text), ``$and`` and
``$or`` with a list of mappings, or ``$not`` with one. A field's value is a value to be equal to, ``None`` for "not
there", or a mapping from ``$eq $ne $gt $gte $lt $lte $in $nin $exists $not $contains $startswith $endswith $like``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from numbers import Integral, Real
from typing import Any, NoReturn, TypeAlias

from ammon.errors import BadFilter
from ammon.store.local.filters.checks import MAX_DEPTH, MAX_VALUES, comparison_mistake, nearest, value_mistake
from ammon.store.local.filters.text import parse_path
from ammon.store.local.filters.tree import (
    Among,
    And,
    Compare,
    Exists,
    Field,
    Node,
    Not,
    Operator,
    Or,
    Value,
)

_COMPARISONS: dict[str, Operator] = {
    "$eq": "=",
    "$ne": "!=",
    "$gt": ">",
    "$gte": ">=",
    "$lt": "<",
    "$lte": "<=",
    "$contains": "contains",
    "$startswith": "startswith",
    "$endswith": "endswith",
    "$like": "like",
}
_OPERATORS = (*_COMPARISONS, "$in", "$nin", "$exists", "$not")
_JOINS = ("$and", "$or", "$not")

_Place: TypeAlias = tuple[str | int, ...]
"""Keys and list positions that lead to a spot in the mapping."""


def parse_mapping(where: Mapping[str, Any]) -> Node | None:
    """The tree of a filter given as a mapping; ``None`` for an empty one.

    Raises: BadFilter, whose ``source`` is the mapping as JSON.
    """
    return _Reader(where).joined(where, ()) if where else None


def parse_json(source: str) -> Node | None:
    """The tree of a mapping written as JSON.

    Raises: BadFilter.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        read = dict(pairs)
        if len(read) < len(pairs):
            twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
            quoted = json.dumps(twice, ensure_ascii=False)
            raise BadFilter(
                f"The key {quoted} stands twice.",
                source=source,
                position=max(source.rfind(quoted), 0),
                hint='Join the conditions with "$and": [{…}, {…}].',
            )
        return read

    try:
        where = json.loads(source, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        hint = 'Write {"year": {"$gte": 2020}}, or the shorter: year >= 2020.'
        raise BadFilter(f"This is not JSON: {error.msg}.", source=source, position=error.pos, hint=hint) from error
    except RecursionError as error:
        raise BadFilter(f"The filter is nested deeper than {MAX_DEPTH} levels.", hint="Write it flatter.") from error
    return parse_mapping(where)


class _Reader:
    """Reads one mapping; places are kept so that an error can point into its JSON."""

    def __init__(self, where: Mapping[str, Any]) -> None:
        self.where = where
        self.values = 0

    def fail(self, message: str, place: _Place, hint: str = "") -> NoReturn:
        source, position = _pointed(self.where, place)
        raise BadFilter(message, source=source, position=position, hint=hint)

    def joined(self, where: object, place: _Place) -> Node:
        """Every entry of ``where`` at once."""
        if len(place) > MAX_DEPTH:
            raise BadFilter(f"The filter is nested deeper than {MAX_DEPTH} levels.", hint="Write it flatter.")
        if not isinstance(where, Mapping):
            self.fail(f"A mapping is expected here, not {where!r:.60}.", place, 'Write: {"year": {"$gte": 2020}}.')
        if not where:
            self.fail("An empty condition.", place, "Leave it out, or fill it.")
        nodes = tuple(self._entry(key, value, (*place, key)) for key, value in where.items())
        return nodes[0] if len(nodes) == 1 else And(nodes)

    def _entry(self, key: object, value: object, place: _Place) -> Node:
        if not isinstance(key, str):
            self.fail(f"A key is text, not {key!r:.60}.", place)
        if key == "$not":
            return Not(self.joined(value, place))
        if key in _JOINS:
            return self._several(value, And if key == "$and" else Or, place)
        if key.startswith("$"):
            near = nearest(key, _JOINS) or nearest(key, _OPERATORS)
            self.fail(f"There is no '{key}' here.", place, f"Did you mean '{near}'?" if near else "")
        return self._asked(self._field(key, place), value, place)

    def _several(self, value: object, join: Callable[[tuple[Node, ...]], Node], place: _Place) -> Node:
        if not isinstance(value, list | tuple) or not value:
            self.fail(f"'{place[-1]}' needs a list of conditions.", place, f'Write: "{place[-1]}": [{{…}}, {{…}}].')
        nodes = tuple(self.joined(each, (*place, index)) for index, each in enumerate(value))
        return nodes[0] if len(nodes) == 1 else join(nodes)

    def _field(self, key: str, place: _Place) -> Field:
        try:
            return parse_path(key, _pointed(self.where, place)[1])
        except BadFilter as error:
            self.fail(str(error), place, error.hint)

    def _asked(self, field: Field, value: object, place: _Place) -> Node:
        """What the value beside a field asks of it."""
        if len(place) > MAX_DEPTH:
            self.joined(value, place)
        if value is None:
            return Not(Exists(field))
        if not isinstance(value, Mapping):
            return self._compared(field, "=", value, place)
        if not value:
            self.fail("An empty condition.", place, 'Write: {"$gte": 2020}.')
        nodes = tuple(self._operation(field, key, each, (*place, key)) for key, each in value.items())
        return nodes[0] if len(nodes) == 1 else And(nodes)

    def _operation(self, field: Field, key: object, value: object, place: _Place) -> Node:
        if key == "$not":
            return Not(self._asked(field, value, place))
        if key == "$exists":
            return self._exists(field, value, place)
        if key in ("$in", "$nin"):
            return Among(field, self._listed(field, value, place), negated=key == "$nin")
        if key in ("$eq", "$ne") and value is None:
            return Exists(field) if key == "$ne" else Not(Exists(field))
        if key in _COMPARISONS:
            return self._compared(field, _COMPARISONS[str(key)], value, place)
        near = nearest(str(key), _OPERATORS)
        hint = f"Did you mean '{near}'?" if near else f"Operators: {' '.join(_OPERATORS)}."
        if not str(key).startswith("$"):
            hint = f"A part of a field is reached by a dot: '{field.text}.{key}'."
        self.fail(f"There is no operator '{key}'.", place, hint)

    def _exists(self, field: Field, value: object, place: _Place) -> Node:
        if not isinstance(value, bool):
            self.fail("'$exists' needs true or false.", place)
        return Exists(field) if value else Not(Exists(field))

    def _listed(self, field: Field, value: object, place: _Place) -> tuple[Value, ...]:
        if not isinstance(value, Iterable) or isinstance(value, str | bytes | Mapping):
            self.fail(f"'{place[-1]}' needs a list of values.", place, f'Write: "{place[-1]}": [1, 2].')
        return tuple(self._value(field, "=", each, place) for each in value)

    def _compared(self, field: Field, operator: Operator, value: object, place: _Place) -> Node:
        return Compare(field, operator, self._value(field, operator, value, place))

    def _value(self, field: Field, operator: str, value: object, place: _Place) -> Value:
        self.values += 1
        if self.values > MAX_VALUES:
            raise BadFilter(f"The filter holds more than {MAX_VALUES:,} values.", hint="Split the question.")
        plain = _plain(value)
        if plain is None:
            hint = 'One of several: {"$in": […]}.' if isinstance(value, Sequence) else ""
            self.fail(f"'{field.text}' cannot be compared with {value!r:.60}.", place, hint)
        if problem := value_mistake(plain) or comparison_mistake(field, operator, plain):
            self.fail(problem.message, place, problem.hint)
        return plain


def _plain(value: object) -> Value | None:
    """The value as a filter holds it: numbers of other libraries become Python's, dates become ISO text."""
    if isinstance(value, str | bool):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value)
    return value.isoformat() if isinstance(value, date) else None


def _pointed(where: object, place: _Place) -> tuple[str, int]:
    """The mapping as JSON text, and the character in it where ``place`` stands."""
    if len(place) == 0:
        return _json(where), 0
    pieces: list[str] = []
    position = 0
    is_mapping = isinstance(where, Mapping)
    items: Iterable[tuple[Any, Any]] = where.items() if isinstance(where, Mapping) else enumerate(_sequence(where))
    for key, value in items:
        lead = f"{_json(str(key))}: " if is_mapping else ""
        if key == place[0]:
            inner, offset = _pointed(value, place[1:])
            start = 1 + sum(len(piece) + 2 for piece in pieces)
            position = start + (len(lead) + offset if len(place) > 1 or not is_mapping else 0)
            pieces.append(lead + inner)
        else:
            pieces.append(lead + _json(value))
    joined = ", ".join(pieces)
    return (f"{{{joined}}}" if is_mapping else f"[{joined}]"), position


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str, skipkeys=True)


def source_of(where: str | Mapping[str, Any]) -> str:
    """The text that positions in a filter's errors and fields count in: itself, or the mapping as JSON."""
    if isinstance(where, str) and not where.lstrip().startswith("{"):
        return where
    return _json(json.loads(where) if isinstance(where, str) else where)
