"""What an old Office file states of itself."""

from __future__ import annotations

import struct
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.decoding import decode
from ammon.sources.loaded import one_line

BROKEN: Final = (OSError, ValueError, IndexError, TypeError, AttributeError, KeyError, struct.error, RecursionError)
"""What `olefile` and what reads its streams raise for files that are not what they should be."""

MARK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How a compound file starts."""


def properties(file: Any) -> tuple[str, dict[str, Any]]:
    """Return title and metadata, as far as an open OLE file states them."""
    stated = file.get_metadata()
    title = _text(stated.title, stated.codepage)
    named = {name: _text(getattr(stated, name, None), stated.codepage) for name in ("author", "subject", "keywords")}
    dates = {"created": stated.create_time, "modified": stated.last_saved_time}
    moments = {name: moment.isoformat(timespec="seconds") for name, moment in dates.items() if moment}
    return title, {**{name: said for name, said in named.items() if said}, **moments}


def _text(value: Any, codepage: Any) -> str:
    if isinstance(value, str):
        return one_line(value)
    if not isinstance(value, bytes) or not value:
        return ""
    number = (codepage or 0) & 0xFFFF
    try:
        return one_line(decode(value.rstrip(b"\0"), declared="utf-8" if number == 65001 else f"cp{number}")[0])
    except SourceError:
        return one_line(value.decode("latin-1"))
