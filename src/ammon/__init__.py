"""Ammon: long-term memory and similarity search for people and language models.

Importing it loads nothing heavy: each public name is fetched from its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ammon._version import __version__

if TYPE_CHECKING:
    from ammon.errors import AmmonError, BadFilter, InputError, LibraryError, ModelError, SourceError
    from ammon.library import Library
    from ammon.settings import Settings, load_settings
    from ammon.types import Chunk, Document, Hit, Part, Query, Report, Span

_HOMES = {
    "ammon.errors": ("AmmonError", "BadFilter", "InputError", "LibraryError", "ModelError", "SourceError"),
    "ammon.library": ("Library",),
    "ammon.settings": ("Settings", "load_settings"),
    "ammon.types": ("Chunk", "Document", "Hit", "Part", "Query", "Report", "Span"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AmmonError",
    "BadFilter",
    "Chunk",
    "Document",
    "Hit",
    "InputError",
    "Library",
    "LibraryError",
    "ModelError",
    "Part",
    "Query",
    "Report",
    "Settings",
    "SourceError",
    "Span",
    "__version__",
    "load_settings",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ammon' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
