"""OpenDocument spreadsheets: rows as they are shown."""

from __future__ import annotations

import pytest

from ammon.errors import SourceError
from ammon.sources.documents import package
from office_files import Reader, odf, picture, read, under, with_members


def cell(text: str, said: str = "", inner: str = "") -> str:
    return f"<table:table-cell {said}>{inner}{text and f'<text:p>{text}</text:p>'}</table:table-cell>"


def row(*cells: str, said: str = "") -> str:
    return f"<table:table-row {said}>{''.join(cells)}</table:table-row>"


def ods(**sheets: str) -> bytes:
    tables = (f'<table:table table:name="{name}">{rows}</table:table>' for name, rows in sheets.items())
    return odf(f"<office:spreadsheet>{''.join(tables)}</office:spreadsheet>")


EMPTY = row(cell("", 'table:number-columns-repeated="16384"'), said='table:number-rows-repeated="3"')
COSTS = row(cell("item"), cell("share")) + EMPTY + row(cell("rye"), cell("12.5%", 'office:value="0.125"'))


def test_rows_say_what_is_shown_and_know_their_place() -> None:
    document = read("a.ods", ods(First=row(cell("Words")), Costs=COSTS))
    assert "item: rye\nshare: 12.5%" in document.text
    assert document.metadata["sheets"] == ["First", "Costs"]
    (part,) = [part for part in document.parts if document.text[part.start :].startswith("item: rye")]
    assert (part.page, part.heading, part.lines) == (2, ("Costs",), (5, 5))


def test_repeated_cells_and_rows_are_read_as_often_as_they_are() -> None:
    head = row(cell("a"), cell("b"), cell("c"))
    twice = row(cell("", 'table:number-columns-repeated="1"'), cell("x", 'table:number-columns-repeated="2"'))
    said = read(
        "a.ods", ods(One=head + twice.replace("<table:table-row ", '<table:table-row table:number-rows-repeated="2"'))
    )
    assert said.text.endswith("b: x\nc: x\n\nb: x\nc: x")


def test_a_cell_that_spans_rows_is_read_in_each() -> None:
    rows = (
        row(cell("area"), cell("town"))
        + row(cell("North", 'table:number-rows-spanned="2"'), cell("Oslo"))
        + row("<table:covered-table-cell/>", cell("Bergen"))
    )
    assert read("a.ods", ods(One=rows)).text.endswith("area: North\ntown: Oslo\n\narea: North\ntown: Bergen")


def test_comments_boxes_and_pictures_are_on_their_sheet() -> None:
    note = "<office:annotation><text:p>Ask Bo.</text:p></office:annotation>"
    frame = '<draw:frame><draw:image xlink:href="Pictures/a.png" xmlns:xlink="x"/></draw:frame>'
    shapes = (
        "<table:shapes><draw:frame><draw:text-box><text:p>Draft</text:p></draw:text-box></draw:frame></table:shapes>"
    )
    data = ods(First=row(cell("Words")), Second=shapes + row(cell("rye", inner=note + frame)), Third=row(cell("End")))
    document = read("a.ods", with_members(data, {"Pictures/a.png": picture(60, 20)}), Reader())
    for words in ("Comment: Ask Bo.", "Draft", "a picture of 60 by 20"):
        assert under(document, words)[:2] == (2, ("Second",))
    assert "rye\n\nComment: Ask Bo." in document.text


def test_a_sheet_that_comes_in_pieces_is_read_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read("a.ods", ods(First=row(cell("Words")), Costs=COSTS)).text
    monkeypatch.setattr(package, "_BLOCK", 7)
    assert read("a.ods", ods(First=row(cell("Words")), Costs=COSTS)).text == whole


def test_a_row_wider_than_a_sheet_is_refused() -> None:
    wide = row(*[cell("x", 'table:number-columns-repeated="16384"')] * 2)
    with pytest.raises(SourceError) as caught:
        read("a.ods", ods(One=wide))
    assert caught.value.code == "too-large"
