"""Text made to cost time or memory is refused with a code or read in time that grows with its size."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TypeAlias

import pytest

from ammon.errors import SourceError
from ammon.sources import html, json_tree, notebook, xml
from ammon.sources.kinds import Kind, kind_of
from ammon.sources.loaded import Loaded

Load: TypeAlias = Callable[[str, Kind], Loaded]
MANY = 20_000
DEEP_HTML = ["<div>", "<div/>", "<ul><li>", "<b><p>", "<table><tr><td>", "<svg><g>"]
ENTITIES = '<!DOCTYPE r [<!ENTITY a "{0}">{1}]><r>before &a{2}; after</r>'


@pytest.mark.parametrize("tag", DEEP_HTML)
def test_html_nested_beyond_measure_is_refused(tag: str) -> None:
    with pytest.raises(SourceError) as caught:
        html.load("<html><body>" + tag * MANY + "x", kind_of("a.html"))
    assert caught.value.code == "malformed"


def test_a_drawing_of_many_empty_elements_is_not_nested() -> None:
    page = "<p>text</p><svg>" + '<path d="M0 0"/>' * MANY + "</svg>"
    assert html.load(page, kind_of("a.html")).whole() == "text"


@pytest.mark.parametrize(("load", "name"), [(html.load, "a.html"), (xml.load, "a.xml")])
def test_an_element_with_attributes_beyond_measure_is_refused(load: Load, name: str) -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(MANY))
    with pytest.raises(SourceError) as caught:
        load(f"<p {attributes}>x</p>", kind_of(name))
    assert caught.value.code == "malformed"


def test_entities_are_never_resolved() -> None:
    inner = "".join(f'<!ENTITY a{n} "{f"&a{n - 1 or str()};" * 10}">' for n in range(1, 12))
    for text in (ENTITIES.format("lol", inner, 11), ENTITIES.format('" SYSTEM "file:///etc/hostname', "", "")):
        started = time.process_time()
        try:
            whole = xml.load(text, kind_of("a.xml")).whole()
        except SourceError as error:
            assert error.code == "malformed"
        else:
            assert "lol" not in whole
            assert len(whole) < 100
        assert time.process_time() - started < 1


def test_entries_within_entries_of_a_feed_are_written_once() -> None:
    feed = "<rss>" + "<item>" * 100 + "word " * 1000 + "</item>" * 100 + "</rss>"
    assert len(xml.load(feed, kind_of("a.rss")).whole()) < 2 * len(feed)


@pytest.mark.parametrize("load", [json_tree.load, notebook.load])
def test_json_nested_beyond_measure_is_refused(load: Load) -> None:
    with pytest.raises(SourceError) as caught:
        load("[" * 1_000_000, kind_of("a.json"))
    assert caught.value.code == "malformed"


def test_long_paths_of_json_do_not_multiply_it() -> None:
    depth, values = 500, list(range(10_000))
    text = f'{{"{"k" * 50}":' * depth + json.dumps(values) + "}" * depth
    whole = json_tree.load(text, kind_of("a.json")).whole()
    lines = whole.splitlines()
    assert len(lines) == len(values)
    assert max(map(len, lines)) < json_tree.LONGEST_PATH + 20
    assert lines[-1].endswith("[10000]: 9999")
