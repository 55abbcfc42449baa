"""Bad files of many classes, written by script: what breaks readers, overfills them, or leads them out of the folder."""

from __future__ import annotations

import gzip
import io
import os
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from document_files import docx, epub, mail, packed, paragraph, pdf, pptx, xlsx

VARIANTS = 12

LINE = [(72, 700, 11, "The quiet heron waits by the river until the fish forget it is there.")]
GOOD: dict[str, bytes] = {
    "pdf": pdf([LINE, LINE]),
    "docx": docx(paragraph("Herons", 1) + paragraph("They stand still for hours.")),
    "pptx": pptx([("Herons", "They stand still."), ("Rivers", "They flow.")], "Breathe."),
    "xlsx": xlsx({"Birds": [["bird", "count"], ["heron", 3], ["coot", 12]]}),
    "eml": mail("Herons", "They stand still for hours.", {"a.pdf": pdf([LINE])}),
    "epub": epub([("Dawn", "The heron slept."), ("Dusk", "The heron woke.")]),
    "zip": packed({"a.txt": "A heron stands by the river.", "b.md": "# Coot\n\nA coot swims."}),
    "rtf": rb"{\rtf1\ansi{\b Herons} stand still for hours by the river.\par They wait.}",
}
"""One good file of each format, small."""

MEGABYTE = 1 << 20


def nothing_but(byte: bytes, megabytes: int) -> Iterator[bytes]:
    """So many megabytes of one byte."""
    return (byte * MEGABYTE for _ in range(megabytes))


def bomb(megabytes: int, member: str, others: Mapping[str, bytes] | None = None) -> bytes:
    """A zip with a member that unpacks to so much, written piece by piece."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (others or {}).items():
            archive.writestr(name, content)
        with archive.open(member, "w", force_zip64=True) as into:
            for block in nothing_but(b" ", megabytes):
                into.write(block)
    return buffer.getvalue()


def nested(depth: int) -> bytes:
    """Zips in zips."""
    inner = packed({"deep.txt": "At the bottom lies a heron's feather."})
    for _ in range(depth):
        inner = packed({"inner.zip": inner})
    return inner


def image_bomb(side: int) -> bytes:
    """A small PNG of many pixels."""
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 << 16), 9)
    parts = ((b"IHDR", head), (b"IDAT", rows), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def laughs(levels: int) -> str:
    """Entities of entities."""
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(levels))
    return f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x>&e{levels};</x>'


def tar(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    """A tar of one member, which may be a link or a device."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        content = b"A heron's letter." if kind == tarfile.REGTYPE else b""
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def lying(data: bytes, rng: random.Random) -> bytes:
    """A zip whose directory lies about sizes."""
    out, at = bytearray(data), data.rfind(b"PK\x01\x02")
    struct.pack_into("<II", out, at + 20, rng.randrange(1 << 32), rng.randrange(1 << 32))
    return bytes(out)


def encrypted(data: bytes) -> bytes:
    """A zip whose members say that they are encrypted."""
    return data.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01")


def sheet_with(cells: str) -> bytes:
    """A workbook whose sheet is this."""
    whole = xlsx({"Sheet": [["a"]]})
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return packed({**parts, "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{name}">{cells}</worksheet>'})


def far_cells() -> bytes:
    """A sheet that claims all the cells there can be, with one at each end."""
    cell = '<row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'
    return sheet_with(
        f'<dimension ref="A1:XFD1048576"/><sheetData>{cell.format(1, "A")}{cell.format(1048576, "XFD")}</sheetData>'
    )


def many_rows(count: int) -> bytes:
    """A sheet of so many rows."""
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, count + 1))
    return sheet_with(f"<sheetData>{rows}</sheetData>")


def pdf_bomb(megabytes: int) -> bytes:
    """A PDF whose one page is packed from so much."""
    press = zlib.compressobj(9)
    packed_page = b"".join(map(press.compress, nothing_but(b"q ", megabytes // 2))) + press.flush()
    body = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(packed_page), packed_page)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>",
        body,
    ]
    whole = b"".join(b"%d 0 obj\n%b\nendobj\n" % (n, each) for n, each in enumerate(objects, 1))
    return b"%PDF-1.4\n" + whole + b"trailer << /Root 1 0 R /Size 5 >>\n%%EOF"


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file with some of its bytes changed, dropped or repeated."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 20)):
        at, length = rng.randrange(len(out)), rng.randint(1, 16)
        choice = rng.randrange(4)
        if choice == 0:
            out[at] = rng.randrange(256)
        elif choice == 1 and len(out) > 100:
            del out[at : at + length]
        elif choice == 2:
            out[at:at] = out[at : at + length]
        else:
            out[at:at] = rng.choice([b"\xff" * 4, b"\0" * 8, b"9" * 20, b"<", b">>", b"{" * 50, b"(" * 50])
    return bytes(out)


Make = Callable[[random.Random, int], bytes]
"""A class of bad files: gives the ``n``-th."""


def _of_formats(change: Callable[[bytes, random.Random], bytes]) -> dict[str, Make]:
    """A change to a good file of each format, as a class each."""

    def of(good: bytes) -> Make:
        return lambda rng, _n: change(good, rng)

    return {name: of(good) for name, good in GOOD.items()}


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(1, len(data))]


def _noise(rng: random.Random, n: int) -> bytes:
    return rng.randbytes(200 * (n + 1))


_HTML = "<html><body>{}</body></html>"
_PAGE = b"/MediaBox [0 0 595 842]"

