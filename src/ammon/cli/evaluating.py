"""The verb ``eval``: how good the search is on a labelled set."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import JsonOption, LibraryOption, ModelOption, library_folder, open_library
from ammon.cli.outcome import Exit
from ammon.cli.output import say, say_json, tell

if TYPE_CHECKING:
    from ammon.settings import Settings


def register(app: typer.Typer) -> None:
    """Add this verb to the program."""
    app.command("eval", short_help="Measure search on a labelled set.")(evaluate)


def evaluate(
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="A folder in BEIR form: corpus.jsonl, queries.jsonl, qrels/*.tsv.")
    ],
    min_ndcg: Annotated[
        float | None, typer.Option("--min-ndcg", metavar="X", help="Exit code 1 when the hybrid's nDCG@10 is below.")
    ] = None,
    model: ModelOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Measure search on a labelled set: each leg and the fusion, latency, and the vector index against exact search.

    The set is read into a library of its own, kept in the cache folder so that a second run is quick, unless
    --library names one.
    """
    from ammon.evaluate.datasets import read_dataset
    from ammon.settings import load_settings

    # Read first: a folder of another form leaves no library behind.
    read_dataset(Path(folder).expanduser())
    given = {"model": model}
    named = library or str(own_library(Path(folder), load_settings(library_folder(None), given)))
    with open_library(named, given, create=True) as opened:
        report = opened.evaluate(folder)
    if json:
        say_json(report.as_json())
    else:
        say(report.text())
    if min_ndcg is not None and report.ndcg < min_ndcg:
        tell(f"nDCG@10 is {report.ndcg:.4f}, below {min_ndcg}.")
        raise typer.Exit(Exit.CHECK)


def own_library(folder: Path, settings: Settings) -> Path:
    """Where the library of a labelled set is kept: one for each folder, model and size of passage."""
    absolute = folder.expanduser().resolve()
    key = f"{absolute}\n{settings.model}\n{settings.chunk_tokens}"
    digest = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=4).hexdigest()
    return settings.cache_folder / "eval" / f"{absolute.name}-{digest}"
