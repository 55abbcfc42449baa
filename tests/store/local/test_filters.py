"""Filters: both spellings give one tree, and its SQL matches what brute force matches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import apsw
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ammon.errors import BadFilter
from ammon.store.local.filters import (
    Among,
    And,
    Compare,
    Exists,
    Node,
    Not,
    Or,
    compile_sql,
    fields,
    metadata_fields,
    parse,
    refuse_unknown,
    render,
    unknown_fields,
)
from ammon.store.local.filters.moments import period
from ammon.store.local.filters.tree import field_of
from filter_oracle import kind, leaves, matches, metadata, records, trees


def selected(node: Node, record: Mapping[str, Any], *, ascii_json: bool = False) -> int:
    """What SQLite makes of the filter for a catalog holding this one record: 0 or 1."""
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE document (uri, media_type, size, modified, title, language, metadata)")
    connection.execute("CREATE TABLE chunk (page, heading)")
    row = [record[name] for name in ("uri", "media_type", "size", "modified", "title", "language")]
    row.append(json.dumps(record["metadata"], ensure_ascii=ascii_json))
    connection.execute("INSERT INTO document VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    heading = json.dumps(record["heading"], ensure_ascii=ascii_json)
    connection.execute("INSERT INTO chunk VALUES (?, ?)", (record["page"], heading))
    sql, bindings = compile_sql(node)
    value = connection.execute(f"SELECT {sql} FROM document AS d, chunk AS c", bindings).get
    connection.close()
    assert isinstance(value, int)
    return value


def record_with(metadata: dict[str, Any]) -> dict[str, Any]:
    """A record of which nothing is known but its metadata."""
    empty = {"uri": "/a", "media_type": "", "size": 0, "modified": 0, "title": "", "language": "", "page": None}
    return {**empty, "heading": [], "metadata": metadata}


def strict(node: Node) -> str:
    """The tree with its types, since Python holds True equal to 1."""
    return repr(node)


# --- laws ------------------------------------------------------------------------------------------------------------


@given(trees, records, st.booleans())
def test_sql_selects_exactly_what_brute_force_selects(node: Node, record: dict[str, Any], ascii_json: bool) -> None:
    assert selected(node, record, ascii_json=ascii_json) == int(matches(node, record))


@given(metadata, st.data())
def test_sql_finds_values_that_are_really_there(held_data: dict[str, Any], data: st.DataObject) -> None:
    record = record_with(held_data)
    there = [(key, value) for key, value in held_data.items() if kind(value) != "other"]
    if not there:
        return
    key, value = data.draw(st.sampled_from(there))
    field = field_of(("metadata", key))
    assert selected(Compare(field, "=", value), record) == 1
    assert selected(Compare(field, "!=", value), record) == 0
    assert selected(Among(field, (value, "other")), record) == 1


@given(trees)
def test_reading_the_canonical_text_gives_the_tree_again(node: Node) -> None:
    again = parse(render(node))
    assert again is not None
    assert again == node
    assert render(again) == render(node)


@given(trees)
def test_a_tree_survives_the_mapping_spelling(node: Node) -> None:
    spelled = as_mapping(node)
    again = parse(spelled)
    assert again is not None
    assert render(again) == render(node)
    assert render(parse(json.dumps(spelled)) or Not(node)) == render(node)


def as_mapping(node: Node) -> dict[str, Any]:
    """The mapping spelling of a tree, written independently of the reader."""
    names = {"=": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte"}
    match node:
        case And(nodes):
            return {"$and": [as_mapping(each) for each in nodes]}
        case Or(nodes):
            return {"$or": [as_mapping(each) for each in nodes]}
        case Not(inner):
            return {"$not": as_mapping(inner)}
        case Exists(field):
            return {field.text: {"$exists": True}}
        case Among(field, listed, negated):
            return {field.text: {"$nin" if negated else "$in": list(listed)}}
        case Compare(field, operator, value):
            return {field.text: {names.get(operator, f"${operator}"): value}}
    raise AssertionError(node)


@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["(", ")", "and", "or", "not", "in", "=", "'a'", "x", ".", ",", "null", "exists"])).map(
        " ".join
    )
)
@example("'" * 5)
@example("{")
@example("\ud800 = 1")
def test_any_text_is_a_filter_or_a_pointed_error(text: str) -> None:
    try:
        parse(text)
    except BadFilter as error:
        assert 0 <= error.position <= len(error.source)
        assert error.hint


json_like = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$and", "$or", "$not", "$in", "$gte", "$exists", "a", "b.c", "size", ""]), inner
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["$and", "$or", "$not", "a", "b.c", "size", "modified", "$x"]), json_like))
def test_any_mapping_is_a_filter_or_a_pointed_error(where: dict[str, Any]) -> None:
    try:
        parse(where)
    except BadFilter as error:
        assert 0 <= error.position <= len(error.source)


# --- examples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        ("year >= 2020", {"year": {"$gte": 2020}}),
        ("year >= 2020 and lang = 'zh'", {"year": {"$gte": 2020}, "lang": "zh"}),
        ("year > 1 and year < 5", {"year": {"$gt": 1, "$lt": 5}}),
        ("a = 1 or b = 2", {"$or": [{"a": 1}, {"b": 2}]}),
        ("not (a = 1)", {"$not": {"a": 1}}),
        ("not (year > 2020)", {"year": {"$not": {"$gt": 2020}}}),
        ("author.name != 'Ann'", {"author.name": {"$ne": "Ann"}}),
        ('"a b".c = true', {'"a b".c': True}),
        ("x is null", {"x": None}),
        ("x = null", {"x": {"$eq": None}}),
        ("x is not null", {"x": {"$exists": True}}),
        ("x not exists", {"x": {"$exists": False}}),
        ("x in (1, 'a')", {"x": {"$in": [1, "a"]}}),
        ("x not in (1.5)", {"x": {"$nin": (1.5,)}}),
        ("x in ()", {"x": {"$in": []}}),
        ("title LIKE '%x' AND path CONTAINS 'y'", {"title": {"$like": "%x"}, "uri": {"$contains": "y"}}),
        ("d >= '2024-05-01'", {"d": {"$gte": date(2024, 5, 1)}}),
        ("n = 3 and f = 0.5", {"n": np.int64(3), "f": np.float64(0.5)}),
        ("who = 'it''s'", {"who": "it's"}),
        ('who = "say ""hi"""', {"who": 'say "hi"'}),
        ("metadata.title = 'x'", {"metadata.title": "x"}),
        ("  ", {}),
    ],
)
def test_both_spellings_give_the_same_tree(text: str, mapping: dict[str, Any]) -> None:
    assert strict_text(parse(text)) == strict_text(parse(mapping))


