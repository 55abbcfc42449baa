"""Word: what is read, where it stands, and what is left out."""

from __future__ import annotations

import pytest

from ammon.errors import SourceError
from document_files import docx, paragraph, relations, word_table
from office_files import Reader, picture, read, under, with_members

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
BREAK = "<w:lastRenderedPageBreak/>"


def part(name: str, inner: str) -> str:
    return f'<w:{name} xmlns:w="{WORD}">{inner}</w:{name}>'


def styled(style: str, text: str) -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>'


def run(inner: str) -> str:
    return f"<w:p><w:r>{inner}</w:r></w:p>"


def item(text: str, number: int, level: int = 0) -> str:
    place = f'<w:ilvl w:val="{level}"/><w:numId w:val="{number}"/>'
    return f"<w:p><w:pPr><w:numPr>{place}</w:numPr></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_a_heading_is_known_by_the_style_its_own_is_based_on() -> None:
    styles = part(
        "styles",
        '<w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>'
        '<w:style w:styleId="Mine"><w:name w:val="Kapitel"/><w:basedOn w:val="berschrift2"/></w:style>'
        '<w:style w:styleId="Round"><w:basedOn w:val="Round"/></w:style>',
    )
    body = paragraph("Farm", 1) + styled("Mine", "Bees") + styled("Round", "They dance.")
    data = docx(body, parts={"word/styles.xml": styles}, related=relations({"s": ("styles", "styles.xml")}))
    document = read("a.docx", data)
    assert document.text == "# Farm\n\n## Bees\n\nThey dance."
    assert under(document, "They dance") == (None, ("Farm", "Bees"), "markdown")


def test_lists_are_numbered_as_their_readers_see_them() -> None:
    levels = '<w:lvl w:ilvl="0"><w:numFmt w:val="{}"/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/></w:lvl>'
    numbering = part(
        "numbering",
        "".join(
            f'<w:abstractNum w:abstractNumId="{n}">{levels.format(form)}</w:abstractNum>'
            f'<w:num w:numId="{n}"><w:abstractNumId w:val="{n}"/></w:num>'
            for n, form in ((1, "decimal"), (2, "bullet"))
        ),
    )
    body = item("mix", 1) + item("sieve", 1, 1) + item("bake", 1) + item("cool", 1, 1) + item("salt", 2)
    data = docx(body, parts={"word/numbering.xml": numbering}, related=relations({"n": ("numbering", "numbering.xml")}))
    assert read("a.docx", data).text.split("\n\n") == ["1. mix", "  1. sieve", "2. bake", "  1. cool", "- salt"]


def test_a_list_that_claims_to_be_endlessly_deep_is_indented_a_little() -> None:
    assert len(read("a.docx", docx(item("deep", 1, 999_999_999))).text) < 40


def test_what_was_deleted_is_gone_and_what_was_inserted_stands() -> None:
    changed = (
        "<w:p><w:r><w:t>Water </w:t></w:r><w:del><w:r><w:delText>boils</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>freezes</w:t></w:r></w:ins><w:moveFrom><w:r><w:t> there</w:t></w:r></w:moveFrom>"
        '<w:r><w:instrText> HYPERLINK "http://x.example" </w:instrText></w:r>'
        "<w:hyperlink><w:r><w:t> here</w:t></w:r></w:hyperlink></w:p>"
    )
    assert read("a.docx", docx(changed)).text == "Water freezes here"


def test_merged_cells_keep_their_columns_and_inner_tables_their_words() -> None:
    wide = f'<w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{paragraph("both")}</w:tc>'
    inner = f"<w:tc>{word_table([['deep', 'er']])}{paragraph('')}</w:tc>"
    below = f"<w:tc><w:tcPr><w:vMerge/></w:tcPr>{paragraph('unseen')}</w:tc><w:tc>{paragraph('a|b')}</w:tc>"
    body = f"<w:tbl><w:tr>{wide}{inner}</w:tr><w:tr>{below}</w:tr></w:tbl>"
    assert read("a.docx", docx(body)).text.splitlines() == [
        "| both |  | deep er |",
        "| --- | --- | --- |",
        "|  | a\\|b |  |",
    ]


def test_a_table_of_one_column_is_a_frame_around_its_paragraphs() -> None:
    body = word_table([["First."], ["Second."]])
    assert read("a.docx", docx(body)).text == "First.\n\nSecond."


