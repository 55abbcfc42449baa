"""RTF → text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from ammon.errors import SourceError
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.reading import Reading

_PICTURE: Final = re.compile(rb"\\bin\d+ ?|[0-9a-fA-F\s]{2048,}")
"""Pictures are long runs of hexadecimal digits, of which nothing is wanted."""

_HEAD: Final = 65_536
_STATED: Final = re.compile(rb"\{\\(title|author|subject|keywords) ((?:[^{}\\]|\\[^{}])*)\}")


def load(data: bytes, _kind: Kind, _reading: Reading) -> Loaded:
    """Return the text. Raises: SourceError with the code ``malformed``."""
    stated = {
        name.decode(): one_line(text_of(rb"{\rtf1 " + said + b"}")) for name, said in _STATED.findall(data[:65_536])
    }
    title = stated.pop("title", "")
    return Loaded(text_of(data), title=title, metadata={name: said for name, said in stated.items() if said})


def text_of(data: bytes) -> str:
    """Return the text of RTF. Raises: SourceError with the code ``malformed``."""
    from striprtf import striprtf

    to_text: Callable[..., str] = striprtf.rtf_to_text
    try:
        return to_text(_PICTURE.sub(b" ", data).decode("latin-1"), errors="replace")
    except (ValueError, IndexError, KeyError, LookupError, RecursionError) as error:
        raise SourceError(f"It is no RTF that can be read: {error}.", code="malformed") from error
