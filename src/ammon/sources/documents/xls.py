"""How the cells of a workbook of Excel 97 to 2003 (MS-XLS) are shown, which the parser of its values does not tell."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, TypeAlias

from ammon.sources.documents.number_formats import BUILT_IN, shown_by
from ammon.sources.documents.ole import MARK
from ammon.sources.documents.workbook import Look, RowLooks

_BOF, _EOF, _SHEET, _STYLE, _FORMAT = 0x0809, 0x000A, 0x0085, 0x00E0, 0x041E
_NUMBER, _PACKED, _PACKED_ROW, _FORMULA, _ERROR = 0x0203, 0x027E, 0x00BD, 0x0006, 0x0205
_EXCEL_97: Final = 0x0600
_ERRORS: Final = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
}

Record: TypeAlias = tuple[int, bytes]
"""The kind of a record, and what is in it."""


class Formats:
    """The looks of the sheets of a workbook, by name; none in one that is older, or in none at all."""

    def __init__(self, data: bytes) -> None:
        """Raises: OSError and its like, for a compound file that cannot be read."""
        import olefile

        self._stream = b""
        if data.startswith(MARK):
            with olefile.OleFileIO(io.BytesIO(data)) as file:
                self._stream = file.openstream("Workbook").read() if file.exists("Workbook") else b""
        named, numbers = dict(BUILT_IN), list[int]()
        self._starts: dict[str, int] = {}
        for kind, body in _records(self._stream, 0):
            if kind == _SHEET and len(body) > 8:
                self._starts[_string(body[6:7], body[7:])] = struct.unpack_from("<I", body)[0]
            elif kind == _FORMAT and len(body) > 5:
                named[struct.unpack_from("<H", body)[0]] = _string(body[2:4], body[4:])
            elif kind == _STYLE and len(body) > 4:
                numbers.append(struct.unpack_from("<H", body, 2)[0])
        codes = [named.get(number, "") for number in numbers]
        self._styles = [Look(code, shown_by(code)) for code in codes]

    def looks(self, name: str) -> Iterator[RowLooks]:
        """The looks of the cells of a sheet that are not shown as they are, row by row."""
        start = self._starts.get(name, len(self._stream))
        for row, cells in groupby(self._cells(start), itemgetter(0)):
            yield row + 1, {column: look for _, column, look in cells}

    def _cells(self, start: int) -> Iterator[tuple[int, int, Look]]:
        """Row and column, from 0, and the look of cells."""
        for kind, body in _records(self._stream, start):
            if len(body) < 8 or kind not in (_NUMBER, _PACKED, _PACKED_ROW, _FORMULA, _ERROR):
                continue
            row, column, style = struct.unpack_from("<HHH", body)
            styles = [style]
            if kind == _PACKED_ROW:
                styles = [style for style, _ in struct.iter_unpack("<HI", body[4 : 4 + (len(body) - 6) // 6 * 6])]
            for at, number in enumerate(styles, column):
                look = self._styles[number] if number < len(self._styles) else Look()
                if kind == _ERROR and body[7]:
                    look = Look(instead=_ERRORS.get(body[6], ""))
                if look.code or look.instead:
                    yield row, at, look


def _records(stream: bytes, at: int) -> Iterator[Record]:
    """The records of a part of the stream, from the one that starts it to its end; none of an older version."""
    depth = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        body = stream[at + 4 : at + 4 + size]
        if not depth and (kind != _BOF or body[:2] != struct.pack("<H", _EXCEL_97)):
            return
        # A chart within a sheet is a part of its own.
        depth += (kind == _BOF) - (kind == _EOF)
        if not depth:
            return
        if depth == 1:
            yield kind, body
        at += 4 + size


def _string(length: bytes, rest: bytes) -> str:
    """A string behind its length: a byte that says how wide its characters are, and the characters."""
    count, wide = int.from_bytes(length, "little"), rest[0] & 1
    return rest[1 : 1 + count * (1 + wide)].decode("utf-16-le" if wide else "latin-1", "replace")
