"""What commands write: text for people, JSON for programs. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from ammon.types import Skip

PLAIN_WIDTH = 100
"""Columns where no terminal says how many it has."""


def say(text: str = "") -> None:
    """A line of results, on stdout."""
    sys.stdout.write(text + "\n")


def tell(text: str) -> None:
    """A line about the work, on stderr."""
    sys.stderr.write(text + "\n")


def say_json(value: object) -> None:
    """One JSON value on stdout, indented on a terminal."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2 if sys.stdout.isatty() else None) + "\n")
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """A value of Ammon's as JSON knows it: dataclasses become objects, paths text, tuples and sets lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(each) for each in value)
    if isinstance(value, Path):
        return str(value)
    # numpy's numbers know how to become Python's.
    become_plain = getattr(value, "item", None)
    return value if become_plain is None else become_plain()


def console(*, stderr: bool = False) -> Console:
    """A rich console on stdout or stderr, which sees to colour, ``NO_COLOR`` and the terminal's width."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else int(os.environ.get("COLUMNS") or PLAIN_WIDTH)
    return Console(stderr=stderr, highlight=False, width=width, markup=False, emoji=False)


def visible(text: str, *, one_line: bool = False) -> str:
    """The text with its control characters spelled out, so that no document or file name can steer a terminal."""
    kept = "" if one_line else "\n\t"
    return "".join(each if each.isprintable() or each in kept else _escaped(each) for each in text)


def _escaped(letter: str) -> str:
    if letter.isspace() and letter not in "\n\r\t\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        return letter
    return letter.encode("unicode_escape").decode("ascii") if not "\ud800" <= letter <= "\udfff" else "\ufffd"


def near(uri: str, cwd: Path | None = None) -> str:
    """The uri as people here would write it: relative when it lies under the working folder."""
    here = str(Path.cwd() if cwd is None else cwd).rstrip("/") + "/"
    return visible(uri.removeprefix(here), one_line=True)


def skip_line(skip: Skip) -> str:
    """A file that was left out, and why; its name stands there once, even where the reason begins with it."""
    named = skip.reason.startswith(skip.uri)
    reason = skip.reason.removeprefix(skip.uri) if named else f": {skip.reason}"
    return f"  {near(skip.uri)}{visible(reason, one_line=True)} [{skip.code}]"


def count(number: int, noun: str, several: str = "") -> str:
    """A number with its noun: ``1 file``, ``2,000 files``."""
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


def size(number: float) -> str:
    """Bytes for people, in powers of 1,024: ``1.5 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def duration(seconds: float) -> str:
    """A stretch of time for people: ``0.4 s``, ``12 s``, ``3 min 5 s``, ``2 h 10 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
