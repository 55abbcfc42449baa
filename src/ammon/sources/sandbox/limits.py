"""What a process of the sandbox may use: memory, time, depth. It is set in the process, before it reads anything."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

MEMORY: Final = 2 << 30
"""Bytes of address space of a process that reads."""

MEMORY_TO_RECOGNISE: Final = 12 << 30
"""Bytes of address space of the process that recognises text: models are mapped, and each thread reserves some."""

OPEN_FILES: Final = 128
DEPTH: Final = 1_000


def impose(*, recognise: bool) -> list[str]:
    """Take from this process, for good, what no reader needs. Returns a sentence for each limit that cannot be set."""
    sys.setrecursionlimit(DEPTH)
    if sys.platform == "win32":
        return ["Memory, processor time and open files are not limited on this system."]
    limits = importlib.import_module("resource")
    memory = MEMORY_TO_RECOGNISE if recognise else MEMORY
    wanted = {"AS": memory, "FSIZE": 0, "CORE": 0, "NOFILE": OPEN_FILES}
    return list(_refused(limits, wanted))


def _refused(limits: ModuleType, wanted: dict[str, int]) -> Iterator[str]:
    for name, most in wanted.items():
        try:
            limits.setrlimit(getattr(limits, f"RLIMIT_{name}"), (most, most))
        except (OSError, ValueError):
            yield f"The limit {name} cannot be set on this system."


def allow_seconds(seconds: int) -> None:
    """Let this process use so many more seconds of processor time. Past them it is ended by the system."""
    if sys.platform == "win32":
        return
    limits = importlib.import_module("resource")
    used = limits.getrusage(limits.RUSAGE_SELF)
    _, hard = limits.getrlimit(limits.RLIMIT_CPU)
    most = int(used.ru_utime + used.ru_stime) + seconds
    limits.setrlimit(limits.RLIMIT_CPU, (most if hard == limits.RLIM_INFINITY else min(most, hard), hard))


class Memory:
    """What this process holds. To be made before the process is confined: after that, nothing can be opened.

    Not its peak as the system counts it, which begins with that of the process it was started from.
    """

    def __init__(self) -> None:
        told = Path("/proc/self/statm")
        self._told = told.open("rb", buffering=0) if told.exists() else None

    def held(self) -> int:
        """Bytes of memory; 0 where that is not told."""
        if self._told is None:
            return 0
        self._told.seek(0)
        return int(self._told.read(256).split()[1]) * os.sysconf("SC_PAGESIZE")
