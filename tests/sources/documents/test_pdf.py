"""PDF: what is read, in which order, where it stands, and what is told of what cannot be read."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence

import pypdfium2
import pytest

from ammon.errors import SourceError
from ammon.sources.reading import Account, Reading
from ammon.types import Box, Document
from document_files import assembled, pdf
from office_files import Reader, read, under

WORDS = (
    "harbour quiet before storm keeper lighthouse evening boat lamps morning letter window garden station ticket "
    "bridge winter paper number question answer village market doctor engine record measure history language river"
).split()

HELVETICA = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
BOLD = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>"


def stream(content: str) -> str:
    return f"<< /Length {len(content)} >>\nstream\n{content}\nendstream"


def drawn(
    content: str,
    page: str = "",
    others: Sequence[str] = (),
    box: str = "0 0 595 842",
    trailer: str = "",
    catalog: str = "",
) -> bytes:
    """A page with this content. Its fonts are F1, plain, and F2, bold; ``others`` are objects from number 7 on."""
    fonts = "/Resources << /Font << /F1 4 0 R /F2 5 0 R >> >>"
    whole = (
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 6 0 R {fonts} {page} >>",
    )
    return assembled([*whole, HELVETICA, BOLD, stream(content), *others], trailer)


def shown(left: float, bottom: float, text: str, size: float = 10, font: str = "F1") -> str:
    return f"BT /{font} {size} Tf {left} {bottom} Td ({text}) Tj ET\n"


def rows(cells: Sequence[Sequence[str]], lefts: Sequence[float], top: float = 700) -> str:
    """Rows of cells that begin at the same places; empty ones are not drawn."""
    return "".join(
        shown(left, top - 16 * number, cell)
        for number, row in enumerate(cells)
        for left, cell in zip(lefts, row, strict=True)
        if cell
    )


def prose(seed: int, lines: int, length: int = 45) -> list[str]:
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(WORDS, k=12))[:length].rstrip() for _ in range(lines)]


def box_of(document: Document, words: str) -> Box:
    at = document.text.index(words)
    return next(box for box in document.boxes if box.start <= at < box.end)


def positions(text: str, lines: Sequence[str]) -> list[int]:
    return [text.index(line) for line in lines]


def test_each_line_has_its_page_and_its_box_as_shown() -> None:
    document = read("a.pdf", pdf([[(72, 700, 12, "First of all.")], [(72, 700, 12, "Second to none.")]]))
    box = box_of(document, "Second")
    assert (box.page, document.text[box.start : box.end]) == (2, "Second to none.")
    assert [round(edge) for edge in (box.left, box.bottom)] == [73, 842 - 700]
    assert 842 - 700 - 12 < box.top < 842 - 700 - 6
    assert under(document, "Second")[0] == 2


@pytest.mark.parametrize(
    ("turn", "near"), [(90, (700, 72)), (180, (595 - 72, 700)), (270, (842 - 700, 595 - 72))], ids=str
)
def test_boxes_of_turned_pages_are_as_shown(turn: int, near: tuple[float, float]) -> None:
    box = box_of(read("a.pdf", pdf([[(72, 700, 12, "I")]], rotate=turn)), "I")
    assert abs((box.left + box.right) / 2 - near[0]) < 8
    assert abs((box.top + box.bottom) / 2 - near[1]) < 8


def test_a_word_divided_at_the_end_of_a_line_is_put_together() -> None:
    lines = ["The keeper of the lighthou-", "se is a well-", "known man, well-known indeed."]
    document = read("a.pdf", pdf([[(72, 700 - 14 * at, 12, line) for at, line in enumerate(lines)]]))
    assert document.text.split() == "The keeper of the lighthouse is a well-known man, well-known indeed.".split()
    assert [document.text[box.start : box.end] for box in document.boxes][1:] == [
        "is a well-known",
        "man, well-known indeed.",
    ]


def test_a_division_before_a_capital_is_told_by_the_word_elsewhere() -> None:
    lines = ["OpenOffice is what the Open-", "Office people made with Hewlett-", "Packard."]
    text = read("a.pdf", pdf([[(72, 700 - 14 * at, 12, line) for at, line in enumerate(lines)]])).text
    assert text.split() == "OpenOffice is what the OpenOffice people made with Hewlett-Packard.".split()


@pytest.mark.parametrize("count", [4, 8])
def test_running_heads_and_page_numbers_are_margins(count: int) -> None:
    pages = [
        [(72, 810, 9, "Annual report of the harbour"), (290, 30, 9, str(number)), (72, 600, 10, f"Text {number} here.")]
        for number in range(1, count + 1)
    ]
    document = read("a.pdf", pdf(pages))
    kinds = {document.text[part.start : part.end].strip(): part.kind for part in document.parts}
    assert kinds["Annual report of the harbour"] == kinds["4"] == "margin"
    assert under(document, "Text 3 here.") == (3, (), "prose")


def test_headings_are_told_by_size_and_weight() -> None:
    body = [shown(72, 640 - 12 * at, line) for at, line in enumerate(prose(1, 6))]
    more = [shown(72, 500 - 12 * at, line) for at, line in enumerate(prose(2, 6))]
    content = shown(72, 700, "Harbours", 20) + "".join(body) + shown(72, 540, "Boats", 10, "F2") + "".join(more)
    document = read("a.pdf", drawn(content))
    assert document.title == "Harbours"
    assert "# Harbours\n" in document.text
    assert under(document, prose(2, 6)[3])[1] == ("Harbours", "Boats")


def test_headings_that_the_outline_lists_are_headings_whatever_their_type() -> None:
    first, second = prose(1, 6), prose(2, 6)
    lines = [first[0], "1.2 Boats", *first[1:], "Rowing", *second]
    content = "".join(shown(72, 700 - 12 * at, line) for at, line in enumerate(lines))
    outline = "<< /Type /Outlines /First 8 0 R /Last 8 0 R /Count 1 >>"
    boats = "<< /Title (Boats) /Parent 7 0 R /Dest [3 0 R /Fit] /First 9 0 R /Last 9 0 R /Count 1 >>"
    rowing = "<< /Title (ROWING) /Parent 8 0 R /Dest [3 0 R /Fit] >>"
    document = read("a.pdf", drawn(content, others=[outline, boats, rowing], catalog="/Outlines 7 0 R"))
    assert under(document, first[0])[1] == ()
    assert under(document, first[3])[1] == ("1.2 Boats",)
    assert under(document, second[3])[1][-1] == "Rowing"


def test_a_line_that_begins_in_bold_is_no_heading() -> None:
    body = "".join(shown(72, 600 - 12 * at, line) for at, line in enumerate(prose(1, 9)))
    mixed_line = "BT /F2 10 Tf 72 700 Td (Proof) Tj /F1 10 Tf ( by looking at it) Tj ET\n"
    assert "#" not in read("a.pdf", drawn(mixed_line + body)).text


def test_what_is_printed_up_the_side_is_no_heading() -> None:
    body = "".join(shown(72, 600 - 12 * at, line) for at, line in enumerate(prose(1, 9)))
    side = "BT /F1 20 Tf 0 1 -1 0 40 300 Tm (stamped in May 2026) Tj ET\n"
    document = read("a.pdf", drawn(body + side))
    assert "stamped in May 2026" in document.text
    assert "#" not in document.text


def test_a_font_that_is_bold_by_its_name_alone_makes_a_heading() -> None:
    body = [shown(72, 600 - 12 * at, line) for at, line in enumerate(prose(1, 8))]
    data = drawn(shown(72, 700, "Boats", 10, "F2") + "".join(body))
    document = read("a.pdf", data.replace(b"/Helvetica-Bold", b"/ABCDEFG+CMBX10"))
    assert document.text.startswith("# Boats\n")


def test_a_line_that_is_drawn_letter_by_letter_has_its_whole_box() -> None:
    box = box_of(read("a.pdf", drawn("".join(shown(20 + 1.8 * at, 700, "a", 3) for at in range(300)))), "aaa")
    assert [round(box.left), round(box.right)] == [20, round(20 + 1.8 * 300)]


def test_labels_and_values_in_bold_are_no_heading() -> None:
    body = "".join(shown(72, 600 - 12 * at, line) for at, line in enumerate(prose(1, 9)))
    form = shown(72, 700, "Total", 14, "F2") + shown(400, 700, "5,738", 14, "F2")
    assert "#" not in read("a.pdf", drawn(form + body)).text


@pytest.mark.parametrize("beside", [True, False], ids=["line beside line", "one after the other"])
def test_two_columns_are_read_one_after_the_other(beside: bool) -> None:
    left, right = prose(3, 30), prose(4, 30)
    one = [shown(50, 700 - 14 * at, line) for at, line in enumerate(left)]
    other = [shown(320, 700 - 14 * at, line) for at, line in enumerate(right)]
    title = shown(50, 760, "A title that goes over both of the columns", 16)
    inner = [each for pair in zip(one, other, strict=True) for each in pair] if beside else [*one, *other]
    document = read("a.pdf", drawn(title + "".join(inner)))
    found = positions(document.text, [*left, *right])
    assert found == sorted(found)
    box = box_of(document, right[7])
    assert (document.text[box.start : box.end], box.left > 300) == (right[7], True)


def test_a_word_divided_at_the_end_of_a_column_is_put_together() -> None:
    left, right = prose(3, 12), prose(4, 12)
    left[4], left[5] = "the station and the keeper of the lightho-", "use and the evening and the village and all"
    pairs = zip(left, right, strict=True)
    content = "".join(
        shown(50, 700 - 14 * at, one) + shown(320, 700 - 14 * at, other) for at, (one, other) in enumerate(pairs)
    )
    assert "of the lighthouse" in " ".join(read("a.pdf", drawn(content)).text.split())


def test_a_page_that_is_drawn_in_no_order_is_read_from_the_top() -> None:
    left, right = prose(5, 12), prose(6, 12)
    columns = [shown(50, 600 - 14 * at, line) for at, line in enumerate(left)]
    columns += [shown(320, 600 - 14 * at, line) for at, line in enumerate(right)]
    last = shown(50, 700, "The title which is drawn last of all", 16)
    text = read("a.pdf", drawn("".join(columns) + last)).text
    found = positions(text, ["The title which", *left, *right])
    assert found == sorted(found)
    columns = [each for side in (320, 50) for each in columns if f" {side} " in each]
    found = positions(read("a.pdf", drawn("".join(columns) + last)).text, ["The title which", *left, *right])
    assert found == sorted(found)
    upward = [shown(50, 300 + 14 * at, line) for at, line in enumerate(left)]
    found = positions(read("a.pdf", drawn("".join(upward))).text, left[::-1])
    assert found == sorted(found)


def test_a_heading_drawn_after_the_text_stands_above_it() -> None:
    first, second = prose(7, 6), prose(8, 6)
    text = "".join(shown(50, 700 - 12 * at, line) for at, line in enumerate(first))
    text += "".join(shown(50, 580 - 12 * at, line) for at, line in enumerate(second))
    heading = shown(50, 604, "Techniques", 16)
    document = read("a.pdf", drawn(text + heading))
    assert under(document, first[3])[1] == ()
    assert under(document, second[0])[1] == ("Techniques",)


def test_a_table_is_told_by_its_columns() -> None:
    cells = [["Code", "Place", "Wanted", "There", "Note"], ["K-1", "A-12", "", "", ""], ["", "B-07", "", "289", ""]]
    cells += [["K|2", "", "780", "", ""], ["", "C-15", "", "15", ""]]
    document = read("a.pdf", drawn(shown(50, 740, "Stock", 16) + rows(cells, [50, 150, 250, 350, 450])))
    table = document.text[document.text.index("|") :]
    assert table.splitlines() == [
        "| Code | Place | Wanted | There | Note |",
        "| --- | --- | --- | --- | --- |",
        "| K-1 | A-12 |  |  |  |",
        "|  | B-07 |  | 289 |  |",
        "| K\\|2 |  | 780 |  |  |",
        "|  | C-15 |  | 15 |  |",
    ]
    assert under(document, "A-12") == (1, ("Stock",), "markdown")
    box = box_of(document, "A-12")
    assert document.text[box.start : box.end] == "| K-1 | A-12 |  |  |  |"


def test_a_table_of_wide_cells_is_not_two_columns_of_text() -> None:
    cells = [[" ".join(WORDS[at : at + 3 + at % 5]), " ".join(WORDS[at + 7 : at + 11 + at % 3])] for at in range(12)]
    text = read("a.pdf", drawn(rows(cells, [50, 320]))).text
    assert text.count("\n") == 12
    assert text.startswith(f"| {cells[0][0]} | {cells[0][1]} |\n| --- | --- |")


def test_prose_is_no_table() -> None:
    pages = []
    for seed in range(20):
        chosen = random.Random(seed)
        lines = enumerate(prose(seed, 40, 80))
        pages.append("".join(f"{chosen.uniform(0, 8):.1f} Tw " + shown(50, 780 - 18 * at, line) for at, line in lines))
    assert not any("| --- |" in read("a.pdf", drawn(page)).text for page in pages)


def test_numbers_and_superscripts_beside_words_are_no_table() -> None:
    raised = "".join(
        shown(60, 700 - 20 * at, f"and f\\(x{at}\\) = x")
        + shown(123, 705 - 20 * at, "2", 6)
        + shown(128, 700 - 20 * at, "so")
        for at in range(8)
    )
    assert "|" not in read("a.pdf", drawn(raised)).text


def test_comments_and_values_of_forms_are_text() -> None:
    note = "<< /Type /Annot /Subtype /Text /Rect [10 10 30 30] /Contents (Ask the keeper.) >>"
    marked = "<< /Type /Annot /Subtype /Highlight /Rect [72 695 99 712] /Contents (Which one?) >>"
    field = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (f1) /TU (Name of the boat) /V (Aurora) /Rect [9 9 99 29] >>"
    empty = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (f2) /Rect [9 9 99 29] >>"
    document = read("a.pdf", drawn(shown(72, 700, "The boat."), f"/Annots [{note} {marked} {field} {empty}]"))
    assert document.text == "The boat.\n\nAsk the keeper.\n\nWhich one?\n\nName of the boat: Aurora"
    assert under(document, "Aurora")[0] == 1


def test_properties_are_metadata() -> None:
    said = (
        "<< /Title (Tides and times) /Author (Ada  Lovelace) /Subject (The sea) /Keywords (moon, tide) "
        "/CreationDate (D:20260302101112+01'00') /ModDate (D:202603) >>"
    )
    document = read("a.pdf", drawn(shown(72, 700, "Text.", 24), others=[said], trailer="/Info 7 0 R"))
    assert document.title == "Tides and times"
    assert document.metadata == {
        "author": "Ada Lovelace",
        "subject": "The sea",
        "keywords": "moon, tide",
        "created": "2026-03-02T10:11:12",
        "modified": "2026-03",
        "pages": 1,
    }


def test_the_name_of_a_file_is_no_title() -> None:
    said = "<< /Title (Microsoft Word - draft.docx) >>"
    body = "".join(shown(72, 600 - 12 * at, line) for at, line in enumerate(prose(1, 9)))
    data = drawn(shown(72, 700, "Tides", 24) + body, others=[said], trailer="/Info 7 0 R")
    assert read("a.pdf", data).title == "Tides"


def test_letters_of_one_sign_are_in_order_in_scripts_from_right_to_left() -> None:
    pairs = {"A": "06440627", "B": "0633", "C": "0645"}
    listed = "".join(f"<{ord(code):02X}> <{letters}>\n" for code, letters in pairs.items())
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <FF> endcodespacerange\n{len(pairs)} beginbfchar\n{listed}endbfchar\n"
        "endcmap end end"
    )
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>"
    fonts = "/Resources << /Font << /F1 8 0 R >> >>"
    data = drawn(shown(72, 700, "CAB"), others=[stream(table), font]).replace(
        b"/Resources << /Font << /F1 4 0 R /F2 5 0 R >> >>", f"{fonts:<48}".encode()
    )
    assert read("a.pdf", data).text == "\u0633\u0644\u0627\u0645"


def failure(data: bytes) -> SourceError:
    with pytest.raises(SourceError) as raised:
        read("a.pdf", data)
    return raised.value


NO_PAGES = assembled(["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"])


def test_a_file_that_asks_for_a_password_says_so() -> None:
    locked = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{'11' * 32}> /U <{'22' * 32}> /P -4 >> /ID [<00> <00>]"
    error = failure(drawn(shown(72, 700, "Secret."), trailer=locked))
    assert (error.code, error.hint) == ("encrypted", "Save it without a password.")
    assert failure(NO_PAGES).code == "malformed", "what was wrong with one file is not said of the next"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.4\nno objects at all", "malformed"),
        (NO_PAGES, "malformed"),
        (drawn(""), "empty"),
    ],
    ids=["no objects", "no pages", "an empty page"],
)
def test_what_holds_nothing_says_so(data: bytes, code: str) -> None:
    assert failure(data).code == code


def test_a_file_whose_table_of_objects_is_lost_is_read() -> None:
    whole = pdf([[(72, 700, 12, "Still here.")]])
    lost = whole[: whole.index(b"xref")] + whole[whole.index(b"trailer") :]
    assert read("a.pdf", lost).text == "Still here."


SQUARE = "10 10 100 100 re f\n"
UNMAPPED = (
    "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def\n"
    "1 begincodespacerange <00> <FF> endcodespacerange\n1 beginbfrange\n<41> <5A> <E041>\nendbfrange\nendcmap end end"
)


def mixed() -> bytes:
    """Three pages of which the second is a picture."""
    document = pypdfium2.PdfDocument.new()
    for data in (drawn(shown(72, 700, "One.")), drawn(SQUARE), drawn(shown(72, 700, "Three."))):
        document.import_pages(pypdfium2.PdfDocument(data))
    return saved(document)


def saved(document: pypdfium2.PdfDocument) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_a_file_of_pictures_says_what_adds_recognition() -> None:
    error = failure(drawn(SQUARE))
    assert error.code == "needs-ocr"
    assert "pip install 'ammon[ocr]'" in error.hint


def test_pages_that_are_pictures_are_named() -> None:
    document = read("a.pdf", mixed())
    (remark,) = document.remarks
    assert (remark.code, remark.text.split(" were ")[0]) == ("needs-ocr", "Page 2 without a text of their own")
    assert document.text == "One.\n\nThree."


def test_pages_that_are_pictures_are_recognised_in_their_place() -> None:
    document = read("a.pdf", mixed(), Reader())
    one, picture, three = document.text.split("\n\n")
    assert (one, three) == ("One.", "Three.")
    box = box_of(document, "picture")
    assert (under(document, picture)[0], box.confidence) == (2, 0.99)
    assert [round(edge) for edge in (box.left, box.top, box.right, box.bottom)] == [0, 0, 595, 842]


def test_a_layer_of_letters_that_mean_nothing_is_none() -> None:
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>"
    data = drawn(shown(72, 700, "ABCDEF GHIJ"), others=[stream(UNMAPPED), font]).replace(b"/F1 4 0 R", b"/F1 8 0 R")
    assert failure(data).code == "needs-ocr"
    assert "picture" in read("a.pdf", data, Reader()).text


@pytest.mark.parametrize("box", ["0 0 14400 14400", "0 0 1000000 10"])
def test_a_giant_page_is_recognised_at_a_bounded_size(box: str) -> None:
    found = read("a.pdf", drawn(SQUARE, box=box), Reader()).text.split()
    assert max(int(found[-3]), int(found[-1])) <= 4000


def test_attachments_are_documents_of_their_own() -> None:
    document = pypdfium2.PdfDocument(drawn(shown(72, 700, "See below.")))
    document.new_attachment("notes.txt").set_data(b"Notes on the tide.")
    data = saved(document)
    found = Reading("a.pdf", Account(len(data))).run(data)
    assert [(each.name, each.document and each.document.text) for each in found] == [
        ("", "See below."),
        ("notes.txt", "Notes on the tide."),
    ]


def test_progress_is_told_page_by_page() -> None:
    told: list[tuple[int, int]] = []
    data = mixed()
    Reading("a.pdf", Account(len(data)), pages=lambda done, total: told.append((done, total))).run(data)
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
