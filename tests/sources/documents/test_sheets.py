"""Workbooks: rows that know their sheet and their row."""

from __future__ import annotations

import io
import zipfile

import pytest

from ammon.errors import SourceError
from ammon.sources.documents import package, sheet_rows
from document_files import relations, xlsx
from office_files import Reader, picture, read, under, with_members

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


NAMES = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def styled(cells: str, formats: str = "", styles: str = "", merged: str = "") -> bytes:
    """A workbook of one sheet with these rows, formats of numbers and styles of cells."""
    sheet = f"<worksheet {NAMES}><sheetData>{cells}</sheetData><mergeCells>{merged}</mergeCells></worksheet>"
    said = f"<styleSheet {NAMES}><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>"
    return with_members(xlsx({"One": [["x"]]}), {"xl/worksheets/sheet1.xml": sheet, "xl/styles.xml": said})


def word(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


def test_numbers_are_read_as_they_are_seen() -> None:
    data = styled(
        f'<row r="1">{word("B1", "share")}{word("C1", "price")}{word("D1", "net")}</row>'
        '<row r="2"><c r="B2" s="1"><v>0.125</v></c><c s="2" r="C2"><v>1234.5</v></c><c r="D2"><v>0.125</v></c></row>',
        '<numFmt numFmtId="164" formatCode="&quot;Rs &quot;#,##0.00"/>',
        '<xf numFmtId="0"/><xf numFmtId="10"/><xf numFmtId="164"/>',
    )
    assert read("a.xlsx", data).text.endswith("share: 12.50%\nprice: Rs 1,234.50\nnet: 0.125")


def test_formats_reach_every_row_of_a_sheet_that_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_BLOCK", 1000)
    rows = "".join(f'<row r="{at}"><c r="A{at}" s="1"><v>0.5</v></c></row>' for at in range(1, 500))
    assert read("a.xlsx", styled(rows, styles='<xf numFmtId="0"/><xf numFmtId="9"/>')).text.count("50%") == 499


def test_errors_and_formulas_without_a_value_are_read_as_such() -> None:
    data = styled(
        f'<row r="1">{word("A1", "a")}{word("B1", "b")}{word("C1", "c")}{word("D1", "d")}</row>'
        '<row r="2"><c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B2"><f>SUM(A1:A3)&amp;"x"</f><v></v></c>'
        '<c r="C2" t="str"><f>IF(1,"")</f><v></v></c><c r="D2"><f>1+1</f><v>2</v></c></row>'
    )
    assert read("a.xlsx", data).text.endswith('a: #DIV/0!\nb: =SUM(A1:A3)&"x"\nd: 2')


def test_a_cell_that_spans_rows_is_read_in_each() -> None:
    rows = "".join(
        f'<row r="{at}">{word(f"A{at}", area) if area else ""}{word(f"B{at}", town)}</row>'
        for at, (area, town) in enumerate([("area", "town"), ("North", "Oslo"), ("", "Bergen"), ("", "Rome")], 1)
    )
    said = read("a.xlsx", styled(rows, merged='<mergeCell ref="A2:A3"/>')).text
    assert said.endswith("area: North\ntown: Oslo\n\narea: North\ntown: Bergen\n\ntown: Rome")


def test_a_head_of_two_rows_gives_names_of_both() -> None:
    upper = word("A1", "item") + word("B1", "2025") + word("D1", "2026")
    lower = "".join(map(word, ("B2", "C2", "D2", "E2"), ("Q1", "Q2", "Q1", "Q2")))
    values = word("A3", "rye") + "".join(f'<c r="{column}3"><v>{column}</v></c>' for column in "BCDE")
    merged = '<mergeCell ref="A1:A2"/><mergeCell ref="B1:C1"/><mergeCell ref="D1:E1"/>'
    rows = f'<row r="1">{upper}</row><row r="2">{lower}</row><row r="3">{values.replace("<v>", "<v>0x")}</row>'
    for number, column in enumerate("BCDE"):
        rows = rows.replace(f"0x{column}", str(number))
    said = read("a.xlsx", styled(rows, merged=merged)).text
    assert said.endswith("item: rye\n2025 Q1: 0\n2025 Q2: 1\n2026 Q1: 2\n2026 Q2: 3")


def test_a_title_that_spans_the_table_is_no_part_of_its_head() -> None:
    rows = f'<row r="1">{word("A1", "Costs")}</row><row r="2">{word("A2", "item")}{word("B2", "price")}</row>'
    rows += f'<row r="3">{word("A3", "rye")}{word("B3", "two")}</row>'
    said = read("a.xlsx", styled(rows, merged='<mergeCell ref="A1:B1"/>')).text
    assert said.endswith("Costs\n\nitem: rye\nprice: two")


def test_hidden_sheets_are_read() -> None:
    with zipfile.ZipFile(io.BytesIO(COSTS)) as archive:
        book = archive.read("xl/workbook.xml").decode().replace('name="Costs"', 'name="Costs" state="hidden"')
    document = read("a.xlsx", with_members(COSTS, {"xl/workbook.xml": book}))
    assert under(document, "item: flour")[0] == 2


def beside(related: dict[str, tuple[str, str]], members: dict[str, str | bytes]) -> bytes:
    """The costs, of which the second sheet has these relations."""
    return with_members(COSTS, {"xl/worksheets/_rels/sheet2.xml.rels": relations(related), **members})


def test_what_stands_beside_the_cells_is_on_their_sheet() -> None:
    comment = '<c><comment ref="B6"><text><r><t>Ask </t></r><r><t>Bo.</t></r></text></comment></c>'
    shapes = (
        "<d><a><from><row>3</row></from><p><r><t>Dra</t></r><r><t>ft</t></r></p></a>"
        '<a><from><row>8</row></from><blip embed="i"/></a><a><chart id="h"/></a></d>'
    )
    data = beside(
        {"c": ("comments", "../comments1.xml"), "d": ("drawing", "../drawings/drawing1.xml")},
        {
            "xl/comments1.xml": comment,
            "xl/drawings/drawing1.xml": shapes,
            "xl/drawings/_rels/drawing1.xml.rels": relations(
                {"i": ("image", "../media/a.png"), "h": ("chart", "../charts/one.xml")}
            ),
            "xl/charts/one.xml": "<c><t>Yield</t></c>",
            "xl/media/a.png": picture(60, 20),
        },
    )
    document = read("a.xlsx", data, Reader())
    said = {"Comment on B6: Ask Bo.": 6, "Draft": 4, "a picture of 60 by 20": 9, "Yield": 1}
    for words, row in said.items():
        (part,) = [part for part in document.parts if document.text[part.start : part.end] == words]
        assert (part.page, part.heading, part.lines) == (2, ("Costs",), (row, row))


def test_the_columns_of_a_table_without_a_head_are_read() -> None:
    columns = '<tableColumn name="item"/><tableColumn name="weight"/>'
    data = beside(
        {"t": ("table", "../tables/one.xml"), "u": ("table", "../tables/two.xml")},
        {
            "xl/tables/one.xml": f'<table displayName="Bare" headerRowCount="0">{columns}</table>',
            "xl/tables/two.xml": f'<table displayName="Headed">{columns}</table>',
        },
    )
    document = read("a.xlsx", data)
    assert under(document, "Bare: item, weight")[0] == 2
    assert "Headed" not in document.text


def test_a_workbook_of_pictures_only_asks_for_recognition() -> None:
    related = {"d": ("drawing", "../drawings/drawing1.xml")}
    members: dict[str, str | bytes] = {
        "xl/worksheets/_rels/sheet1.xml.rels": relations(related),
        "xl/drawings/drawing1.xml": '<d><a><blip embed="i"/></a></d>',
        "xl/drawings/_rels/drawing1.xml.rels": relations({"i": ("image", "../media/a.png")}),
        "xl/media/a.png": picture(60, 20),
    }
    with pytest.raises(SourceError) as caught:
        read("a.xlsx", with_members(xlsx({"One": []}), members))
    assert caught.value.code == "needs-ocr"


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
