"""Which fields of a filter no document has, and which were meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ammon.errors import BadFilter
from ammon.store.local.filters.checks import nearest
from ammon.store.local.filters.mapping import source_of
from ammon.store.local.filters.tree import ALIASES, COLUMNS, METADATA, Field, Node, named_fields


def metadata_fields(node: Node) -> list[Field]:
    """The metadata fields that the filter names, each once, in order: those that a store must know."""
    return list(dict.fromkeys(field for field in named_fields(node) if field.column == METADATA))


def unknown_fields(node: Node, known: Iterable[str]) -> list[tuple[Field, str]]:
    """The metadata fields of the filter that are not among ``known``, each with the name that was meant, or ``""``.

    ``known`` are the metadata's dotted paths as `Field.text` spells them (``year``, ``author.name``).
    """
    names = set(known)
    choices = names | set(COLUMNS) | set(ALIASES)
    return [(field, nearest(field.text, choices)) for field in metadata_fields(node) if field.text not in names]


def refuse_unknown(where: str | Mapping[str, Any], node: Node, known: Iterable[str]) -> None:
    """Raise when the filter names a field that no document has.

    Raises: BadFilter, pointing at the first of them in ``where``.
    """
    names = sorted(set(known))
    for field, near in unknown_fields(node, names):
        listed = ", ".join(names[:12] + ["…"] * (len(names) > 12))
        hint = (
            f"Did you mean '{near}'?"
            if near
            else f"Fields here: {', '.join(COLUMNS)}" + (f"; metadata: {listed}." if listed else ".")
        )
        raise BadFilter(
            f"No document has a field '{field.text}'.", source=source_of(where), position=field.position, hint=hint
        )