def strict_text(node: Node | None) -> str:
    return "" if node is None else render(node)


def test_and_binds_closer_than_or_and_not_closest() -> None:
    assert parse("not a = 1 and b = 2 or c = 3") == parse("((not a = 1) and b = 2) or c = 3")


@pytest.mark.parametrize(
    ("where", "position", "message", "hint"),
    [
        ("year >> 2020", 6, "value is expected", "number"),
        ("lang = zh", 7, "needs quotes", "'zh'"),
        ("lang = 'zh", 7, "never closed", "Close it"),
        ("a = 1 b = 2", 6, "Expected 'and'", "Join"),
        ("(a = 1", 0, "never closed", "Close"),
        ("a = 1)", 5, "never opened", ""),
        ("yeer contans 'x'", 5, "no operator 'contans'", "'contains'"),
        ("size = 'abc'", 7, "'size' is a number", "size >= 10"),
        ("title > 3", 8, "'title' is text", "'3'"),
        ("modified > 'soon'", 11, "not a date", "2024-05-01"),
        ("x = 2024-05-01", 4, "2024-05-01 is not a number", "'2024-05-01'"),
        ("2020 <= year", 0, "A field is expected", "comes first"),
        ("year", 4, "condition is expected", "year exists"),
        ("a = “b”", 4, "means nothing", "'"),
        ("a && b", 2, "means nothing", "and"),
        ("a < true", 4, "no order", "a = true"),
        ("a like 3", 7, "needs text", "like 'text'"),
        ("a like 'x\\'", 7, "lone backslash", "\\"),
        ("a in (null)", 6, "null cannot", "is null"),
        ("a < null", 4, "null cannot", "is null"),
        ("in = 3", 0, "field is expected", '"in"'),
        ("a = 1e999", 4, "not a number", "exists"),
        ('{"year": {"$get": 1}}', 10, "no operator '$get'", "'$gt'"),
        ('{"year": {"$gte": 2}, "year": 3}', 22, "stands twice", "$and"),
        ('{"a" 1}', 5, "not JSON", "year >= 2020"),
        ({"a": {"b": 1}}, 7, "no operator 'b'", "'a.b'"),
        ({"$or": [{"a": 1}, {"size": "x"}]}, 20, "'size' is a number", ""),
        ({"a": [1]}, 1, "cannot be compared", "$in"),
        ({"$or": []}, 1, "needs a list", ""),
        ({"a": {}}, 1, "empty condition", ""),
        ({"$nor": []}, 1, "no '$nor'", "'$or'"),
    ],
)
def test_a_mistake_is_named_pointed_at_and_mended(where: Any, position: int, message: str, hint: str) -> None:
    with pytest.raises(BadFilter) as caught:
        parse(where)
    assert message in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.position == position
    assert caught.value.pointed().splitlines()[1] == " " * position + "^"


