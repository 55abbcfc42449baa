"""How a command ends: exit codes, and errors as people read them."""

from __future__ import annotations

import os
import sys
from enum import IntEnum
from types import TracebackType

from ammon.errors import AmmonError, BadFilter, LibraryError, ModelError, SourceError

POINTED_WIDTH = 100
"""Cells of a filter shown around a mistake; a longer one is cut on both sides."""


class Exit(IntEnum):
    """The exit codes of ``ammon``; the same for every verb."""

    OK = 0
    CHECK = 1
    USAGE = 2
    LIBRARY = 3
    MODEL = 4
    FILES = 5
    MISTAKE = 70
    INTERRUPTED = 130


MEANING = {
    Exit.OK: "all went well",
    Exit.CHECK: "a check said no: `eval` under its threshold, `doctor` with a problem left, `export` with a loss",
    Exit.USAGE: "wrong usage or bad input: an unknown option, a bad filter, a missing path, an impossible setting",
    Exit.LIBRARY: "the library: not found, busy, damaged, from a later version, or nothing in it",
    Exit.MODEL: "the model: not found, not the library's own, or not answering",
    Exit.FILES: "some files could not be read; everything else was done",
    Exit.MISTAKE: "a mistake in Ammon itself; `AMMON_DEBUG=1` shows where",
    Exit.INTERRUPTED: "interrupted; what was stored stays, and the next run goes on",
}


def code_of(error: AmmonError) -> Exit:
    """The exit code that an error ends a command with."""
    for kind, code in ((LibraryError, Exit.LIBRARY), (ModelError, Exit.MODEL), (SourceError, Exit.FILES)):
        if isinstance(error, kind):
            return code
    return Exit.USAGE


def wants_traceback() -> bool:
    """Whether the environment asks for Python's own traceback."""
    return os.environ.get("AMMON_DEBUG", "") not in ("", "0")


def explain_error(error: AmmonError) -> str:
    """What happened and what to do, on a line each; for a filter, the mistake is pointed at in between."""
    lines = [f"Error: {error}"]
    if isinstance(error, BadFilter) and error.source:
        lines += pointed(error.source, error.position)
    return "\n".join([*lines, f"Hint: {error.hint}"])


def pointed(source: str, position: int) -> list[str]:
    """The filter and a caret under the mistake, as two lines of equal cells; wide characters count two."""
    from rich.cells import cell_len

    from ammon.cli.output import visible

    before, after = visible(source[:position], one_line=True), visible(source[position:], one_line=True)
    if cell_len(before) + cell_len(after) > POINTED_WIDTH:
        kept = POINTED_WIDTH // 2
        before = before if len(before) <= kept else "…" + before[-kept:]
        after = after if len(after) <= kept else after[:kept] + "…"
    return [f"  {before}{after}", "  " + " " * cell_len(before) + "^"]


def complain(error: AmmonError) -> None:
    """Tell an error on stderr."""
    sys.stderr.write(explain_error(error) + "\n")


def report_mistake(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Tell of an error that nobody foresaw, in place of Python's traceback, and leave. Raises: SystemExit."""
    if wants_traceback():
        sys.__excepthook__(kind, error, trace)
    else:
        sys.stderr.write(f"Error: Ammon made a mistake: {kind.__name__}: {error}\n")
        sys.stderr.write(
            "Hint: Nothing that was stored is lost. AMMON_DEBUG=1 shows where it happened; please report it.\n"
        )
    raise SystemExit(Exit.MISTAKE)
