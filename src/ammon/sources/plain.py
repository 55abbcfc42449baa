"""Plain text: verbatim, titled by its first line where that reads like a title."""

from __future__ import annotations

from typing import Final

from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line

_TITLE_LENGTH: Final = 120


def load(text: str, _kind: Kind) -> Loaded:
    """Return the text as it is."""
    first = text[:2000].lstrip().partition("\n")[0]
    return Loaded(text, title=one_line(first) if len(first) <= _TITLE_LENGTH else "")
