"""The tree that both spellings of a filter become, and its canonical text. Plain frozen values; knows no SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Value: TypeAlias = str | int | float | bool
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "contains", "startswith", "endswith", "like"]
Kind: TypeAlias = Literal["text", "number", "moment", "any"]

METADATA = "metadata"
COLUMNS: dict[str, Kind] = {
    "uri": "text",
    "name": "text",
    "extension": "text",
    "media_type": "text",
    "title": "text",
    "language": "text",
    "size": "number",
    "modified": "moment",
    "page": "number",
    "heading": "text",
}
"""The fields every document or passage has, by kind; ``heading`` is a list. Any other name is a key of its metadata."""

ALIASES = {"path": "uri", "lang": "language"}
KEYWORDS = frozenset(
    {"and", "or", "not", "in", "is", "null", "exists", "true", "false"} | {"contains", "startswith", "endswith", "like"}
)
"""Words that a field's name must be quoted to use."""

WORD = re.compile(r"[^\W\d][\w-]*")


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or (``column == "metadata"``) the ``path`` of keys into a document's metadata.

    ``position`` is the 0-based character where a filter names it; it does not count for equality.
    """

    column: str
    path: tuple[str, ...] = ()
    position: int = field(default=0, compare=False)

    @property
    def kind(self) -> Kind:
        """What the field holds; ``any`` for metadata."""
        return COLUMNS.get(self.column, "any")

    @property
    def text(self) -> str:
        """The field as a filter spells it, quoted where it must be."""
        if self.column != METADATA:
            return self.column
        hidden = self.path[0] in COLUMNS or self.path[0] in ALIASES or self.path[0] == METADATA
        return ".".join(_key(key) for key in ((METADATA, *self.path) if hidden else self.path))


@dataclass(frozen=True, slots=True)
class Compare:
    """The field holds a value that stands to ``value`` as ``operator`` says. Mind that Python holds True equal to 1."""

    field: Field
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True)
class Among:
    """The field holds one of ``values``; when ``negated``, the field is there and holds none of them."""

    field: Field
    values: tuple[Value, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Exists:
    """The field is there and not null."""

    field: Field


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever ``node`` does not match."""

    node: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more ``nodes``."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more ``nodes``."""

    nodes: tuple[Node, ...]


Node: TypeAlias = Compare | Among | Exists | Not | And | Or


def field_of(path: tuple[str, ...], position: int = 0) -> Field:
    """The field that a dotted ``path`` of keys names: a column or its alias, else a place in the metadata."""
    if len(path) == 1:
        column = ALIASES.get(path[0], path[0])
        if column in COLUMNS:
            return Field(column, (), position)
    if path[0] == METADATA and len(path) > 1:
        path = path[1:]
    return Field(METADATA, path, position)


def named_fields(node: Node) -> Iterator[Field]:
    """Every field that the filter names, in order, with repeats."""
    match node:
        case And(nodes) | Or(nodes):
            for each in nodes:
                yield from named_fields(each)
        case Not(inner):
            yield from named_fields(inner)
        case Compare(named) | Among(named) | Exists(named):
            yield named


def fields(node: Node) -> set[str]:
    """The names of the fields that the filter uses, as a filter spells them."""
    return {named.text for named in named_fields(node)}


def render(node: Node) -> str:
    """The canonical text of the filter: reading it gives ``node`` again."""
    match node:
        case Compare(named, operator, value):
            return f"{named.text} {operator} {spelled(value)}"
        case Among(named, values, negated):
            listed = ", ".join(spelled(value) for value in values)
            return f"{named.text} {'not in' if negated else 'in'} ({listed})"
        case Exists(named):
            return f"{named.text} exists"
        case Not(inner):
            return f"not {_operand(inner)}"
        case And(nodes):
            return " and ".join(_operand(each) for each in nodes)
        case Or(nodes):
            return " or ".join(_operand(each) for each in nodes)


def spelled(value: Value) -> str:
    """A value as a filter's text spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def _operand(node: Node) -> str:
    return f"({render(node)})" if isinstance(node, And | Or) else render(node)


def _key(key: str) -> str:
    if WORD.fullmatch(key) and key.lower() not in KEYWORDS:
        return key
    return '"' + key.replace('"', '""') + '"'
