"""Verbs that change a library: ``index`` and ``remove``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import GlobOption, JsonOption, LibraryOption, ModelOption, open_library
from ammon.cli.outcome import Exit
from ammon.cli.output import count, duration, near, say, say_json, skip_line, tell

if TYPE_CHECKING:
    from ammon.library import Library
    from ammon.types import Report, Skip

SHOWN = 20
"""Files listed by name, of those that failed and of those that were left out against expectation."""

UNEXPECTED = ("too-large", "not-regular", "link-cycle", "malformed", "needs-ocr")
"""Skips that are listed by name, because nobody asked for them; ignored and hidden files are only counted."""


def register(app: typer.Typer) -> None:
    """Add these verbs to the program."""
    app.command("index", short_help="Read files and folders, and what changed in them.")(index)
    app.command("remove", short_help="Remove documents; the files themselves stay.")(remove)


def index(
    paths: Annotated[list[str] | None, typer.Argument(metavar="[PATH]...", show_default=False)] = None,
    glob: GlobOption = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Only tell how each file would be read, and why; store nothing.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and follow changes until interrupted.")] = False,
    follow_links: Annotated[
        bool | None, typer.Option("--follow-links", help="Let links lead out of the folder.", show_default=False)
    ] = None,
    model: ModelOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Read files and folders into the library, and follow what changed in them since.

    Without a PATH, every folder that was indexed before is followed again. What is stored is findable at once; an
    interrupted run goes on where it stopped.
    """
    if explain:
        from ammon.cli.explaining import explain_files

        explain_files(paths or [], glob or [], json=json)
        return
    given = {"model": model, "follow_links": follow_links}
    with open_library(library, given, create=bool(paths)) as opened:
        wanted = [str(Path(path).expanduser()) for path in paths or ()]
        try:
            _run(opened, wanted, glob or [], watch=watch, json=json)
        except KeyboardInterrupt:
            _tell_interrupted(opened)
            raise typer.Exit(Exit.INTERRUPTED) from None


def _run(library: Library, paths: list[str], globs: list[str], *, watch: bool, json: bool) -> None:
    from ammon.cli.progress import shown_progress

    with shown_progress() as progress:
        if not watch:
            report = library.index(*paths, glob=globs, progress=progress)
            progress.clear()
            _show(library, report, json=json)
            if report.failed:
                raise typer.Exit(Exit.FILES)
            return
        for passes, report in enumerate(library.watch(*paths, glob=globs, progress=progress)):
            progress.clear()
            _show(library, report, json=json)
            if passes == 0:
                tell("Watching for changes; Ctrl-C ends it.")


def _show(library: Library, report: Report, *, json: bool) -> None:
    if json:
        say_json({"library": library.path, **_counts(report)})
        return
    for line in summary(report, library.path):
        say(line)


def _counts(report: Report) -> dict[str, object]:
    from ammon.cli.output import plain

    return dict(plain(report))


def summary(report: Report, library: Path) -> list[str]:
    """What a run did, as lines for people."""
    changes = [
        f"{number:,} {word}"
        for number, word in (
            (report.added, "added"),
            (report.updated, "updated"),
            (report.renamed, "renamed"),
            (report.removed, "removed"),
            (report.unchanged, "unchanged"),
        )
        if number
    ]
    lines = [f"Files: {', '.join(changes) or 'none found'}  ({duration(report.seconds)}, library {near(str(library))})"]
    lines += _read(report)
    if report.chunks or report.embedded:
        lines.append(f"Text: {count(report.chunks, 'passage')} stored, {count(report.embedded, 'text')} embedded")
    if report.pending:
        lines.append(f"{count(report.pending, 'text')} found by words only so far; run `ammon index` to go on.")
    unexpected = [skip for skip in report.skipped if skip.code in UNEXPECTED]
    lines += _left_out("Skipped", report.skipped) + _listed(unexpected)
    lines += _left_out("In part", report.flagged) + _listed(report.flagged)
    return lines + _left_out("Failed", report.failed) + _listed(report.failed)


def _read(report: Report) -> list[str]:
    """The formats of what was read, and its pages, where there was more than text."""
    if not report.pages and len(report.kinds) < 2:
        return []
    from ammon.sources.kinds import label_of

    labels: Counter[str] = Counter()
    for media_type, number in report.kinds.items():
        labels[label_of(media_type)] += number
    listed = ", ".join(f"{number:,} {label}" for label, number in labels.most_common())
    pages = f"; {count(report.pages, 'page')}" if report.pages else ""
    recognised = f", {report.recognised:,} of them by text recognition" if report.recognised else ""
    return [f"Read: {listed}{pages}{recognised}"]


def _left_out(label: str, skips: Iterable[Skip]) -> list[str]:
    codes = Counter(skip.code for skip in skips)
    if not codes:
        return []
    listed = ", ".join(f"{number:,} {code}" for code, number in codes.most_common())
    return [f"{label}: {listed}"]


def _listed(skips: Sequence[Skip]) -> list[str]:
    lines = [skip_line(skip) for skip in skips[:SHOWN]]
    if len(skips) > SHOWN:
        lines.append(f"  … and {len(skips) - SHOWN:,} more; `--json` lists all.")
    return lines


def _tell_interrupted(library: Library) -> None:
    status = library.status()
    tell(
        f"Interrupted. {count(status.documents, 'document')} and {count(status.chunks, 'passage')} are stored and can "
        f"be searched; {count(status.pending, 'text')} still to embed. The next `ammon index` goes on from here."
    )


def remove(
    documents: Annotated[list[str], typer.Argument(metavar="DOCUMENT...", help="Files, or uris as hits show them.")],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Remove documents from the library; the files themselves stay.

    A file that still lies in an indexed folder comes back with the next `ammon index`, unless `.ammonignore` names it.
    """
    with open_library(library) as opened:
        known = [uri_of(opened, each) for each in documents]
        removed = opened.remove(*known)
    if json:
        say_json({"removed": removed})
    else:
        say(f"Removed {count(removed, 'document')}.")


def uri_of(library: Library, named: str) -> str:
    """The uri that ``named`` means: itself where the library has it, else the absolute path.

    Raises: PathNotFound when the library has neither.
    """
    from ammon.errors import PathNotFound

    absolute = str(Path(named).expanduser().absolute())
    resolved = str(Path(named).expanduser().resolve())
    for uri in dict.fromkeys((named, absolute, resolved)):
        for _ in library.documents({"uri": uri}):
            return uri
    raise PathNotFound(f"The library has no document {named}.", hint="`ammon show` lists what it holds.")
