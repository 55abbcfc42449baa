"""Where bytes come from and how they become text: walk a folder, open safely, tell what it is, load it.

Knows nothing of chunks, models or stores. A new format is one loader file and its lines in `kinds`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ammon.sources.codes import SKIP_CODES
    from ammon.sources.decoding import decode
    from ammon.sources.kinds import KINDS, Kind
    from ammon.sources.loading import load
    from ammon.sources.names import path_of, uri_of
    from ammon.sources.opening import MAX_BYTES, read
    from ammon.sources.reading import MEMBER, Found
    from ammon.sources.sandbox.pool import Sandbox
    from ammon.sources.sandbox.process import Asked
    from ammon.sources.telling import is_for_sandbox
    from ammon.sources.walking import walk

__all__ = [
    "KINDS",
    "MAX_BYTES",
    "MEMBER",
    "SKIP_CODES",
    "Asked",
    "Found",
    "Kind",
    "Sandbox",
    "decode",
    "is_for_sandbox",
    "load",
    "path_of",
    "read",
    "uri_of",
    "walk",
]

_HOMES = {
    "KINDS": "kinds",
    "MAX_BYTES": "opening",
    "MEMBER": "reading",
    "SKIP_CODES": "codes",
    "Asked": "sandbox.process",
    "Found": "reading",
    "Kind": "kinds",
    "Sandbox": "sandbox.pool",
    "decode": "decoding",
    "is_for_sandbox": "telling",
    "load": "loading",
    "path_of": "names",
    "read": "opening",
    "uri_of": "names",
    "walk": "walking",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the module that holds it, imported only now: a walk over known files reads none."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
