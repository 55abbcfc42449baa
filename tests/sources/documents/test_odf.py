"""OpenDocument texts and presentations."""

from __future__ import annotations

import pytest

from ammon.errors import SourceError
from office_files import Reader, odf, picture, read, under, with_members


def text(inner: str) -> bytes:
    return odf(f"<office:text>{inner}</office:text>")


def test_headings_lists_and_properties_are_read() -> None:
    document = read(
        "a.odt",
        text(
            '<text:h text:outline-level="2">Rye</text:h><text:p>Sow<text:s text:c="2"/>in<text:tab/>autumn.</text:p>'
            "<text:list><text:list-item><text:p>reap</text:p><text:list><text:list-item><text:p>dry</text:p>"
            "</text:list-item></text:list></text:list-item></text:list>"
        ),
    )
    assert document.text == "## Rye\n\nSow  in\tautumn.\n\n- reap\n\n  - dry"
    assert under(document, "Sow")[1] == ("Rye",)
    assert (document.title, document.language, document.metadata["author"]) == ("Harvest", "de", "Ada")


def test_notes_comments_boxes_and_descriptions_follow_their_paragraph() -> None:
    note = (
        "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Below.</text:p></text:note-body>"
        "</text:note>"
    )
    comment = "<office:annotation><text:p>Really?</text:p></office:annotation>"
    box = "<draw:frame><draw:text-box><text:p>Boxed.</text:p></draw:text-box><svg:desc>A heron</svg:desc></draw:frame>"
    document = read("a.odt", text(f"<text:p>Said{note}.{comment}{box}</text:p>"))
    assert document.text.split("\n\n") == ["Said[1].[A heron]", "[1] Below.", "Comment: Really?", "Boxed."]


def test_what_was_deleted_is_gone() -> None:
    gone = (
        "<text:tracked-changes><text:changed-region><text:p>Old.</text:p></text:changed-region></text:tracked-changes>"
    )
    assert read("a.odt", text(f"{gone}<text:p>New.</text:p>")).text == "New."


def test_repeated_cells_are_bounded() -> None:
    cell = '<table:table-cell table:number-columns-repeated="{}"><text:p>x</text:p></table:table-cell>'
    row = f"<table:table-row>{cell.format(999_999_999)}</table:table-row>"
    assert 0 < len(read("a.odt", text(f"<table:table>{row}</table:table>")).text) < 1_000


def test_slides_have_their_numbers_titles_and_notes() -> None:
    frame = '<draw:frame presentation:class="{}"><draw:text-box><text:p>{}</text:p></draw:text-box></draw:frame>'
    notes = "<presentation:notes><draw:frame><draw:text-box><text:p>Breathe.</text:p></draw:text-box></draw:frame></presentation:notes>"
    pages = (
        f"<draw:page>{frame.format('title', 'One')}{frame.format('outline', 'Flour.')}</draw:page>"
        f"<draw:page>{frame.format('outline', 'Bread.')}{frame.format('title', 'Two')}{notes}</draw:page>"
    )
    document = read("a.odp", odf(f"<office:presentation>{pages}</office:presentation>"))
    assert document.text == "# One\n\nFlour.\n\n# Two\n\nBread.\n\nNotes: Breathe."
    assert under(document, "Bread") == (2, ("Two",), "markdown")
    assert under(document, "Breathe")[0] == 2


def test_charts_are_read() -> None:
    chart = '<chart xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><text:p>Yield</text:p></chart>'
    data = odf("<office:text><text:p>See:</text:p></office:text>", {"Object 1/content.xml": chart})
    assert read("a.odt", data).text == "See:\n\nYield"


def test_an_encrypted_one_says_so() -> None:
    manifest = "<manifest><file-entry><encryption-data/></file-entry></manifest>"
    with pytest.raises(SourceError) as caught:
        read("a.odt", odf("<office:text/>", {"META-INF/manifest.xml": manifest}))
    assert caught.value.code == "encrypted"


def slides(*frames: str) -> bytes:
    """A presentation of a slide for each of these."""
    pages = (f"<draw:page><draw:frame>{frame}</draw:frame></draw:page>" for frame in frames)
    return odf(f"<office:presentation>{''.join(pages)}</office:presentation>")


def test_pictures_and_charts_are_on_their_slide() -> None:
    link = 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href'
    data = slides(
        "<draw:text-box><text:p>Words.</text:p></draw:text-box>",
        f'<draw:image {link}="Pictures/a.png"/>',
        f'<draw:object {link}="./Object 1"/><draw:image {link}="./ObjectReplacements/Object 1"/>',
        "<draw:text-box><text:p>End.</text:p></draw:text-box>",
    )
    chart = "<office:body xmlns:office='o'><office:chart><p>Yield of rye</p></office:chart></office:body>"
    data = with_members(data, {"Pictures/a.png": picture(60, 20), "Object 1/content.xml": chart})
    document = read("a.odp", data, Reader())
    assert [under(document, words)[0] for words in ("Words.", "60 by 20", "Yield of rye", "End.")] == [1, 2, 3, 4]
    assert document.text.count("Yield") == 1


def test_a_picture_in_a_paragraph_is_read_behind_it() -> None:
    inner = '<draw:frame><draw:image xmlns:xlink="x" xlink:href="Pictures/a.png"/></draw:frame>'
    data = text(f"<text:p>Before.{inner}</text:p><text:p>After.</text:p>")
    said = read("a.odt", with_members(data, {"Pictures/a.png": picture(60, 20)}), Reader()).text
    assert said == "Before.\n\na picture of 60 by 20\n\nAfter."


def test_slides_of_pictures_only_ask_for_recognition() -> None:
    data = slides('<draw:image xmlns:xlink="x" xlink:href="Pictures/a.png"/>')
    with pytest.raises(SourceError) as caught:
        read("a.odp", with_members(data, {"Pictures/a.png": picture(60, 20)}))
    assert caught.value.code == "needs-ocr"
