"""How far a run of indexing has come, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come. ``seconds_left`` is ``None`` while it cannot be told."""

    phase: Literal["scan", "text", "vectors", "copy", "check", "parts"]
    files_done: int = 0
    files_total: int = 0
    chunks: int = 0
    vectors_done: int = 0
    vectors_total: int = 0
    tokens_per_second: float = 0.0
    seconds_left: float | None = None
    current: str = ""
    bytes_done: int = 0
    bytes_total: int = 0


Watcher = Callable[[Progress], None]


def unwatched(progress: Progress) -> None:
    """The watcher of a run that nobody watches."""
