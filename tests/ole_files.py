"""Old Office files and Outlook's messages, written by hand: a compound file (MS-CFB) with what a test wants in it."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SECTOR = 512
_LEAST = 4096
"""Streams shorter than this would stand in a stream of their own kind: they are filled up instead."""

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_STORAGE, _STREAM, _ROOT = 1, 2, 5


@dataclass
class _Entry:
    name: str
    kind: int
    content: bytes = b""
    children: list[int] = field(default_factory=list)
    start: int = _END


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file of these streams; a slash in a name stands between a storage and what is in it."""
    entries = [_Entry("Root Entry", _ROOT)]
    known = {"": 0}
    for path, content in streams.items():
        folder, _, name = path.rpartition("/")
        above = ""
        for part in filter(None, folder.split("/")):
            here = f"{above}/{part}" if above else part
            if here not in known:
                known[here] = len(entries)
                entries[known[above]].children.append(len(entries))
                entries.append(_Entry(part, _STORAGE))
            above = here
        entries[known[above]].children.append(len(entries))
        entries.append(_Entry(name, _STREAM, content.ljust(_LEAST, b"\0")))
    return _written(entries)


def _written(entries: list[_Entry]) -> bytes:
    sectors: list[bytes] = []
    table: list[int] = []

    def place(content: bytes) -> int:
        pieces = [content[at : at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, len(content), SECTOR)]
        first = len(sectors)
        sectors.extend(pieces)
        table.extend([*range(first + 1, first + len(pieces)), _END])
        return first

    for entry in entries:
        if entry.kind == _STREAM:
            entry.start = place(entry.content)
    directory = place(_directory(entries))
    count = -(-(len(table) + len(table) // 100 + 2) * 4 // SECTOR)
    first = len(sectors)
    table += [_FAT] * count
    numbers = struct.pack(f"<{len(table)}I", *table).ljust(count * SECTOR, b"\xff")
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, count, directory, 0, _LEAST, _END, 0, _END, 0,
    )  # fmt: skip
    header += struct.pack("<109I", *range(first, first + count), *[_FREE] * (109 - count))
    return header + b"".join(sectors) + numbers


def _directory(entries: list[_Entry]) -> bytes:
    """The entries; those of one storage hang on one another, each to the right of the one before."""
    following: dict[int, int] = {}
    for entry in entries:
        ordered = sorted(entry.children, key=lambda number: (len(entries[number].name), entries[number].name.upper()))
        following.update(zip(ordered, [*ordered[1:], _FREE], strict=False))
        entry.children = ordered[:1]
    whole = b""
    for number, entry in enumerate(entries):
        name = entry.name.encode("utf-16-le")
        child = entry.children[0] if entry.children else _FREE
        size = len(entry.content)
        whole += name.ljust(64, b"\0") + struct.pack("<HBB", len(name) + 2, entry.kind, 1)
        whole += struct.pack("<III36xII4x", _FREE, following.get(number, _FREE), child, entry.start, size)
    return whole


def doc(text: str, *, narrow: bool = False, footnotes: str = "") -> bytes:
    """A Word 97 document: its text and footnotes in one piece, in UTF-16 or, if ``narrow``, in Windows-1252."""
    whole = (text + footnotes).encode("cp1252" if narrow else "utf-16-le")
    at = 0x400
    place = at * 2 | 0x40000000 if narrow else at
    pieces = struct.pack("<II", 0, len(text + footnotes)) + struct.pack("<HIH", 0, place, 0)
    table = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    main = bytearray(at)
    struct.pack_into("<HH", main, 0, 0xA5EC, 0xC1)
    struct.pack_into("<H", main, 0x0A, 0x0200)
    struct.pack_into("<II", main, 0x4C, len(text), len(footnotes))
    struct.pack_into("<II", main, 0x01A2, 0, len(table))
    return compound({"WordDocument": bytes(main) + whole, "1Table": table})


def _record(kind: int, content: bytes, instance: int = 0, *, container: bool = False) -> bytes:
    return struct.pack("<HHI", instance << 4 | (0xF if container else 0), kind, len(content)) + content


def ppt(slides: list[tuple[str, str, str]]) -> bytes:
    """A PowerPoint 97 presentation: of each slide its title, its outline and a box that stands on it."""
    stream, places = b"", {}
    listed = b""
    for number, (title, outline, box) in enumerate(slides, 2):
        places[number] = len(stream)
        drawn = _record(0xF00D, _record(0x0F9F, struct.pack("<I", 4)) + _record(0x0FA0, box.encode("utf-16-le")),
                        container=True)  # fmt: skip
        stream += _record(0x03EE, drawn, container=True)
        listed += _record(0x03F3, struct.pack("<IIIII", number, 0, 0, 255 + number, 0))
        for kind, text in ((0, title), (1, outline)):
            listed += _record(0x0F9F, struct.pack("<I", kind)) + _record(0x0FA8, text.encode("latin-1"))
    places[1] = len(stream)
    stream += _record(0x03E8, _record(0x0FF0, listed, container=True), container=True)
    directory = len(stream)
    offsets = [places[number] for number in sorted(places)]
    stream += _record(0x1772, struct.pack(f"<I{len(offsets)}I", len(offsets) << 20 | 1, *offsets))
    edit = len(stream)
    stream += _record(0x0FF5, struct.pack("<IIIIIIHH", 0, 0, 0, directory, 1, len(offsets) + 1, 0, 0))
    current = struct.pack("<HHIIII", 0, 0x0FF6, 20, 20, 0xE391C05F, edit)
    return compound({"PowerPoint Document": stream, "Current User": current})


def xls(sheets: Mapping[str, list[list[tuple[str | float, int]]]], codes: Sequence[str] = ()) -> bytes:
    """A workbook of Excel 97: the cells of each sheet, each with the number, from 1, of the code that shows it."""
    whole = [_sheet(rows) for rows in sheets.values()]
    head = _part(5, _biff(0x0042, struct.pack("<H", 1200)))
    for at, code in enumerate(codes):
        head += _biff(0x041E, struct.pack("<HHB", 164 + at, len(code), 1) + code.encode("utf-16-le"))
    for number in (0, *range(164, 164 + len(codes))):
        head += _biff(0x00E0, struct.pack("<HH16x", 0, number))
    start = len(head) + sum(4 + 8 + len(name) for name in sheets) + 4
    for name, content in zip(sheets, whole, strict=True):
        head += _biff(0x0085, struct.pack("<IBBBB", start, 0, 0, len(name), 0) + name.encode("latin-1"))
        start += len(content)
    return compound({"Workbook": head + _biff(0x000A, b"") + b"".join(whole)})


def _biff(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _part(kind: int, content: bytes) -> bytes:
    return _biff(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0, 0, 6)) + content


def _sheet(rows: list[list[tuple[str | float, int]]]) -> bytes:
    content = _biff(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows), default=0), 0))
    for at, row in enumerate(rows):
        for column, (value, style) in enumerate(row):
            head = struct.pack("<HHH", at, column, style)
            if isinstance(value, str):
                content += _biff(0x0204, head + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
            else:
                content += _biff(0x0203, head + struct.pack("<d", value))
    return _part(0x10, content) + _biff(0x000A, b"")


def message(subject: str, body: str, attachments: Mapping[str, bytes] | None = None, within: str = "") -> bytes:
    """An Outlook message; ``within`` is the subject of another that is attached to it."""
    streams = _message("", subject, body, 32)
    for number, (name, data) in enumerate((attachments or {}).items()):
        folder = f"__attach_version1.0_#{number:08X}"
        streams[f"{folder}/__properties_version1.0"] = bytes(8)
        streams[f"{folder}/__substg1.0_3707001F"] = name.encode("utf-16-le")
        streams[f"{folder}/__substg1.0_37010102"] = data
    if within:
        folder = "__attach_version1.0_#000000FF"
        streams[f"{folder}/__properties_version1.0"] = bytes(8)
        streams |= _message(f"{folder}/__substg1.0_3701000D/", within, "A letter within.", 24)
    return compound(streams)


def _message(prefix: str, subject: str, body: str, head: int) -> dict[str, bytes]:
    sent = struct.pack("<HHI", 0x40, 0x0039, 6) + struct.pack("<Q", 133_000_000_000_000_000)
    return {
        f"{prefix}__properties_version1.0": bytes(head) + sent,
        f"{prefix}__substg1.0_0037001F": subject.encode("utf-16-le"),
        f"{prefix}__substg1.0_1000001F": body.encode("utf-16-le"),
        f"{prefix}__substg1.0_0C1A001F": "Ada".encode("utf-16-le"),
        f"{prefix}__substg1.0_5D01001F": "ada@example.org".encode("utf-16-le"),
        f"{prefix}__substg1.0_0E04001F": "Bob".encode("utf-16-le"),
    }
