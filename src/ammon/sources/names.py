"""Paths as text that any database can hold, and back.

A file name is bytes; Python shows a byte that is not UTF-8 as a lone surrogate, which no UTF-8 text may hold. In a uri
such a byte becomes U+FFFD and two hex digits, and a real U+FFFD becomes U+FFFD and ``00``, so every name has its own
uri. Line ends in names are kept: they are for whoever prints them to show.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_ODD: Final = re.compile("[\udc80-\udcff\ufffd]")
_ESCAPED: Final = re.compile("\ufffd([0-9a-f]{2})")


def uri_of(path: Path | str) -> str:
    """Return the absolute path as UTF-8 text; links in it stay as they are.

    >>> uri_of("/tmp/notes/../a.txt")
    '/tmp/a.txt'
    """
    return escape(os.path.abspath(path))


def escape(path: str) -> str:
    """Return ``path`` with what UTF-8 cannot hold escaped."""
    # An ASCII name, which most are, is told in a few nanoseconds.
    return path if path.isascii() else _ODD.sub(_hex, path)


def path_of(uri: str) -> Path:
    """Return the path that a uri stands for: the inverse of `uri_of`."""
    return Path(uri if uri.isascii() else _ESCAPED.sub(_byte, uri))


def _hex(found: re.Match[str]) -> str:
    character = found[0]
    return "\ufffd00" if character == "\ufffd" else f"\ufffd{ord(character) - 0xDC00:02x}"


def _byte(found: re.Match[str]) -> str:
    value = int(found[1], 16)
    return chr(0xDC00 + value) if value else "\ufffd"
