"""Word 97 to 2003 (MS-DOC) → text, by the table of its pieces."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.documents.embedded import add_held
from ammon.sources.documents.ole import BROKEN, properties
from ammon.sources.documents.outline import Outline
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading

_MARK: Final = 0xA5EC
_ENCRYPTED: Final = 0x0100
_SECOND_TABLE: Final = 0x0200
_FIRST_WITH_PIECES: Final = 0xC1
"""Version of Word 97; those before kept their text in one piece."""

_COUNTS: Final = 0x4C
"""Where the lengths of the text's stories stand: text, footnotes, headers, macros, comments, endnotes, boxes."""

_PIECES: Final = 0x01A2
_NARROW: Final = 0x40000000
_FIELD: Final = re.compile("\x13[^\x13\x14\x15]*\x14([^\x13\x14\x15]*)\x15|\x13[^\x13\x14\x15]*\x15")
_CONTROLS: Final = {
    **dict.fromkeys(range(0x20)),
    0x09: "\t",
    0x0A: "\n",
    0x0B: "\n",
    0x0C: "\n\n",
    0x0D: "\n\n",
    0x1E: "-",
    0xA0: " ",
    0xAD: None,
}


def load(data: bytes, _kind: Kind, reading: Reading) -> Loaded:
    """Return the document's text. Raises: SourceError with the code ``malformed`` or ``encrypted``."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            stories = list(_stories(file))
            title, metadata = properties(file)
    except BROKEN as error:
        raise SourceError(f"It is no Word document that can be read: {error}.", code="malformed") from error
    add_held(data, reading)
    outline = Outline()
    for kind, text in stories:
        outline.block(_shown(text), "margin" if kind == _HEADERS else "prose")
    return Loaded(outline.text(), title=title, metadata=metadata, parts=outline.parts)


_HEADERS: Final = 2
_MACROS: Final = 3


def _stories(file: Any) -> Iterator[tuple[int, str]]:
    """The text's stories, in order: the text itself, footnotes, headers and footers, comments, endnotes, boxes."""
    main: bytes = file.openstream("WordDocument").read()
    mark, version = struct.unpack_from("<HH", main)
    (flags,) = struct.unpack_from("<H", main, 0x0A)
    if mark != _MARK and version < _FIRST_WITH_PIECES and not 0xA5DB <= mark <= 0xA5EC:
        raise ValueError("it lacks Word's mark")
    if flags & _ENCRYPTED:
        raise SourceError("It is encrypted.", code="encrypted", hint="Save it without a password.")
    if version < _FIRST_WITH_PIECES:
        start, end = struct.unpack_from("<II", main, 0x18)
        yield 0, main[start:end].decode("cp1252", "replace")
        return
    table: bytes = file.openstream("1Table" if flags & _SECOND_TABLE else "0Table").read()
    at, size = struct.unpack_from("<II", main, _PIECES)
    text = "".join(_pieces(main, table[at : at + size]))
    reached = 0
    for kind, length in enumerate(struct.unpack_from("<7i", main, _COUNTS)):
        if length > 0 and kind != _MACROS:
            yield kind, text[reached : reached + length]
        reached += max(length, 0)


def _pieces(main: bytes, table: bytes) -> Iterator[str]:
    """The pieces of text, in order; each is in UTF-16 or, a byte a character, in Windows-1252."""
    at = 0
    while table[at] == 1:
        at += 3 + struct.unpack_from("<H", table, at + 1)[0]
    (size,) = struct.unpack_from("<I", table, at + 1)
    count = (size - 4) // 12
    starts = struct.unpack_from(f"<{count + 1}I", table, at + 5)
    first = at + 5 + 4 * (count + 1)
    for number in range(count):
        (place,) = struct.unpack_from("<I", table, first + 8 * number + 2)
        length = starts[number + 1] - starts[number]
        if place & _NARROW:
            begin = (place & ~_NARROW) // 2
            yield main[begin : begin + length].decode("cp1252", "replace")
        else:
            yield main[place : place + 2 * length].decode("utf-16-le", "replace")


def _shown(text: str) -> str:
    """The text without field codes and marks; cells of a table's row on one line."""
    before = None
    while before != text:
        before, text = text, _FIELD.sub(lambda found: found[1] or "", text)
    text = text.replace("\x07\x07", "\n").replace("\x07", " | ")
    return re.sub(r"\n{3,}", "\n\n", text.translate(_CONTROLS)).strip()
