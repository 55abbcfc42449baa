"""Workbooks: rows that know their sheet and their row."""

from __future__ import annotations

import pytest

from ammon.errors import SourceError
from ammon.sources.documents import sheet_rows
from document_files import xlsx
from office_files import read, under, with_members

COSTS = xlsx(
    {
        "Summary": [["Only words here"]],
        "Costs": [["Costs of 2026"], [], ["item", "price"], ["oven", 2400.0], [], ["flour", 31.5]],
    }
)


def test_each_row_names_its_columns_and_knows_its_place() -> None:
    document = read("a.xlsx", COSTS)
    assert "item: flour\nprice: 31.5" in document.text
    assert "item: oven\nprice: 2400\n" in document.text
    (part,) = [part for part in document.parts if document.text[part.start : part.end].startswith("item: flour")]
    assert (part.page, part.heading, part.lines, part.kind) == (2, ("Costs",), (6, 6), "row")


def test_what_stands_above_the_names_of_columns_is_text() -> None:
    document = read("a.xlsx", COSTS)
    assert under(document, "Costs of 2026") == (2, ("Costs",), "row")
    assert under(document, "Only words here") == (1, ("Summary",), "row")


def test_dates_are_read_as_dates() -> None:
    data = xlsx({"Days": [["what", "when"], ["sowing", 46083]]})
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    styles = f'<styleSheet {names}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    sheet = (
        f'<worksheet {names}><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>what</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>when</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>sowing</t></is>'
        '</c><c r="B2" s="1"><v>46083</v></c></row></sheetData></worksheet>'
    )
    data = with_members(data, {"xl/styles.xml": styles, "xl/worksheets/sheet1.xml": sheet})
    assert "what: sowing\nwhen: 2026-03-02" in read("a.xlsx", data).text


def far(first: str = "A2") -> bytes:
    names = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ends = "".join(
        f'<row r="{place.lstrip("AXFD")}"><c r="{place}"><v>1</v></c></row>' for place in (first, "XFD1048576")
    )
    return f"<worksheet {names}><sheetData>{ends}</sheetData></worksheet>".encode()


def test_a_sheet_of_seventeen_billion_cells_costs_itself_only() -> None:
    document = read("a.xlsx", with_members(COSTS, {"xl/worksheets/sheet1.xml": far()}))
    assert [remark.code for remark in document.remarks] == ["too-large"]
    assert "17,179,852,800" in document.remarks[0].text
    assert "item: flour" in document.text


def test_a_workbook_of_nothing_else_is_refused_with_what_to_do() -> None:
    with pytest.raises(SourceError) as caught:
        read("a.xlsx", with_members(xlsx({"Far": [["a"]]}), {"xl/worksheets/sheet1.xml": far()}))
    assert caught.value.code == "too-large"
    assert "Delete the empty rows" in (caught.value.hint or "")


def test_a_far_cell_without_anything_in_it_does_no_harm() -> None:
    whole = far()
    empty = whole.replace(b'"XFD1048576"><v>1</v></c>', b'"XFD1048576" s="1"/>')
    assert empty != whole
    document = read("a.xlsx", with_members(COSTS, {"xl/worksheets/sheet1.xml": empty}))
    assert document.remarks == ()


def test_more_text_than_may_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_rows, "MOST_CHARACTERS", 20)
    with pytest.raises(SourceError) as caught:
        read("a.xlsx", COSTS)
    assert caught.value.code == "too-large"


def test_comments_and_text_boxes_are_read() -> None:
    members = {
        "xl/comments1.xml": "<comments><comment><text><r><t>Ask Bo.</t></r></text></comment></comments>",
        "xl/drawings/drawing1.xml": "<d><sp><t>Draft</t></sp></d>",
    }
    said = read("a.xlsx", with_members(COSTS, members)).text
    assert "Ask Bo." in said
    assert "Draft" in said


def test_properties_are_metadata() -> None:
    document = read("a.xlsx", COSTS)
    assert document.metadata["author"] == "Ada Lovelace"
    assert document.metadata["sheets"] == ["Summary", "Costs"]
