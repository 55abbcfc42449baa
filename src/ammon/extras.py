"""Optional parts, imported where they are used and named in the error when they are absent."""

from __future__ import annotations

import importlib
from types import ModuleType

from ammon.errors import MissingExtra


def need(module: str, *, extra: str) -> ModuleType:
    """Return the imported ``module``.

    Raises: MissingExtra, whose hint is the command that installs the extra.

    >>> need("json", extra="none").dumps([1])
    '[1]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise MissingExtra(
            f"{module} is not installed; it belongs to the optional part '{extra}'.",
            hint=f"Run: pip install 'ammon[{extra}]'",
        ) from error
