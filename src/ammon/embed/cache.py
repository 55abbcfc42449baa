"""Built models on disk: a compiled graph, a tokenizer and a manifest, checked on opening and replaced whole.

One folder a build, named by what it was made from. It is written aside and renamed, so a reader sees all of it or
nothing, and two processes that build the same model at once do no harm. All of it can be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Build:
    """A build found in the cache: its folder, and what its manifest says about the model."""

    folder: Path
    facts: Mapping[str, Any]


def default_folder() -> Path:
    """Return the user's cache folder for Ammon, whether or not it exists."""
    from platformdirs import user_cache_path

    return user_cache_path("ammon")


def place(cache: Path, name: str, stamp: str) -> Path:
    """Return the folder of the build of model ``name`` that ``stamp`` identifies."""
    plain = "".join(letter if letter.isalnum() or letter in "-._" else "-" for letter in name)[-60:]
    return cache / "models" / f"{plain}-{hashlib.blake2b(stamp.encode(), digest_size=8).hexdigest()}"


def find(folder: Path) -> Build | None:
    """Return the build in ``folder``; None where there is none, or where any file of it is not as it was written."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        sound = all(checksum(folder / name) == expected for name, expected in manifest["files"].items())
        return Build(folder, manifest["facts"]) if sound else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save(folder: Path, files: Mapping[str, bytes], facts: Mapping[str, Any]) -> Build | None:
    """Write a build to ``folder``, replacing what is there; None where the disk does not take it."""
    aside: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        for name, content in files.items():
            (aside / name).write_bytes(content)
        sums = {name: zlib.crc32(content) for name, content in files.items()}
        (aside / MANIFEST).write_text(json.dumps({"files": sums, "facts": facts}, ensure_ascii=False))
        _swap(aside, folder)
        return Build(folder, facts)
    except OSError:  # a cache that cannot be written costs time, not the answer
        return None
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file's bytes, mapped, not read: it is here against accidents, not against malice."""
    import numpy as np

    return zlib.crc32(np.memmap(path, np.uint8, "r").data)


def _swap(aside: Path, folder: Path) -> None:
    try:
        aside.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        if find(folder) is not None:  # another process was first; its build is as good
            return
        shutil.rmtree(folder)
        aside.rename(folder)
