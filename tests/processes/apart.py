"""Functions run at once, each in a process of its own that shares nothing with this one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")
MEMORY = Path("/dev/shm")
ENDED = "ended"
"""The file in a place that tells those who watch that those who work are done."""


def at_once(working: list[Callable[[], Found]], watching: list[Callable[[], Found]], place: Path) -> list[Found]:
    """What each gives, in this order. Who watches goes on until `has_ended`, which is when all that work are done."""
    with ProcessPoolExecutor(len(working) + len(watching), mp_context=get_context("spawn")) as pool:
        begun = [pool.submit(call) for call in working]
        watchers = [pool.submit(call) for call in watching]
        try:
            given = [each.result() for each in begun]
        finally:
            (place / ENDED).touch()
        return given + [each.result() for each in watchers]


def alone(call: Callable[..., Found], *given: Any) -> Found:
    """What a function gives in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(partial(call, *given)).result()


def has_ended(place: Path) -> bool:
    """Whether all that work are done."""
    return (place / ENDED).exists()


@contextmanager
def quick_place() -> Iterator[Path]:
    """A folder in memory where the system has one: there, what a race needs to happen happens more often."""
    with tempfile.TemporaryDirectory(prefix="ammon-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)
