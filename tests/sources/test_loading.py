"""Each format becomes text in which the parts know what they are and where they stand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ammon import sources
from ammon.errors import SourceError
from ammon.types import Document, Source

DATA = Path(os.environ.get("AMMON_DATA", Path(__file__).parents[3] / "shared" / "data")) / "documents"


def load(name: str, content: str | bytes, *, as_text: bool = False) -> Document:
    data = content.encode() if isinstance(content, str) else content
    return sources.load(Source(Path("/folder") / name, f"/folder/{name}", len(data), 0), data, as_text=as_text)


def code_of(name: str, content: str | bytes) -> str:
    with pytest.raises(SourceError) as caught:
        load(name, content)
    assert caught.value.code in sources.SKIP_CODES
    return caught.value.code


def part_texts(document: Document) -> list[str]:
    return [document.text[part.start : part.end] for part in document.parts]


VERBATIM = ["a.txt", "a.md", "a.rst", "a.adoc", "a.tex", "a.py", "a.neat", "Makefile"]


@pytest.mark.parametrize("name", VERBATIM)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\r\t#=`-*\\{}~")))
def test_verbatim_formats_keep_the_file_as_it_is_and_parts_cover_it_in_order(name: str, text: str) -> None:
    if not text.strip() or "~{" in text or text.startswith("\ufeff"):
        return
    document = load(name, text)
    assert document.text == text
    assert not document.parts or "".join(part_texts(document)) == text


def test_markdown_has_headings_front_matter_and_no_headings_in_code() -> None:
    document = load(
        "a.md",
        "---\ntitle: Über uns\nyear: 2024\ntags: [a, b]\nauthors:\n  - Ann\n  - Bo\n---\n"
        "# One\ntext\n```\n# code\n```\nTwo\n---\n### Three `x`\n~~~~\n# code\n~~~\n# code\n~~~~\n# [Four](url)\n",
    )
    assert document.title == "Über uns"
    assert document.metadata["year"] == 2024
    assert document.metadata["tags"] == ["a", "b"]
    assert document.metadata["authors"] == ["Ann", "Bo"]
    paths = [part.heading for part in document.parts]
    assert paths == [(), ("One",), ("One", "Two"), ("One", "Two", "Three x"), ("Four",)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.rst", "=====\nGuide\n=====\n\nIntro.\n\nInstall\n-------\n\nRun it.\n"),
        ("a.adoc", "= Guide\n\nIntro.\n\n----\n== no title\n----\n\n== Install\n\nRun it.\n"),
        ("a.tex", "\\title{Guide}\n\\section{Guide}\nIntro. % \\section{no}\n\\subsection{Install}\nRun it.\n"),
        ("a.html", "<title>Guide</title><nav>menu</nav><h1>Guide</h1><p>Intro.<h2>Install</h2><p>Run <b>it</b>."),
    ],
)
def test_markup_has_its_title_and_heading_paths(name: str, text: str) -> None:
    document = load(name, text)
    assert document.title == "Guide"
    assert document.parts[-1].heading == ("Guide", "Install")
    assert "Install" in part_texts(document)[-1]
    assert "menu" not in document.text


def test_html_becomes_readable_text() -> None:
    document = load(
        "a.html",
        "<html lang=de><head><title> A  page </title><meta name=author content='Ann'><style>p{}</style></head><body>"
        "<script>var x</script><h1>Top</h1><p>One <b>bold</b>, <a href=x>link</a>.<br>Next</p>"
        "<ul><li>first<ul><li>inner</ul><li>second</ul><ol><li>a<li>b</ol>"
        "<table><tr><th>k<th>v<tr><td>1<td>2</table><pre>x = 1\n  y</pre></body></html>",
    )
    assert document.text == (
        "# Top\n\nOne bold, link.\nNext\n\n- first\n  - inner\n- second\n\n1. a\n2. b\n\n"
        "| k | v |\n| --- | --- |\n| 1 | 2 |\n\n```\nx = 1\n  y\n```"
    )
    assert document.title == "A page"
    assert document.metadata["author"] == "Ann"


def test_html_in_its_declared_character_set_is_read() -> None:
    page = '<meta charset="gb2312"><p>我们今天讨论人工智能的发展。'
    assert "人工智能" in load("a.html", page.encode("gb18030")).text


def test_html_nested_beyond_measure_is_refused_and_deep_html_is_read() -> None:
    assert code_of("a.html", "<div>" * 5000 + "x") == "malformed"
    assert load("a.html", "<div>" * 700 + "deep").text == "deep"


def test_tables_give_a_row_a_passage_with_its_lines() -> None:
    document = load("a.csv", 'name,note\nAnn,"two\nlines"\n\nBo,"x, y"\n')
    assert part_texts(document) == ["name: Ann\nnote: two\nlines", "name: Bo\nnote: x, y"]
    assert [(part.kind, part.lines) for part in document.parts] == [("row", (2, 3)), ("row", (5, 5))]


def test_a_table_of_too_many_columns_is_text() -> None:
    text = "heron," * 20_000 + "\n"
    assert load("a.csv", text).text == text
    assert len(part_texts(load("a.csv", "heron,coot\n1,2\n"))) == 1


@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ";"), ("a.csv", "\t"), ("a.csv", "|"), ("a.tsv", "\t")])
def test_the_delimiter_is_found(name: str, delimiter: str) -> None:
    table = "\n".join(
        delimiter.join(row) for row in (["city", "people, about"], ["Ulm", "126,000"], ["Bonn", "330,000"])
    )
    assert "city: Bonn\npeople, about: 330,000" in part_texts(load(name, table))


def test_a_table_without_a_header_numbers_its_columns() -> None:
    assert part_texts(load("a.csv", "1,2\n3,4\n"))[0] == "column 1: 1\ncolumn 2: 2"


def test_json_lines_are_rows_and_a_broken_line_is_kept() -> None:
    document = load("a.jsonl", '{"_id": 1, "title": "T", "text": "Body."}\n\nbroken\n{"a": {"b": [1, 2]}}\n')
    assert part_texts(document) == ["T\n\nBody.\n\n_id: 1", "broken", "a.b: 1, 2"]
    assert [part.lines for part in document.parts] == [(1, 1), (3, 3), (4, 4)]
    assert document.metadata["malformed_rows"] == 1
    assert code_of("a.jsonl", "not\njson\n") == "malformed"


def test_json_is_flattened_and_records_are_rows() -> None:
    assert load("a.json", '{"a": {"b": [1, 2], "c": true}, "d": null}').text == "a.b: 1, 2\na.c: true"
    document = load("a.json", '{"name": "Set", "items": [{"x": 1}, {"x": 2}]}')
    assert part_texts(document) == ["name: Set", "x: 1", "x: 2"]
    assert document.title == "Set"
    assert load("a.json", '{"a": 1, // comment\n}').metadata["malformed"]
    assert code_of("a.json", "[" * 100_000) == "malformed"
    load("a.json", '["\\ud800 lone"]').text.encode()


def test_notebooks_are_cells_in_order_with_their_languages() -> None:
    notebook = {
        "metadata": {"language_info": {"name": "python"}},
        "cells": [
            {"cell_type": "markdown", "source": ["# Study\n", "words"]},
            {"cell_type": "code", "source": "print(1)", "outputs": [{"text": ["one\n"]}]},
            {"cell_type": "markdown", "source": "## Part\nmore"},
        ],
    }
    document = load("a.ipynb", json.dumps(notebook))
    assert part_texts(document) == ["# Study\nwords", "print(1)", "one\n", "## Part\nmore"]
    assert [part.kind for part in document.parts] == ["markdown", "code", "prose", "markdown"]
    assert [part.heading for part in document.parts] == [("Study",)] * 3 + [("Study", "Part")]
    assert document.parts[1].grammar == "python"
    assert code_of("a.ipynb", "{}") == "malformed"


def test_xml_is_its_text_in_order_and_no_entity_is_expanded() -> None:
    assert load("a.xml", "<r><t>One <b>two</b> three</t><u k='v'/></r>").text.split() == [
        "One",
        "two",
        "three",
        "k:",
        "v",
    ]
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaaaaaa"><!ENTITY f SYSTEM "file:///etc/hostname">]><r>x&a;&f;y</r>'
    assert load("a.xml", bomb).text.split() == ["x"] or "aaaa" not in load("a.xml", bomb).text
    feed = load("a.rss", "<rss><channel><title>F</title><item><title>T</title>"
                "<description>&lt;p&gt;Hi &lt;b&gt;you</description></item></channel></rss>")  # fmt: skip
    assert part_texts(feed) == ["F", "T\nHi you"]
    assert code_of("a.xml", "no xml at all") == "malformed"


def test_at_least_fifteen_languages_have_a_grammar() -> None:
    grammars = {kind.grammar for kind in sources.KINDS.values() if kind.loader == "code" and kind.grammar}
    assert len(grammars) >= 15
    assert load("a.rs", "fn main() {}\n").parts[0].grammar == "rust"


@pytest.mark.parametrize(("data", "name"), [(b"fLaC\0\0", "FLAC recording"), (b"GGUF\3\0", "GGUF model")])
def test_binary_formats_are_refused_by_name_under_any_extension(data: bytes, name: str) -> None:
    for file in ("a.txt", "a.bin"):
        with pytest.raises(SourceError, match=f"{name}s are not read yet") as caught:
            load(file, data)
        assert caught.value.code == "binary"


@pytest.mark.parametrize("data", [b"%PDF-1.4\n", b"PK\x03\x04word/", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"])
def test_no_parser_of_documents_runs_outside_the_sandbox(data: bytes) -> None:
    with pytest.raises(SourceError, match="sandbox only"):
        load("a.txt", data)


def test_empty_files_and_unsure_ones_of_unknown_kind_have_their_codes() -> None:
    assert code_of("a.txt", b"") == "empty"
    assert code_of("a.md", b" \n\t") == "empty"
    assert code_of("a.html", "<script>x</script>") == "empty"
    french = ("La forêt était très belle et les gens de la ville sont allés à pied dans les bois cet été. ").encode(
        "cp1252"
    )
    assert code_of("a.strange", french) == "unsupported"
    assert "forêt" in load("a.strange", french, as_text=True).text
    assert "forêt" in load("a.txt", french).text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "我们今天讨论人工智能的发展，它改变了人们的生活。"),
        ("ja", "今日は人工知能の発展について話します。技術は進歩を遂げました。"),
        ("ko", "오늘 우리는 인공지능의 발전에 대해 이야기합니다."),
        ("en", "Today we talk about the history of the city and the people who have lived in it."),
        ("de", "Heute sprechen wir über die Entwicklung der Stadt und die Menschen, die dort nicht mehr leben."),
        ("fr", "Aujourd'hui nous parlons de la ville et des gens qui sont dans les rues avec une histoire."),
        ("es", "Hoy hablamos de la ciudad y de los que viven en ella con una historia que no es la suya."),
        ("ru", "Сегодня мы говорим о городе и о людях, которые не живут в нём, но помнят его."),
        ("", "x = f(1, 2); y <- z[3]"),
    ],
)
def test_the_language_of_a_paragraph_is_told(language: str, text: str) -> None:
    assert load("a.txt", text).language == language


TEXT_FILES = [".html", ".csv", ".json", ".ipynb", ".xml", ".tsv", ".md", ".tex", ".txt", ".yaml"]


@pytest.mark.skipif(not DATA.exists(), reason="needs the development data, AMMON_DATA/documents")
def test_real_files_are_read_and_their_parts_lie_in_order() -> None:
    read = 0
    for source in sources.walk(DATA):
        if not isinstance(source, Source) or source.path.suffix not in TEXT_FILES or not source.size:
            continue
        document = sources.load(source, sources.read(source))
        read += 1
        assert document.text.strip()
        ends = [0, *(part.end for part in document.parts)]
        assert all(end <= part.start < part.end for end, part in zip(ends, document.parts, strict=False))
        assert ends[-1] <= len(document.text)
    assert read >= 25
