"""Tree-sitter grammars, each from its own wheel, loaded when the first file of its language comes."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any, Final

_ENTRY: Final = {"php": ("php", "language_php"), "typescript": ("typescript", "language_typescript"),
                 "tsx": ("typescript", "language_tsx")}  # fmt: skip
"""Grammars whose wheel holds several, and the function that gives this one."""


@cache
def grammar(name: str) -> Any:
    """Return the language of a grammar such as ``python``; ``None`` where its wheel is not installed."""
    package, function = _ENTRY.get(name, (name, "language"))
    try:
        module = importlib.import_module(f"tree_sitter_{package}")
    except ModuleNotFoundError:
        # Code without a grammar is still text: it is cut at blank lines.
        return None
    return getattr(module, function)()