def test_a_filter_that_is_neither_text_nor_mapping_is_refused() -> None:
    with pytest.raises(BadFilter, match="not list"):
        parse([("year", 2020)])  # type: ignore[arg-type]


def test_deep_filters_run_up_to_the_limit_and_are_refused_past_it() -> None:
    record = record_with({"a": 1})
    deepest = parse("not (" * 49 + "a = 1" + ")" * 49)
    assert deepest is not None
    assert selected(deepest, record) == 0
    for where in ("(" * 5000 + "a = 1", "not " * 5000 + "a = 1", '{"$not": ' * 5000, self_containing()):
        with pytest.raises(BadFilter):
            parse(where)


def self_containing() -> dict[str, Any]:
    where: dict[str, Any] = {}
    where["$not"] = where
    return where


def test_a_thousand_conditions_and_ten_thousand_values_run() -> None:
    record = record_with({"a": 999})
    many = parse(" or ".join(f"a = {number}" for number in range(1000)))
    listed = parse({"a": {"$in": range(10_000)}})
    assert many is not None
    assert listed is not None
    assert (selected(many, record), selected(listed, record)) == (1, 1)
    with pytest.raises(BadFilter, match="10,000"):
        parse({"a": {"$in": range(10_001)}})


def test_a_missing_field_meets_no_comparison_but_its_negation_does() -> None:
    record = record_with({"there": 1, "null": None})

    def met(text: str) -> bool:
        node = parse(text)
        assert node is not None
        return bool(selected(node, record))

    assert not met("gone = 1 or gone != 1 or gone not in (1) or \"null\" != 1 or lang != 'zh' or page > 0")
    assert met("not (gone = 1) and gone is null and \"null\" is null and not (lang = 'zh') and page is null")
    assert met("there != '1' and there != 2 and not (there = '1')")


def test_dates_are_stretches_of_time() -> None:
    may = period("2024-05")
    assert may == (stamp(2024, 5, 1), stamp(2024, 6, 1))
    assert period("2023") == (stamp(2023, 1, 1), stamp(2024, 1, 1))
    assert period("2023-12") == (stamp(2023, 12, 1), stamp(2024, 1, 1))
    assert period("2024-05-01T10:30+02:00") == (stamp(2024, 5, 1, 8, 30), stamp(2024, 5, 1, 8, 31))
    assert period("2024-05-01 10:30:07Z") == (stamp(2024, 5, 1, 10, 30, 7), stamp(2024, 5, 1, 10, 30, 8))


def stamp(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[arg-type, misc]


def test_fields_are_named_as_a_filter_spells_them() -> None:
    node = parse("lang = 'zh' and (metadata.lang = 'x' or author.name = 'y') and not \"a b\" exists")
    assert node is not None
    assert fields(node) == {"language", "metadata.lang", "author.name", '"a b"'}
    assert [field.text for field in metadata_fields(node)] == ["metadata.lang", "author.name", '"a b"']


def test_an_unknown_field_is_refused_with_the_one_that_was_meant() -> None:
    where = "size > 3 and yaer = 2020"
    node = parse(where)
    assert node is not None
    assert [(field.text, near) for field, near in unknown_fields(node, ["year", "author.name"])] == [("yaer", "year")]
    with pytest.raises(BadFilter) as caught:
        refuse_unknown(where, node, ["year", "author.name"])
    assert str(caught.value) == "No document has a field 'yaer'."
    assert caught.value.hint == "Did you mean 'year'?"
    assert caught.value.pointed() == f"{where}\n             ^"
    refuse_unknown(where, node, ["yaer"])


def test_an_unknown_field_in_a_mapping_is_pointed_at() -> None:
    where = {"size": {"$gt": 3}, "xyz": 1}
    node = parse(where)
    assert node is not None
    with pytest.raises(BadFilter) as caught:
        refuse_unknown(where, node, ["year"])
    assert caught.value.pointed().splitlines() == ['{"size": {"$gt": 3}, "xyz": 1}', " " * 21 + "^"]
    assert "year" in caught.value.hint
