"""Source code: verbatim, one part that names its grammar."""

from __future__ import annotations

from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.types import Part


def load(text: str, kind: Kind) -> Loaded:
    """Return the text as it is; the title stays empty, since the file's name says more."""
    return Loaded(text, parts=(Part(0, len(text), "code", grammar=kind.grammar),))
