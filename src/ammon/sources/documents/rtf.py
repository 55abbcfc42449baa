"""RTF → text."""

from __future__ import annotations

from collections.abc import Callable

from ammon.errors import SourceError
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.reading import Reading


def load(data: bytes, _kind: Kind, _reading: Reading) -> Loaded:
    """Return the text. Raises: SourceError with the code ``malformed``."""
    from striprtf import striprtf

    to_text: Callable[[str], str] = striprtf.rtf_to_text
    try:
        return Loaded(to_text(data.decode("latin-1")))
    except (ValueError, IndexError, KeyError) as error:
        raise SourceError(f"It is no RTF that can be read: {error}.", code="malformed") from error
