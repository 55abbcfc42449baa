"""What a loader gives back: the text, and what the file says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ammon.sources.rows import Rows
from ammon.types import Box, Part, Remark

_TITLE_LENGTH: Final = 300
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A text with its parts. ``language`` only where the file declares one; ``media_type`` only to correct the table.

    Rows become a text only in `whole`, when the source's own text has been let go. ``how`` tells people, a sentence
    each, by what means the file was read and why, where that was a choice.
    """

    text: str | Rows
    title: str = ""
    language: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    parts: Sequence[Part] = ()
    media_type: str = ""
    boxes: Sequence[Box] = ()
    remarks: tuple[Remark, ...] = ()
    how: tuple[str, ...] = ()

    def whole(self) -> str:
        """The text."""
        return self.text if isinstance(self.text, str) else self.text.text()


def one_line(text: str) -> str:
    """Return ``text`` with every run of whitespace as one space, at most 300 characters: fit for a title."""
    return " ".join(text[: _TITLE_LENGTH * 4].split())[:_TITLE_LENGTH]


def storable(text: str) -> str:
    """Return ``text`` with lone surrogates, which JSON escapes may hold and UTF-8 may not, as U+FFFD."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
