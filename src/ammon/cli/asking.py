"""The verb that answers: ``ask``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import JsonOption, LibraryOption, ModelOption, WhereOption, open_library
from ammon.cli.output import near, plain, say, say_json, tell, visible

if TYPE_CHECKING:
    from ammon.answers import Answer

NEAREST = 3
"""How many passages are named where there is no answer."""


def register(app: typer.Typer) -> None:
    """Add this verb to the program."""
    app.command("ask", short_help="Answer a question from the library, with citations.")(ask)


def ask(
    question: Annotated[list[str], typer.Argument(metavar="QUESTION...", help="A question; quotes may be left out.")],
    k: Annotated[
        int, typer.Option("-k", "--count", metavar="K", help="How many passages to look for the answer in.")
    ] = 8,
    sentences: Annotated[
        int, typer.Option("--sentences", "-n", metavar="N", help="The most sentences to answer with.")
    ] = 2,
    where: WhereOption = None,
    model: ModelOption = None,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Answer a question from the library, word for word from its passages, and cite each of them.

    Says so when the library does not seem to hold the answer.
    """
    with open_library(library, {"model": model}) as opened:
        answer = opened.ask(" ".join(question), k=k, where=where, sentences=sentences)
    if json:
        say_json(answer_json(answer))
    elif answer.abstained:
        _show_nearest(answer)
    else:
        _show(answer)


def answer_json(answer: Answer) -> dict[str, object]:
    """An answer as JSON holds it: its fields, and its citations with their numbers and places."""
    citations = [
        {"number": number, "place": each.place, "uri": each.uri, **_fields(each)}
        for number, each in enumerate(answer.citations, 1)
    ]
    fields = plain(answer)
    numbers = {(each.uri, each.span): number for number, each in enumerate(answer.citations, 1)}
    for statement, told in zip(answer.statements, fields["statements"], strict=True):
        told["citations"] = [numbers[each.uri, each.span] for each in statement.citations]
    return {**fields, "citations": citations}


def _fields(citation: object) -> dict[str, object]:
    """All that a citation says but for its passage, which stands among the hits."""
    return {name: value for name, value in plain(citation).items() if name != "hit"}


def _show(answer: Answer) -> None:
    numbers = {(each.uri, each.span): number for number, each in enumerate(answer.citations, 1)}
    for statement in answer.statements:
        marks = "".join(f"[{numbers[each.uri, each.span]}]" for each in statement.citations)
        say(f"{visible(statement.text)} {marks}")
    say()
    for number, each in enumerate(answer.citations, 1):
        changed = (
            f"  ({each.hit.freshness} since it was indexed)" if each.hit.freshness in ("changed", "missing") else ""
        )
        say(f"[{number}] {near(each.place)}{changed}")
    for remark in answer.remarks:
        tell(remark)


def _show_nearest(answer: Answer) -> None:
    tell(f"No answer: {answer.reason}")
    if answer.hits:
        tell("The nearest passages; `ammon search` shows them:")
    for hit in answer.hits[:NEAREST]:
        tell(f"  {near(hit.citation)}")
