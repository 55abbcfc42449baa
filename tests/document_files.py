"""Small documents of many formats, written by hand, so that each says exactly what a test wants it to say."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from xml.sax.saxutils import escape

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SLIDE = "http://schemas.openxmlformats.org/presentationml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"


def packed(members: Mapping[str, str | bytes]) -> bytes:
    """A zip of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def relations(targets: Mapping[str, tuple[str, str]]) -> str:
    """The relations of a part: id → (kind, target)."""
    inner = "".join(
        f'<Relationship Id="{key}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _office(main: str, parts: Mapping[str, str], title: str = "") -> bytes:
    core = (
        f'<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{escape(title)}</dc:title>'
        "<dc:creator>Ada Lovelace</dc:creator></cp:coreProperties>"
    )
    members = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": relations({"r1": ("officeDocument", main)}),
        "docProps/core.xml": core,
    }
    return packed({**members, **parts})


def docx(body: str, title: str = "", parts: Mapping[str, str] | None = None, related: str = "") -> bytes:
    """A Word document with this body (WordprocessingML)."""
    main = f'<w:document xmlns:w="{_WORD}" xmlns:r="{_OFFICE}"><w:body>{body}</w:body></w:document>'
    rels = {"word/_rels/document.xml.rels": related} if related else {}
    return _office("word/document.xml", {"word/document.xml": main, **rels, **(parts or {})}, title)


def paragraph(text: str, level: int = 0) -> str:
    """A paragraph of Word's, as a heading if a level is given."""
    style = f'<w:pPr><w:outlineLvl w:val="{level - 1}"/></w:pPr>' if level else ""
    return f"<w:p>{style}<w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def word_table(rows: Sequence[Sequence[str]]) -> str:
    """A table of Word's."""
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def pptx(slides: Sequence[tuple[str, str]], notes: str = "") -> bytes:
    """A presentation: title and text of each slide; ``notes`` are those of the first."""
    parts: dict[str, str] = {}
    targets: dict[str, tuple[str, str]] = {}
    for number, (title, text) in enumerate(slides, 1):
        shapes = _shape("title", title, 900_000) + _shape("body", text, 100_000)
        parts[f"ppt/slides/slide{number}.xml"] = _tree("sld", shapes)
        targets[f"s{number}"] = ("slide", f"slides/slide{number}.xml")
    if notes:
        parts["ppt/slides/_rels/slide1.xml.rels"] = relations({"n1": ("notesSlide", "../notesSlides/notes1.xml")})
        parts["ppt/notesSlides/notes1.xml"] = _tree("notes", _shape("body", notes, 0))
    # The order of slides is that of this list, not of their names.
    listed = "".join(f'<p:sldId r:id="s{number}"/>' for number in range(len(slides), 0, -1))
    parts["ppt/presentation.xml"] = (
        f'<p:presentation xmlns:p="{_SLIDE}" xmlns:r="{_OFFICE}"><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>'
    )
    parts["ppt/_rels/presentation.xml.rels"] = relations(targets)
    return _office("ppt/presentation.xml", parts)


def _tree(name: str, shapes: str) -> str:
    names = f'xmlns:p="{_SLIDE}" xmlns:a="{_DRAWING}" xmlns:r="{_OFFICE}"'
    return f"<p:{name} {names}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:{name}>"


def _shape(holder: str, text: str, top: int) -> str:
    paragraphs = "".join(f"<a:p><a:r><a:t>{escape(line)}</a:t></a:r></a:p>" for line in text.split("\n"))
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="1" name="x"/><p:nvPr><p:ph type="{holder}"/></p:nvPr></p:nvSpPr>'
        f'<p:spPr><a:xfrm><a:off x="0" y="{top}"/></a:xfrm></p:spPr><p:txBody>{paragraphs}</p:txBody></p:sp>'
    )


def xlsx(sheets: Mapping[str, Sequence[Sequence[str | float]]]) -> bytes:
    """A workbook: the rows of each sheet by its name."""
    parts: dict[str, str] = {}
    targets: dict[str, tuple[str, str]] = {}
    for number, rows in enumerate(sheets.values(), 1):
        inner = "".join(f'<row r="{at}">{_cells(row, at)}</row>' for at, row in enumerate(rows, 1) if row)
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f'<worksheet xmlns="{_SHEET}"><sheetData>{inner}</sheetData></worksheet>'
        )
        targets[f"s{number}"] = ("worksheet", f"worksheets/sheet{number}.xml")
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="s{number}"/>' for number, name in enumerate(sheets, 1)
    )
    parts["xl/workbook.xml"] = f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
    parts["xl/_rels/workbook.xml.rels"] = relations(targets)
    return _office("xl/workbook.xml", parts)


def _cells(row: Sequence[str | float], at: int) -> str:
    cells = []
    for column, value in enumerate(row):
        place = f"{chr(65 + column)}{at}"
        if isinstance(value, str):
            cells.append(f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>' if value else "")
        else:
            cells.append(f'<c r="{place}"><v>{value}</v></c>')
    return "".join(cells)


def pdf(pages: Sequence[Sequence[tuple[float, float, float, str]]], rotate: int = 0, extra: str = "") -> bytes:
    """A PDF of A4 pages: left, distance from the bottom, size and text of each line. ``extra`` joins each page."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for lines in pages:
        shown = "\n".join(
            f"BT /F1 {size} Tf {left} {bottom} Td ({text.replace('(', chr(92) + '(').replace(')', chr(92) + ')')}) Tj ET"
            for left, bottom, size, text in lines
        )
        objects.append(f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream")
        content = len(objects)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate {rotate} /Contents {content} 0 R {extra} "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    return assembled(objects)


def assembled(objects: Sequence[str], trailer: str = "") -> bytes:
    """A PDF of these objects, numbered from 1, the first of which is the catalog."""
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{each}\nendobj\n".encode("latin-1")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<< /Root 1 0 R {trailer} "
    return out + f"{end}/Size {len(objects) + 1} >>\nstartxref\n{len(out)}\n%%EOF\n".encode("latin-1")


def mail(subject: str, body: str, attachments: Mapping[str, bytes] | None = None, html: str = "") -> bytes:
    """A mail."""
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "Ada <ada@example.org>", "bob@example.org"
    message["Date"] = "Mon, 02 Mar 2026 10:11:12 +0100"
    message.set_content(body)
    if html:
        message.add_alternative(html, subtype="html")
    for name, data in (attachments or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def epub(chapters: Sequence[tuple[str, str]], title: str = "A book") -> bytes:
    """A book: title and text of each chapter, in this order, whatever their files are called."""
    items = "".join(
        f'<item id="c{number}" href="text/{len(chapters) - number}.xhtml" media-type="application/xhtml+xml"/>'
        for number in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{escape(title)}</dc:title><dc:creator>Ada Lovelace</dc:creator><dc:language>en</dc:language>"
        f"</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>'
    )
    pages = {
        f"OEBPS/text/{len(chapters) - number}.xhtml": f"<html><body><h1>{escape(name)}</h1><p>{escape(text)}</p></body></html>"
        for number, (name, text) in enumerate(chapters)
    }
    return packed(
        {"mimetype": "application/epub+zip", "META-INF/container.xml": container, "OEBPS/content.opf": opf, **pages}
    )
