"""The verb ``summarise``: what documents, or the passages on a question, come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import JsonOption, LibraryOption, LlmOption, open_library
from ammon.cli.outcome import Exit
from ammon.cli.output import near, plain, say, say_json, tell, visible

if TYPE_CHECKING:
    from ammon.answers import Answer


def register(app: typer.Typer) -> None:
    """Add this verb to the program."""
    app.command("summarise", short_help="Summarise a document, a folder, or what is found for a question.")(summarise)


def summarise(
    about: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH|QUERY...", help="A document or folder of the library; anything else is a question."
        ),
    ],
    sentences: Annotated[int, typer.Option("--sentences", metavar="N", min=1, help="Sentences at most.")] = 5,
    llm: LlmOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Summarise a document, a folder, or what is found for a question; each sentence with the place it stands at.

    Without a language model, these are the most central sentences of the text, word for word. What a model has written
    is kept: an interrupted summary goes on with the same command.
    """
    from ammon.answer.llm.opening import open_llm
    from ammon.cli.progress import shown_progress
    from ammon.summarising import summarise as summary_of

    with open_library(library) as opened, shown_progress() as progress:
        try:
            answer = summary_of(
                opened,
                " ".join(about),
                sentences=sentences,
                llm=open_llm(opened.settings, llm or ""),
                progress=progress,
            )
        except KeyboardInterrupt:
            progress.clear()
            kept = " What the model wrote is kept; the same command goes on from there." if llm else ""
            tell(f"Interrupted.{kept}")
            raise typer.Exit(Exit.INTERRUPTED) from None
        progress.clear()
        show_summary(answer, json=json)


def show_summary(answer: Answer, *, json: bool) -> None:
    """Write a summary to stdout, sentence by sentence with its places; remarks go to stderr."""
    if json:
        say_json({**plain(answer), "places": [[each.place for each in said.citations] for said in answer.statements]})
        return
    for statement in answer.statements:
        say(visible(statement.text))
        for citation in statement.citations:
            say(f"      {near(citation.place)}")
        for problem in statement.problems:
            say(f"      ({problem})")
    for remark in (answer.reason, *answer.remarks):
        if remark:
            tell(visible(remark, one_line=True))
