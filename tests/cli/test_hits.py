"""How a hit looks: the right lines, the right words marked, nothing that could steer a terminal."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ammon.cli.hits import SNIPPET_LINES, matches, snippet
from ammon.cli.outcome import POINTED_WIDTH, pointed
from ammon.cli.output import duration, near, plain, size, visible
from ammon.store.local.derived.terms import terms


def marked(text: str, query: str) -> list[str]:
    return [text[start:end] for start, end in matches(text, set(terms(query)))]


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("The runners were running.", "run", ["running"]),
        ("call getUserName() twice", "user", ["getUserName"]),
        ("绿茶和红茶可以来自同一棵茶树", "红茶的制作", ["红茶"]),
        ("泡绿茶的水不要太烫", "绿茶水", ["绿茶"]),
        ("水很烫", "水", ["水"]),
        ("Kaffee in München", "munchen", ["München"]),
        ("nothing here", "else", []),
    ],
)
def test_matched_words_are_marked_as_they_stand(text: str, query: str, expected: list[str]) -> None:
    assert marked(text, query) == expected


@given(st.text(max_size=200), st.text(max_size=20))
def test_marks_are_in_order_and_never_overlap(text: str, query: str) -> None:
    spans = list(matches(text, set(terms(query))))
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_snippet_shows_where_the_words_are() -> None:
    text = "\n".join(f"line {number} of filler" for number in range(50)) + "\nthe needle is here\nafter it"
    shown = snippet(text, {"needl"}, 60)
    assert "needle" in shown.plain
    assert shown.plain.startswith("… ")
    assert shown.plain.count("\n") < SNIPPET_LINES
    assert [shown.plain[span.start : span.end] for span in shown.spans if span.style == "bold yellow"] == ["needle"]


def test_a_snippet_without_matched_words_begins_at_the_beginning() -> None:
    assert snippet("first\n" + "word " * 400, (), 40).plain.startswith("first")


@given(st.text(max_size=400), st.integers(20, 100))
def test_no_line_of_a_snippet_is_wider_than_the_screen(text: str, width: int) -> None:
    shown = snippet(text, ("a",), width)
    assert all(cell_len(line) <= width for line in shown.plain.splitlines())


@given(st.text())
def test_nothing_visible_can_steer_a_terminal(text: str) -> None:
    shown = visible(text)
    assert all(letter.isprintable() or letter in "\n\t" or letter.isspace() for letter in shown)
    assert not {"\x1b", "\r", "\x9b", "\b", "\u2028", "\u202e"} & set(shown)
    assert visible(text, one_line=True).splitlines() in ([visible(text, one_line=True)], [])


@given(st.text(max_size=300), st.data())
def test_a_caret_stands_under_the_letter_it_means(source: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(source)))
    shown, caret = pointed(source, position)
    assert caret.strip() == "^"
    assert cell_len(caret) - 1 <= max(cell_len(shown), POINTED_WIDTH)


def test_numbers_are_written_for_people() -> None:
    assert [size(0), size(1536), size(3 * 2**30), size(2**41)] == ["0 B", "1.5 KiB", "3.0 GiB", "2.0 TiB"]
    assert [duration(0.04), duration(59.7), duration(185), duration(7800)] == [
        "0.0 s",
        "1 min 0 s",
        "3 min 5 s",
        "2 h 10 min",
    ]


def test_paths_are_relative_where_they_lie_here(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert near(f"{tmp_path}/a/b.md:3") == "a/b.md:3"
    assert near("/elsewhere/b.md") == "/elsewhere/b.md"
    assert near(f"{tmp_path}/two\nlines") == "two\\nlines"


def test_json_takes_any_value_ammon_has() -> None:
    import numpy as np

    assert plain({"a": (1, np.float32(0.5)), "b": frozenset({"y", "x"})}) == {"a": [1, 0.5], "b": ["x", "y"]}
