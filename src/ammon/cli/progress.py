"""How far ``index`` has come: a live bar on a terminal, at most one line a second elsewhere, both on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from ammon.cli.output import console, count, duration, near, size, tell

if TYPE_CHECKING:
    from rich.live import Live

    from ammon.progress import Progress

SECONDS_BETWEEN_LINES = 1.0


class Shown(Protocol):
    """Where progress is shown."""

    def __call__(self, progress: Progress) -> None:
        """Show a state of progress."""
        ...

    def clear(self) -> None:
        """Take away what is shown, so that something else can be written."""
        ...


@contextmanager
def shown_progress() -> Iterator[Shown]:
    """A place to show progress for as long as the block lasts: a bar on a terminal, lines elsewhere."""
    shown = _Bar() if sys.stderr.isatty() else _Lines()
    try:
        yield shown
    finally:
        shown.clear()


class _Bar:
    """One line that changes in place."""

    def __init__(self) -> None:
        self._live: Live | None = None

    def __call__(self, progress: Progress) -> None:
        if self._live is None:
            from rich.live import Live

            self._live = Live(
                console=console(stderr=True),
                refresh_per_second=8,
                transient=True,
                redirect_stdout=False,  # or what is written to stdout would go to stderr
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(line(progress, self._live.console.width))

    def clear(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class _Lines:
    """Writes a line when the last one is a second old."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_LINES and not _is_over(progress):
            self._last = now
            tell(line(progress))

    def clear(self) -> None:
        self._last = time.monotonic()


def line(progress: Progress, width: int = 0) -> str:
    """One state of progress as one line, cut to ``width`` cells where that is given."""
    from rich.cells import set_cell_size

    tell = {"scan": _scan, "text": _text, "vectors": _vectors, "copy": _copy, "check": _check, "parts": _parts}
    text = tell[progress.phase](progress)
    if progress.seconds_left is not None and not _is_over(progress):
        text += f", {duration(progress.seconds_left)} left"
    if progress.current:
        text += f"  {near(progress.current)}"
    return set_cell_size(text, width).rstrip() if width else text


def _is_over(progress: Progress) -> bool:
    """Whether nothing is left to embed: the summary that follows says the same."""
    return progress.phase == "vectors" and progress.vectors_done >= progress.vectors_total


def _scan(progress: Progress) -> str:
    return f"Looking: {count(progress.files_total or progress.files_done, 'file')}"


def _text(progress: Progress) -> str:
    done = f"Reading: {progress.files_done:,} of {count(progress.files_total, 'file')}"
    return f"{done}, {count(progress.chunks, 'passage')}"


def _vectors(progress: Progress) -> str:
    done = f"Embedding: {progress.vectors_done:,} of {count(progress.vectors_total, 'text')}"
    return f"{done}, {progress.tokens_per_second:,.0f} tokens/s" if progress.tokens_per_second else done


def _copy(progress: Progress) -> str:
    if progress.bytes_total:
        return f"Copying: {size(progress.bytes_done)} of {size(progress.bytes_total)}"
    return f"Copying: {progress.files_done:,} of {count(progress.files_total, 'document')}"


def _check(progress: Progress) -> str:
    return f"Checking: {size(progress.bytes_done)} of {size(progress.bytes_total)}"


def _parts(progress: Progress) -> str:
    return f"Asking the model: {progress.files_done:,} of {count(progress.files_total, 'time')}"
