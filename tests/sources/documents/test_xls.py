"""Workbooks of Excel 97 to 2003."""

from __future__ import annotations

import io
import struct

import olefile

from ammon.sources.documents.xls import Formats
from office_files import read, under
from ole_files import compound, xls

HEAD: list[tuple[str | float, int]] = [("share", 0), ("price", 0)]
COSTS = xls({"First": [[("Words", 0)]], "Costs": [HEAD, [(0.125, 1), (1234.5, 2)]]}, ["0.0%", '"€"#,##0.00'])


def stream() -> bytes:
    with olefile.OleFileIO(io.BytesIO(COSTS)) as file:
        content: bytes = file.openstream("Workbook").read()
        return content


def test_numbers_are_read_as_they_are_seen() -> None:
    document = read("a.xls", COSTS)
    assert document.text.endswith("share: 12.5%\nprice: €1,234.50")
    assert under(document, "share: 12.5%") == (2, ("Costs",), "row")


def test_packed_numbers_and_errors_have_their_looks() -> None:
    packed = struct.pack("<HH", 3, 1) + struct.pack("<HI", 2, 0) + struct.pack("<HI", 1, 0) + struct.pack("<H", 2)
    error = struct.pack("<HHHBB", 4, 0, 0, 0x07, 1)
    records = b"".join(struct.pack("<HH", kind, len(body)) + body for kind, body in ((0xBD, packed), (0x205, error)))
    whole = stream()
    # In place of the first sheet's only row.
    at = whole.index(struct.pack("<HHHHHH", 0x0204, 6 + 3 + 10, 0, 0, 0, 5))
    data = compound({"Workbook": whole[:at] + records + struct.pack("<HH", 0x0A, 0) + whole[at:]})
    looks = dict(Formats(data).looks("First"))
    assert {at: look.code for at, look in looks[4].items()} == {1: '"€"#,##0.00', 2: "0.0%"}
    assert looks[5][0].instead == "#DIV/0!"


def test_what_is_cut_off_or_older_has_no_looks_and_does_no_harm() -> None:
    whole = stream()
    for data in (b"", whole[:30], whole[:140], whole.replace(b"\x00\x06\x05\x00", b"\x00\x05\x05\x00")):
        formats = Formats(compound({"Workbook": data}))
        assert list(formats.looks("Costs")) == []
    assert list(Formats(b"no compound file").looks("Costs")) == []
