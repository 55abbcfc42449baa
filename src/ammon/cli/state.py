"""Verbs about the library itself: ``status``, ``doctor`` and ``compact``."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import JsonOption, LibraryOption, library_folder, open_library
from ammon.cli.outcome import Exit
from ammon.cli.output import count, near, plain, say, say_json, size, skip_line, tell, visible

if TYPE_CHECKING:
    from ammon.store.local.checking.health import Status


def register(app: typer.Typer) -> None:
    """Add these verbs to the program."""
    app.command("status", short_help="Tell what the library holds and follows.")(status)
    app.command("doctor", short_help="Check every file of the library; repair it.")(doctor)
    app.command("compact", short_help="Make the library small; erase what was deleted.")(compact)


def status(
    failed: Annotated[
        bool, typer.Option("--failed", help="List everything that was left out or read in part, and why.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Tell what the library holds, what it follows, and what was left out."""
    with open_library(library) as opened:
        stock = opened.status()
    if json:
        say_json({**plain(stock), "skipped": dict(Counter(skip.code for skip in stock.skipped))})
        return
    for line in stock_lines(stock):
        say(line)
    if failed:
        for skip in (*stock.failed, *stock.flagged, *stock.skipped):
            say(skip_line(skip))


def stock_lines(stock: Status) -> list[str]:
    """What a library holds, as lines for people."""
    total = sum(stock.files.values())
    largest = sorted(stock.files.items(), key=lambda item: -item[1])
    files = ", ".join(f"{name} {size(held)}" for name, held in largest if held)
    lines = [
        f"Library    {near(str(stock.path))} (schema {stock.schema}, change {stock.sequence:,})",
        f"Documents  {stock.documents:,}",
        f"Passages   {stock.chunks:,}",
        f"Vectors    {stock.vectors:,}" + (f" ({stock.model}, {stock.dim} dimensions)" if stock.model else ""),
    ]
    if stock.pending:
        lines.append(f"Pending    {count(stock.pending, 'text')} found by words only; `ammon index` goes on")
    if stock.building:
        done = f"{stock.building.done:,} of {count(stock.building.texts, 'text')}"
        lines.append(f"Building   {stock.building.model}, {done}; `ammon reembed` goes on")
    if stock.retired:
        lines.append(f"Kept       vectors of {stock.retired}; `ammon reembed --rollback` goes back to them")
    lines += [f"On disk    {size(total)}: {files}"]
    for root in stock.roots:
        globs = f" ({', '.join(root.globs)})" if root.globs else ""
        lines.append(f"Follows    {near(root.uri)}{globs}, {_when(root.completed)}")
    for label, skips in (("Failed", stock.failed), ("In part", stock.flagged), ("Skipped", stock.skipped)):
        if skips:
            codes = ", ".join(f"{held:,} {code}" for code, held in Counter(each.code for each in skips).most_common())
            lines.append(f"{label:<11}{codes}; `ammon status --failed` lists them")
    return lines


def _when(completed: float | None) -> str:
    """When a pass over a root was last completed; ``completed`` is in seconds since the epoch."""
    if completed is None:
        return "never completed"
    return datetime.fromtimestamp(completed, UTC).astimezone().strftime("last on %Y-%m-%d at %H:%M")


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended from what is sound.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Check every file of the library; exit code 1 when something is wrong and was not repaired.

    Works on a library that is too damaged to be opened, and says what of it can still be read.
    """
    from ammon.settings import load_settings
    from ammon.store.local.checking.doctor import diagnose

    folder = library_folder(library)
    findings = diagnose(folder, repair=repair, lock_timeout=load_settings(folder).lock_timeout)
    if json:
        say_json(findings)
    else:
        for finding in findings:
            say(f"{visible(finding.file)}: {visible(finding.problem)}{'; repaired' if finding.repaired else ''}")
            if finding.hint:
                say(f"  {finding.hint}")
        if not findings:
            say(f"The library at {near(str(folder))} is sound.")
    if any(not finding.repaired for finding in findings):
        raise typer.Exit(Exit.CHECK)


def compact(library: LibraryOption = None, json: JsonOption = False) -> None:
    """Give back the room of what was deleted, and leave no byte of it in the library's files.

    A little of this happens by itself after every `ammon index`. Searches go on meanwhile; who writes waits.
    """
    with open_library(library) as opened:
        done = opened.upkeep.compact()
    if json:
        say_json({**plain(done), "freed": done.freed})
        return
    say(f"Freed {size(max(done.freed, 0))}; the library takes {size(done.after)}.")
    if done.note:
        tell(done.note)