CLASSES: dict[str, tuple[str, Make]] = {
    **{f"truncated-{name}": (f".{name}", make) for name, make in _of_formats(_cut).items()},
    **{f"mutated-{name}": (f".{name}", make) for name, make in _of_formats(mutated).items()},
    **{f"noise-{name}": (f".{name}", _noise) for name in ("pdf", "docx", "doc", "ppt", "msg", "xls", "png", "txt")},
    "empty-pdf": (".pdf", lambda _rng, n: b" " * n),
    "wrong-extension": (".pdf", lambda rng, _n: rng.choice([GOOD["docx"], GOOD["rtf"], b"plain words"])),
    "bomb-zip": (".zip", lambda _rng, n: bomb(1000 if n == 0 else 120 + n, "a.txt")),
    "bomb-docx": (".docx", lambda _rng, n: bomb(300 if n == 0 else 120 + n, "word/document.xml", _docx_parts())),
    "bomb-gzip": (".gz", lambda _rng, n: gzip.compress(bytes((110 + n) * MEGABYTE), 1)),
    "bomb-pdf": (".pdf", lambda _rng, n: pdf_bomb(20 * (n + 1))),
    "bomb-png": (".png", lambda _rng, n: image_bomb(20_000 + 5_000 * n)),
    "bomb-xml": (".xml", lambda _rng, n: laughs(6 + n).encode()),
    "bomb-xml-docx": (".docx", lambda _rng, n: packed({**_docx_parts(), "word/document.xml": laughs(6 + n)})),
    "nested-zip": (".zip", lambda _rng, n: nested(4 + n)),
    "many-members": (".zip", lambda _rng, n: packed({f"{k}.bin": "" for k in range(10_001 + n)})),
    "lying-zip": (".zip", lambda rng, _n: lying(GOOD["zip"], rng)),
    "lying-docx": (".docx", lambda rng, _n: lying(GOOD["docx"], rng)),
    "encrypted-zip": (".zip", lambda _rng, n: encrypted(packed({f"{n}.txt": "secret"}))),
    "traversal-zip": (".zip", lambda _rng, n: packed({"../" * (n + 1) + "escaped.txt": "A heron's escape."})),
    "traversal-tar": (".tar", lambda _rng, n: tar("/" + "../" * n + "tmp/escaped.txt")),
    "link-tar": (".tar", lambda _rng, n: tar(f"link{n}", tarfile.SYMTYPE, "/etc/passwd")),
    "device-tar": (".tar", lambda _rng, n: tar(f"device{n}", tarfile.CHRTYPE)),
    "giant-page": (".pdf", lambda _rng, n: GOOD["pdf"].replace(_PAGE, b"/MediaBox [0 0 %d 9]" % 10 ** (n + 4))),
    "lying-pages": (".pdf", lambda _rng, n: GOOD["pdf"].replace(b"/Count 2", b"/Count %d" % 10 ** (n + 1))),
    "own-parent": (".pdf", lambda _rng, n: GOOD["pdf"].replace(b"/Kids [", b"/Kids [" + b"2 0 R " * (n + 1))),
    "far-cells": (".xlsx", lambda _rng, _n: far_cells()),
    "many-rows": (".xlsx", lambda _rng, n: many_rows(1_000_000 if n == 0 else 50_000 * n)),
    "deep-html": (".html", lambda _rng, n: _HTML.format("<div>" * 2000 * (n + 1) + "heron").encode()),
    "deep-json": (".json", lambda _rng, n: b"[" * 1000 * (n + 1) + b"]" * 1000 * (n + 1)),
    "deep-xml": (".xml", lambda _rng, n: b"<a>" * 1000 * (n + 1) + b"x" + b"</a>" * 1000 * (n + 1)),
    "deep-rtf": (".rtf", lambda _rng, n: b"{\\rtf1 " + b"{" * 2000 * (n + 1) + b"heron"),
    "deep-mail": (".eml", lambda _rng, n: b"Content-Type: message/rfc822\n\n" * 50 * (n + 1) + b"heron"),
    "long-line": (".csv", lambda _rng, n: b"heron," * 100_000 * (n + 1)),
    "odd-name": (".txt", lambda _rng, n: b"\xff\xfe\xfd" * (n + 1)),
}


def _docx_parts() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(GOOD["docx"])) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name != "word/document.xml"}


LARGE = frozenset({"bomb-docx", "bomb-gzip", "bomb-pdf", "bomb-png", "bomb-zip", "many-rows", "many-members"})
"""Classes whose files take seconds to write, or to read."""


def write_bad(folder: Path, variants: int, seed: int = 0, *, large: bool = True) -> list[Path]:
    """Write so many files of each class; those of the file system's own kinds come once."""
    written = []
    for name, (extension, make) in CLASSES.items():
        if name in LARGE and not large:
            continue
        rng = random.Random(f"{seed} {name}")
        for n in range(variants):
            path = folder / f"bad-{name}-{n}{extension}"
            path.write_bytes(make(rng, n))
            written.append(path)
    os.mkfifo(folder / "bad-fifo.pdf")
    (folder / "bad-link.pdf").symlink_to("/etc/passwd")
    (folder / "bad-device.txt").symlink_to("/dev/zero")
    (Path(os.fsdecode(os.fsencode(folder) + b"/bad-\xff\xfe.txt"))).write_bytes(b"A heron of an odd name.")
    return written


def write_good(folder: Path, count: int) -> list[Path]:
    """Write so many good files, of all formats in turn."""
    names = list(GOOD)
    paths = [folder / f"good-{n}.{names[n % len(names)]}" for n in range(count)]
    for path in paths:
        path.write_bytes(GOOD[path.suffix[1:]])
    return paths
