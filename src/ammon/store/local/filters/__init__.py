"""Filters: one small language in two spellings, read into one tree and compiled to parametrised SQL.

    year >= 2020 and lang = 'zh'                    {"year": {"$gte": 2020}, "lang": "zh"}
    tags = 'draft' or not (author.name like 'a%')   {"$or": [{"tags": "draft"}, {"$not": {"author.name": …}}]}

**Fields.** ``uri`` (or ``path``), ``name`` (of the file), ``extension`` (lower case, no dot), ``media_type``,
``title``, ``language`` (or ``lang``), ``size`` (bytes), ``modified`` (a date), ``page`` and ``heading`` (the list of
headings a passage stands under) are what every document or passage has. Any other name is a key of the document's
metadata, dots leading into nested mappings. ``metadata.`` before a key reaches one that is hidden by a name above;
double quotes hold a key that is not a plain word.

**Meaning.** A filter is true or false of a passage, nothing between, and ``not`` turns one into the other.

- A comparison is true only between values of one kind: text with text (by code points, case kept), number with
  number (whole numbers to 64 bits exactly, longer ones as floating point), truth with truth. ``year = '2020'`` does
  not match the number 2020.
- A field that is missing or null meets no comparison, whichever the operator; hence ``lang != 'zh'`` asks for
  documents that state a language, and ``not (lang = 'zh')`` for all others too. Empty ``title`` and ``language``
  count as missing.
- A list meets a comparison when one of its elements does, ``!=`` and ``not in`` when none is equal. Mappings, and
  lists inside lists, meet none; they only exist.
- ``contains``, ``startswith``, ``endswith`` keep case; ``like`` has SQL's ``%`` and ``_`` (backslash escapes them)
  and ignores the case of a to z.
- ``modified`` is compared with ISO dates, UTC unless a zone is given, as stretches of time: ``= '2024-05'`` is any
  moment of that month, ``> '2024-05'`` any after it. Dates in metadata are text, and ISO text sorts as it should.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ammon.errors import BadFilter
from ammon.store.local.filters.mapping import parse_json, parse_mapping
from ammon.store.local.filters.names import metadata_fields, refuse_unknown, unknown_fields
from ammon.store.local.filters.sql import compile_sql
from ammon.store.local.filters.text import parse_text
from ammon.store.local.filters.tree import Among, And, Compare, Exists, Field, Node, Not, Or, fields, render

__all__ = [
    "Among",
    "And",
    "Compare",
    "Exists",
    "Field",
    "Node",
    "Not",
    "Or",
    "compile_sql",
    "fields",
    "metadata_fields",
    "parse",
    "refuse_unknown",
    "render",
    "unknown_fields",
]


def parse(where: str | Mapping[str, Any] | None) -> Node | None:
    """The tree of a filter in either spelling, the mapping also as JSON text; ``None`` where there is no filter.

    Raises: BadFilter, with the position of the mistake.

    >>> parse("year >= 2020") == parse({"year": {"$gte": 2020}})
    True
    """
    if where is None:
        return None
    if isinstance(where, str):
        return parse_json(where) if where.lstrip().startswith("{") else parse_text(where)
    if isinstance(where, Mapping):
        return parse_mapping(where)
    raise BadFilter(f"A filter is text or a mapping, not {type(where).__name__}.")
