"""The verb ``eval``: how good the search is on a labelled set."""

from __future__ import annotations

from typing import Annotated

import typer

from ammon.cli.options import JsonOption, LibraryOption, ModelOption, open_library
from ammon.cli.outcome import Exit
from ammon.cli.output import plain, say, say_json, tell


def register(app: typer.Typer) -> None:
    """Add this verb to the program."""
    app.command("eval")(evaluate)


def evaluate(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="corpus.jsonl, queries.jsonl and qrels/*.tsv.")],
    min_ndcg: Annotated[
        float | None, typer.Option("--min-ndcg", metavar="X", help="Exit code 1 when nDCG@10 is below.")
    ] = None,
    model: ModelOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Measure search on a folder in BEIR form."""
    with open_library(library, {"model": model}, create=True) as opened:
        report = opened.evaluate(folder)
    if json:
        say_json(plain(report))
    else:
        say(report.text())
    if min_ndcg is not None and report.ndcg < min_ndcg:
        tell(f"nDCG@10 is {report.ndcg:.4f}, below {min_ndcg}.")
        raise typer.Exit(Exit.CHECK)
