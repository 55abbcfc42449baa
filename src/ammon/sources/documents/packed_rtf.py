"""RTF as Outlook packs it (MS-OXRTFCP): a dictionary of 4,096 bytes that begins with RTF's usual words."""

from __future__ import annotations

import struct
from typing import Final

from ammon.errors import SourceError

_KNOWN: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans Serif"
    rb"SymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_SIZE: Final = 4096
_PACKED: Final = b"LZFu"
_PLAIN: Final = b"MELA"


def unpacked(data: bytes) -> bytes:
    """Return the RTF. Raises: SourceError with the code ``malformed``."""
    if len(data) < 16:
        raise SourceError("Its packed RTF is cut short.", code="malformed")
    _, size, kind, _ = struct.unpack_from("<II4sI", data)
    if kind == _PLAIN:
        return data[16 : 16 + size]
    if kind != _PACKED:
        raise SourceError("Its RTF is packed in no way that is known.", code="malformed")
    window = bytearray(_KNOWN.ljust(_SIZE, b"\0"))
    write, at, out = len(_KNOWN), 16, bytearray()
    while at < len(data) and len(out) < size:
        control = data[at]
        at += 1
        for bit in range(8):
            if control >> bit & 1:
                if at + 1 >= len(data):
                    return bytes(out)
                pair = int.from_bytes(data[at : at + 2], "big")
                at += 2
                offset, length = pair >> 4, (pair & 15) + 2
                if offset == write % _SIZE:
                    return bytes(out)
                for step in range(length):
                    out.append(window[(offset + step) % _SIZE])
                    window[write % _SIZE] = out[-1]
                    write += 1
            else:
                if at >= len(data):
                    return bytes(out)
                out.append(data[at])
                window[write % _SIZE] = data[at]
                write += 1
                at += 1
    return bytes(out[:size])
