"""Random filters and random documents, and which of those meet which: what filters are tested against."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from hypothesis import strategies as st

from ammon.store.local.filters import Among, And, Compare, Exists, Field, Node, Not, Or
from ammon.store.local.filters.moments import period
from ammon.store.local.filters.tree import COLUMNS, field_of

# --- the oracle: what the module's docstring says, as plainly as it can be said ----------------------------------


def matches(node: Node, record: Mapping[str, Any]) -> bool:
    """Whether a record (the columns by name, and ``metadata``) meets the filter."""
    match node:
        case And(nodes):
            return all(matches(each, record) for each in nodes)
        case Or(nodes):
            return any(matches(each, record) for each in nodes)
        case Not(inner):
            return not matches(inner, record)
        case Exists(field):
            return held(field, record) is not None
        case Among(field, values, False):
            return any(matches(Compare(field, "=", value), record) for value in values)
        case Among(field, values, True):
            return held(field, record) is not None and not matches(Among(field, values), record)
        case Compare(field, "!=", value):
            return held(field, record) is not None and not matches(Compare(field, "=", value), record)
        case Compare(field, operator, value):
            found = held(field, record)
            return any(stands(each, operator, value, field) for each in (found if isinstance(found, list) else [found]))
    raise AssertionError(node)


def held(field: Field, record: Mapping[str, Any]) -> Any:
    """The field's value; ``None`` when it is missing."""
    if field.column == "metadata":
        place: Any = record["metadata"]
        for key in field.path:
            place = place.get(key) if isinstance(place, dict) else None
        return place
    name = record["uri"].split("/")[-1]
    if field.column == "name":
        return name
    if field.column == "extension":
        stem, dot, extension = name.rpartition(".")
        return extension.lower() or None if dot and stem else None
    found = record[field.column]
    return None if field.column in ("title", "language", "heading") and not found else found


def stands(found: Any, operator: str, value: Any, field: Field) -> bool:
    """Whether one held value stands to ``value`` as the operator says."""
    if field.column == "modified":
        start, end = period(value)
        answers = {"=": start <= found < end, "<": found < start, "<=": found < end, ">": found >= end}
        return bool({**answers, ">=": found >= start}[operator])
    if kind(found) != kind(value) or kind(found) == "other":
        return False
    if operator == "like":
        return bool(re.fullmatch(regular(value), found, re.DOTALL | re.IGNORECASE | re.ASCII))
    left, right = as_sqlite(found), as_sqlite(value)
    tests: dict[str, Callable[[], bool]] = {
        "=": lambda: left == right,
        "<": lambda: left < right,
        "<=": lambda: left <= right,
        ">": lambda: left > right,
        ">=": lambda: left >= right,
        "contains": lambda: right in left,
        "startswith": lambda: left.startswith(right),
        "endswith": lambda: left.endswith(right),
    }
    return bool(tests[operator]())


def kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "other"


def as_sqlite(value: Any) -> Any:
    """Whole numbers past 64 bits are compared as floating-point numbers."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def regular(pattern: str) -> str:
    """A LIKE pattern as a regular expression."""
    pieces = re.findall(r"\\.|.", pattern, re.DOTALL)
    return "".join({"%": ".*", "_": "."}.get(each, re.escape(each[-1])) for each in pieces)


# --- random metadata and random trees --------------------------------------------------------------------------------

KEYS = ["year", "tags", "author", "作者", "a b", 'q"q', "back\\slash", "dot.ted", "title", "metadata", "in", "é", "\n"]
texts = st.sampled_from(["", "a", "A", "zh", "ab", "%", "_", "\\", "'", '"', "注意力", "é", "2020", "true"]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
)
numbers = (
    st.sampled_from([0, 1, -1, 2020, 0.5, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 10**30, 1e300])
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
)
scalars = texts | numbers | st.booleans()
leaves = scalars | st.none()
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
)
metadata = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)
names = st.sampled_from(["a.md", "A.TXT", ".hidden", "two.tar.gz", "none", "end.", "注意.py", "a b"])
records = st.fixed_dictionaries(
    {
        "uri": st.builds(lambda folder, name: folder + name, st.sampled_from(["/", "/x.y/", "/a/b/", ""]), names),
        "media_type": st.sampled_from(["text/plain", "text/markdown"]),
        "size": st.integers(0, 2**40),
        "modified": st.integers(0, 2 * 10**18),
        "title": texts,
        "language": st.sampled_from(["", "en", "zh"]),
        "page": st.none() | st.integers(1, 20),
        "heading": st.lists(texts, max_size=2),
        "metadata": metadata,
    }
)
days = st.dates(date(1970, 1, 1), date(2040, 1, 1)).map(str)
moments = days | days.map(lambda day: day[:7]) | days.map(lambda day: day[:4]) | days.map(lambda day: f"{day}T10:30")
ORDER = ["=", "!=", "<", "<=", ">", ">="]
TEXTUAL = ["contains", "startswith", "endswith"]
metadata_field = st.lists(st.sampled_from(KEYS), min_size=1, max_size=2).map(lambda path: field_of(("metadata", *path)))


def compare(field: st.SearchStrategy[Field]) -> st.SearchStrategy[Node]:
    """Comparisons that the field's kind allows."""

    def of(named: Field) -> st.SearchStrategy[Node]:
        textual = st.builds(Compare, st.just(named), st.sampled_from(TEXTUAL), texts)
        pattern = texts.filter(lambda text: not text.endswith("\\"))
        textual |= st.builds(Compare, st.just(named), st.just("like"), pattern)
        kinds = {"number": numbers, "text": texts, "moment": moments, "any": texts | numbers}
        ordered = st.builds(Compare, st.just(named), st.sampled_from(ORDER), kinds[named.kind])
        truth = st.builds(Compare, st.just(named), st.sampled_from(["=", "!="]), st.booleans())
        listed = kinds[named.kind] | (st.booleans() if named.kind == "any" else st.nothing())
        among = st.builds(Among, st.just(named), st.lists(listed, max_size=3).map(tuple), st.booleans())
        choices = ordered | among | st.just(Exists(named))
        if named.kind in ("text", "any"):
            choices |= textual
        return choices | truth if named.kind == "any" else choices

    return field.flatmap(of)


columns = st.sampled_from(sorted(COLUMNS)).map(Field)
trees: st.SearchStrategy[Node] = st.recursive(
    compare(metadata_field | columns),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=4).map(lambda nodes: And(tuple(nodes)))
        | st.lists(inner, min_size=2, max_size=4).map(lambda nodes: Or(tuple(nodes)))
    ),
    max_leaves=8,
)
