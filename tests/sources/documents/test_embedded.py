"""Documents that stand in others as objects."""

from __future__ import annotations

import io
import struct

import olefile

from ammon.sources.reading import Account, Reading
from document_files import docx, packed, paragraph, pptx, relations, xlsx
from office_files import odf, with_members
from ole_files import compound, doc

COSTS = xlsx({"Costs": [["item", "price"], ["flour", 31.5]]})
PAGE = "word/_rels/document.xml.rels"


def members(name: str, data: bytes) -> dict[str, str]:
    """The text of each document in a file, or the code of why there is none, by its name."""
    found = Reading(name, Account(len(data))).run(data)[1:]
    return {each.name: each.document.text if each.document else str(each.error and each.error.code) for each in found}


def native(name: str, content: bytes) -> bytes:
    """The stream of a file that was put in as a whole."""
    where = f"C:\\{name}".encode() + b"\0"
    head = struct.pack("<H", 2) + name.encode() + b"\0" + where + struct.pack("<HHI", 0, 3, len(where)) + where
    return struct.pack("<I", len(head) + len(content)) + head + struct.pack("<I", len(content)) + content


def word(kind: str, target: str, content: bytes) -> bytes:
    """A Word document with one object."""
    return with_members(docx(paragraph("Words.")), {PAGE: relations({"o": (kind, target)}), f"word/{target}": content})


def test_a_workbook_in_a_document_is_read_as_a_document_of_its_own() -> None:
    said = members("a.docx", word("package", "embeddings/Sheet1.xlsx", COSTS))
    assert list(said) == ["Sheet1.xlsx"]
    assert "item: flour" in said["Sheet1.xlsx"]


def test_a_file_in_an_object_has_its_own_name() -> None:
    held = compound({"\x01Ole10Native": native("letter.txt", b"Dear Ada, the rye is sown.")})
    said = members("a.docx", word("oleObject", "embeddings/oleObject1.bin", held))
    assert said == {"letter.txt": "Dear Ada, the rye is sown."}


def test_a_package_in_an_object_and_an_object_that_is_a_document_are_read() -> None:
    for held in (compound({"Package": COSTS}), doc("item: flour")):
        said = members("a.docx", word("oleObject", "embeddings/oleObject1.bin", held))
        assert "item: flour" in said["oleObject1.bin"]


def test_an_equation_is_passed_over_and_a_broken_object_named() -> None:
    equation = compound({"Equation Native": b"x"})
    assert members("a.docx", word("oleObject", "embeddings/one.bin", equation)) == {}
    assert members("a.docx", word("oleObject", "embeddings/one.bin", equation[:600])) == {"one.bin": "malformed"}
    short = compound({"\x01Ole10Native": b"\1\1\1\1\1\1no end" * 400})
    assert members("a.docx", word("oleObject", "embeddings/one.bin", short)) == {"one.bin": "malformed"}


def test_the_table_behind_a_chart_is_not_read_again() -> None:
    data = with_members(
        pptx([("One", "Two")]),
        {
            "ppt/slides/_rels/slide1.xml.rels": relations(
                {"c": ("chart", "../charts/one.xml"), "o": ("package", "../embeddings/Sheet2.xlsx")}
            ),
            "ppt/charts/one.xml": "<c/>",
            "ppt/charts/_rels/one.xml.rels": relations({"w": ("package", "../embeddings/Sheet1.xlsx")}),
            "ppt/embeddings/Sheet1.xlsx": COSTS,
            "ppt/embeddings/Sheet2.xlsx": COSTS,
        },
    )
    assert list(members("a.pptx", data)) == ["Sheet2.xlsx"]


def test_objects_in_objects_are_read_down_to_a_depth() -> None:
    inner = docx(paragraph("Within."))
    for _ in range(4):
        inner = word("package", "embeddings/in.docx", inner)
    said = members("a.docx", inner)
    assert list(said.values()) == ["Words.", "Words.", "Words.", "too-deep"]
    assert list(said)[-1] == "in.docx!/in.docx!/in.docx!/in.docx"


def test_objects_in_old_documents_are_read() -> None:
    plain = doc("Words.")
    assert members("a.doc", plain) == {}
    held = compound(
        {
            "WordDocument": _stream(plain, "WordDocument"),
            "1Table": _stream(plain, "1Table"),
            "ObjectPool/_1/\x01Ole10Native": native("letter.txt", b"Dear Ada."),
        }
    )
    assert members("a.doc", held) == {"letter.txt": "Dear Ada."}


def _stream(data: bytes, name: str) -> bytes:
    with olefile.OleFileIO(io.BytesIO(data)) as file:
        content: bytes = file.openstream(name).read()
        return content


def test_objects_in_open_documents_are_read() -> None:
    row = "<table-row><table-cell><p>rye</p></table-cell></table-row>"
    sheet = f"<content><body><spreadsheet><table>{row}</table></spreadsheet></body></content>"
    ole = compound({"\x01Ole10Native": native("letter.txt", b"Dear Ada.")})
    frames = "".join(
        f'<draw:frame><draw:object xlink:href="./Object {at}" xmlns:xlink="x"/></draw:frame>' for at in (1, 2)
    )
    data = with_members(
        odf(f"<office:text><text:p>Words.{frames}</text:p></office:text>"),
        {"Object 1/content.xml": sheet, "Object 2": ole},
    )
    said = members("a.odt", data)
    assert list(said) == ["Object 1.ods", "letter.txt"]
    assert "rye" in said["Object 1.ods"]


def test_what_is_in_an_archive_of_documents_is_named_by_its_way() -> None:
    data = packed({"a.docx": word("package", "embeddings/Sheet1.xlsx", COSTS)})
    assert list(members("a.zip", data)) == ["a.docx", "a.docx!/Sheet1.xlsx"]