def test_notes_comments_boxes_and_charts_are_read() -> None:
    box = "<w:pict><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent></w:pict>"
    twice = f"<mc:AlternateContent xmlns:mc='m'><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
    drawing = "http://schemas.openxmlformats.org/drawingml/2006"
    chart = f'<c:chart xmlns:c="{drawing}/chart" xmlns:a="{drawing}/main"><a:t>Yield</a:t><c:v>Wheat</c:v></c:chart>'
    members = {
        "word/footnotes.xml": part("footnotes", f'<w:footnote w:id="2">{paragraph("Below.")}</w:footnote>'),
        "word/comments.xml": part("comments", f'<w:comment w:id="1" w:author="Bo">{paragraph("Really?")}</w:comment>'),
        "word/charts/chart1.xml": chart,
    }
    related = relations(
        {
            "f": ("footnotes", "footnotes.xml"),
            "c": ("comments", "comments.xml"),
            "d": ("chart", "charts/chart1.xml"),
        }
    )
    data = docx(run(f"<w:t>Above.</w:t>{twice}</mc:AlternateContent>"), parts=members, related=related)
    said = read("a.docx", data).text.split("\n\n")
    assert said == ["Above.", "In a box.", "[2] Below.", "Comment by Bo: Really?", "Yield Wheat"]


def test_headers_and_footers_stand_in_the_margin_once() -> None:
    head, foot = (part(name, paragraph(text)) for name, text in (("hdr", "ACME"), ("ftr", "Confidential")))
    members = {"word/h1.xml": head, "word/h2.xml": head, "word/f.xml": foot}
    related = relations({"a": ("header", "h1.xml"), "b": ("header", "h2.xml"), "c": ("footer", "f.xml")})
    document = read("a.docx", docx(paragraph("Text."), parts=members, related=related))
    assert document.text == "ACME\n\nText.\n\nConfidential"
    assert [part.kind for part in document.parts] == ["margin", "markdown", "margin"]


def test_pages_turn_where_word_ended_them() -> None:
    turned = f"<w:p><w:r>{BREAK}<w:t>Third page.</w:t></w:r></w:p>"
    table = (
        f"<w:tbl><w:tr><w:tc>{paragraph('left')}</w:tc><w:tc>{run(f'{BREAK}<w:t>right</w:t>')}</w:tc></w:tr></w:tbl>"
    )
    body = (
        paragraph("First page.")
        + run(f"<w:t>Still first,</w:t>{BREAK}<w:t> then second.</w:t>")
        + paragraph("Second page.")
        + turned
        + table
        + paragraph("Fourth page.")
    )
    document = read("a.docx", docx(body))
    found = {words: under(document, words)[0] for words in ("Still", "Second page", "Third", "left", "Fourth")}
    assert found == {"Still": 1, "Second page": 2, "Third": 3, "left": 3, "Fourth": 4}


def test_without_word_s_page_ends_no_page_is_claimed() -> None:
    assert under(read("a.docx", docx(paragraph("Somewhere."))), "Somewhere")[0] is None


def test_an_equation_keeps_its_terms_apart() -> None:
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    fraction = "<m:f><m:num><m:r><m:t>7</m:t></m:r></m:num><m:den><m:r><m:t>8</m:t></m:r></m:den></m:f>"
    assert read("a.docx", docx(f'<w:p xmlns:m="{math}"><m:oMath>{fraction}</m:oMath></w:p>')).text.split() == ["7", "8"]


def pictured(text: str, described: str = "") -> bytes:
    drawing = f'<w:drawing><x:docPr xmlns:x="x" descr="{described}"/><a:blip xmlns:a="a" r:embed="p"/></w:drawing>' + (
        f"<w:t>{text}</w:t>" if text else ""
    )
    data = docx(run(drawing) + run(drawing), related=relations({"p": ("image", "media/one.png")}))
    return with_members(data, {"word/media/one.png": picture()})


def test_a_picture_says_its_text_once_and_its_description() -> None:
    document = read("a.docx", pictured("Seen.", "A heron"), Reader())
    assert document.text.split("\n\n") == ["[A heron]Seen.", "a picture of 40 by 30", "[A heron]Seen."]


def test_a_description_that_is_a_file_s_name_is_left_out() -> None:
    assert read("a.docx", pictured("Seen.", "heron-2.png")).text == "Seen.\n\nSeen."


def test_a_document_of_pictures_alone_asks_for_recognition() -> None:
    with pytest.raises(SourceError) as caught:
        read("a.docx", pictured(""))
    assert caught.value.code == "needs-ocr"
    assert "ammon[ocr]" in (caught.value.hint or "")


def test_entities_are_not_opened() -> None:
    xml = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>{part("document", part("body", run("<w:t>a&e;b</w:t>")))}'
    assert read("a.docx", with_members(docx(""), {"word/document.xml": xml})).text in ("a", "ab")
