"""A filter's tree → one boolean SQL expression with its bindings. No value and no name is ever pasted into the SQL.

The expression is over the tables ``document AS d`` and ``chunk AS c`` and is always 0 or 1, never NULL, so that
``NOT`` means what it says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ammon.store.local.filters.moments import period
from ammon.store.local.filters.tree import METADATA, Among, And, Compare, Exists, Field, Node, Not, Or, Value

Piece: TypeAlias = tuple[str, list[Any]]
"""SQL and its bindings, in order."""

INT64 = 2**63

_NAME = "substr(d.uri, length(rtrim(d.uri, replace(d.uri, '/', ''))) + 1)"
_DOTLESS = f"rtrim({_NAME}, replace({_NAME}, '.', ''))"
_EXTENSION = f"CASE WHEN instr(substr({_NAME}, 2), '.') THEN lower(substr({_NAME}, length({_DOTLESS}) + 1)) END"
_COLUMN_SQL = {
    "uri": "d.uri",
    "name": _NAME,
    "extension": f"nullif({_EXTENSION}, '')",
    "media_type": "d.media_type",
    "title": "nullif(d.title, '')",
    "language": "nullif(d.language, '')",
    "size": "d.size",
    "modified": "d.modified",
    "page": "c.page",
    "heading": "nullif(c.heading, '[]')",
}
_TYPES = {"text": "('text')", "number": "('integer', 'real')", "truth": "('true', 'false')"}


def compile_sql(node: Node) -> tuple[str, list[Any]]:
    """A boolean SQL expression over ``document AS d`` and ``chunk AS c``, and the values of its question marks."""
    match node:
        case And(nodes):
            return _balanced([compile_sql(each) for each in nodes], "AND")
        case Or(nodes):
            return _balanced([compile_sql(each) for each in nodes], "OR")
        case Not(inner):
            sql, bindings = compile_sql(inner)
            return f"(NOT {sql})", bindings
        case Exists(field):
            return _present(field)
        case Among(field, values, negated):
            return _differs(field, _among(field, values)) if negated else _among(field, values)
        case Compare(field, "!=", value):
            return _differs(field, _compared(field, "=", value))
        case Compare(field, operator, value):
            return _compared(field, operator, value)


def _balanced(pieces: Sequence[Piece], word: str) -> Piece:
    """All pieces joined as a balanced tree, since SQLite limits how deep an expression may be."""
    if len(pieces) == 1:
        return pieces[0]
    half = len(pieces) // 2
    left, right = _balanced(pieces[:half], word), _balanced(pieces[half:], word)
    return f"({left[0]} {word} {right[0]})", left[1] + right[1]


def _present(field: Field) -> Piece:
    if field.column != METADATA:
        return f"({_COLUMN_SQL[field.column]} IS NOT NULL)", []
    return "(ifnull(json_type(d.metadata, ?), 'null') <> 'null')", [_json_path(field)]


def _differs(field: Field, equal: Piece) -> Piece:
    present, bindings = _present(field)
    return f"({present} AND NOT {equal[0]})", bindings + equal[1]


def _compared(field: Field, operator: str, value: Value) -> Piece:
    if field.kind == "moment":
        return _in_time(field, operator, str(value))
    return _holds(field, _kind(value), lambda held: _tested(held, operator, value))


def _among(field: Field, values: Sequence[Value]) -> Piece:
    if field.kind == "moment":
        return _balanced([_in_time(field, "=", str(value)) for value in values] or [("0", [])], "OR")
    kinds: dict[str, list[Any]] = {}
    for value in values:
        kinds.setdefault(_kind(value), []).append(_bound(value))
    pieces = [_one_of(field, kind, bound) for kind, bound in kinds.items()]
    return _balanced(pieces or [("0", [])], "OR")


def _one_of(field: Field, kind: str, bound: list[Any]) -> Piece:
    marks = ", ".join("?" * len(bound))
    return _holds(field, kind, lambda held: (f"{held} IN ({marks})", bound))


def _holds(field: Field, kind: str, test: Callable[[str], Piece]) -> Piece:
    """The field is of this kind and passes ``test``; or it is a list, and one of its elements does."""
    if field.column == "heading":
        sql, bindings = test("e.atom")
        return f"EXISTS (SELECT 1 FROM json_each(c.heading) AS e WHERE {sql})", bindings
    if field.column != METADATA:
        column = _COLUMN_SQL[field.column]
        sql, bindings = test(column)
        return f"({column} IS NOT NULL AND {sql})", bindings
    sql, bindings = test("e.atom")
    path = _json_path(field)
    inside = f"SELECT 1 FROM json_each(d.metadata, ?) AS e WHERE e.type IN {_TYPES[kind]} AND {sql}"
    return f"(ifnull(json_type(d.metadata, ?), 'null') <> 'object' AND EXISTS ({inside}))", [path, path, *bindings]


def _tested(held: str, operator: str, value: Value) -> Piece:
    """``held operator value`` in SQL, where ``held`` is known to be of the value's kind."""
    if not isinstance(value, str) or operator not in ("contains", "startswith", "endswith", "like"):
        return f"{held} {operator} ?", [_bound(value)]
    if operator == "like":
        return f"{held} LIKE ? ESCAPE '\\'", [value]
    if operator == "endswith" and value:
        length = len(value.encode())
        return f"substr(CAST({held} AS BLOB), ?) = CAST(? AS BLOB)", [-length, value]
    return f"instr({held}, ?) {'= 1' if operator == 'startswith' else '> 0'}", [value]


def _in_time(field: Field, operator: str, text: str) -> Piece:
    """A date is a stretch of time: equal means within it, greater means past its end."""
    start, end = period(text)
    column = _COLUMN_SQL[field.column]
    if operator == "=":
        return f"({column} >= ? AND {column} < ?)", [start, end]
    bound, sign = {"<": (start, "<"), "<=": (end, "<"), ">": (end, ">="), ">=": (start, ">=")}[operator]
    return f"({column} {sign} ?)", [bound]


def _kind(value: Value) -> str:
    if isinstance(value, bool):
        return "truth"
    return "text" if isinstance(value, str) else "number"


def _bound(value: Value) -> Any:
    """The value as SQLite takes it; whole numbers past 64 bits as floating-point ones, as its JSON functions do."""
    if isinstance(value, int) and not -INT64 <= value < INT64:
        return float(value)
    return int(value) if isinstance(value, bool) else value


def _json_path(field: Field) -> str:
    return "$" + "".join("." + json.dumps(key, ensure_ascii=False) for key in field.path)
