"""Verbs that move a whole library: ``snapshot`` and ``restore``, ``export`` and ``import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import JsonOption, LibraryOption, library_folder, open_library
from ammon.cli.outcome import Exit
from ammon.cli.output import count, near, plain, say, say_json, size, visible

if TYPE_CHECKING:
    from ammon.store.local.moving.snapshots import Snapshot


def register(app: typer.Typer) -> None:
    """Add these verbs to the program."""
    app.command("snapshot", short_help="Copy the library as it is now into a new folder.")(snapshot)
    app.command("restore", short_help="Make a snapshot the library.")(restore)
    app.command("export", short_help="Write the library into one portable file.")(export)
    app.command("import", short_help="Merge an exported file into the library.")(import_)


def snapshot(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A folder that is not there yet.")],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Copy the library as it is now into a new folder, and verify the copy.

    Others may search and write meanwhile. The copy is a library of its own, and what `ammon restore` takes.
    """
    from ammon.cli.progress import shown_progress

    with open_library(library) as opened, shown_progress() as progress:
        taken = opened.upkeep.snapshot(target, progress)
    if json:
        say_json(taken)
    else:
        say(f"Snapshot of {near(str(opened.path))} in {near(str(taken.path))}: {held(taken)}.")


def held(taken: Snapshot) -> str:
    """What a snapshot holds, in words."""
    return (
        f"{count(taken.documents, 'document')}, {count(taken.chunks, 'passage')}, {count(taken.vectors, 'vector')}, "
        f"{size(taken.size)}"
    )


def restore(
    source: Annotated[str, typer.Argument(metavar="SNAPSHOT", help="A folder that `ammon snapshot` made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Move a library that is there aside, under a new name.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Make a snapshot the library, after checking that it still is what it was.

    The snapshot itself stays as it is. A library that is in its place is never deleted.
    """
    from ammon.cli.progress import shown_progress
    from ammon.upkeep import restore as restored_to

    with shown_progress() as progress:
        restored = restored_to(source, library_folder(library), replace=replace, progress=progress)
    if json:
        say_json(restored)
        return
    say(f"Restored {near(str(restored.path))} as of {restored.snapshot.created}: {held(restored.snapshot)}.")
    if restored.aside:
        say(f"What was there is now {near(str(restored.aside))}.")


def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that is not there yet.")],
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Write all that the library holds into one portable file: text, passages, vectors, and what it follows.

    Of a damaged library it saves what can be read, says what cannot, and ends with exit code 1.
    """
    from ammon.cli.progress import shown_progress
    from ammon.upkeep import export as exported_to

    with shown_progress() as progress:
        exported = exported_to(library_folder(library), file, progress)
    if json:
        say_json(exported)
    else:
        say(
            f"Exported {count(exported.documents, 'document')}, {count(exported.chunks, 'passage')} and "
            f"{count(exported.vectors, 'vector')} to {near(str(exported.path))} ({size(exported.size)})."
        )
        for loss in exported.losses:
            say(f"  lost: {visible(loss, one_line=True)}")
    if exported.losses:
        raise typer.Exit(Exit.CHECK)


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A file that `ammon export` wrote.")],
    without_vectors: Annotated[
        bool, typer.Option("--without-vectors", help="Take only the text; `ammon index` embeds it anew.")
    ] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Merge an exported file into the library, which is made when there is none.

    Documents that are equal are passed over; of the same name, the file's replaces the library's. The file is checked
    before anything is stored. An interrupted import goes on when it is run again.
    """
    from ammon.cli.progress import shown_progress
    from ammon.upkeep import check_export

    path = Path(file).expanduser()
    check_export(path)
    with open_library(library, create=True) as opened, shown_progress() as progress:
        imported = opened.upkeep.import_file(path, vectors=not without_vectors, progress=progress)
    if json:
        say_json({"library": opened.path, **plain(imported)})
        return
    say(
        f"Imported {count(imported.documents, 'document')} into {near(str(opened.path))}: {imported.added:,} added, "
        f"{imported.updated:,} updated, {imported.unchanged:,} unchanged."
    )
    say(f"Text: {count(imported.chunks, 'passage')} stored, {count(imported.vectors, 'vector')} taken over.")
    if imported.pending:
        say(f"{count(imported.pending, 'text')} found by words only so far; run `ammon index` to go on.")
