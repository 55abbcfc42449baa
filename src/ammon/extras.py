"""Optional parts, imported where they are used and named in the error when they are absent."""

from __future__ import annotations

import importlib
import sys
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


def import_openvino() -> None:
    """Import OpenVINO without its model converter, which it does without where that is missing.

    The converter brings Intel's telemetry along and takes a third of the time. It can be imported after this as ever.
    """
    converter = "openvino.tools"
    if "openvino" in sys.modules or converter in sys.modules:
        return
    sys.modules[converter] = None  # type: ignore[assignment]  # Python's own way to say that there is no such module
    try:
        importlib.import_module("openvino")
    finally:
        del sys.modules[converter]
