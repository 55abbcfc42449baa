"""The verbs below ``sessions``: conversations that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import JsonOption, LibraryOption, is_to_list, library_folder
from ammon.cli.output import count, near, say, say_json, tell, visible

if TYPE_CHECKING:
    from ammon.answer.sessions import Sessions

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A session, as `ammon sessions` lists it.")]

program = typer.Typer(help="List the conversations that are kept.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add these verbs to the program."""
    app.add_typer(program, name="sessions", short_help="List, show or delete conversations.")
    program.command("show", short_help="Show a conversation.")(show)
    program.command("delete", short_help="Forget a conversation, for good.")(delete)


def _sessions(library: str | None) -> Sessions:
    from ammon.answer.sessions import Sessions

    return Sessions(library_folder(library))


@program.callback()
def sessions(context: typer.Context, library: LibraryOption = None, json: JsonOption = False) -> None:
    """List the conversations that are kept, with the last question of each."""
    if not is_to_list(context, library, json):
        return
    found = list(_sessions(library).all())
    if json:
        say_json([{"name": each.name, "turns": len(each.turns), "remarks": each.remarks} for each in found])
        return
    for each in found:
        last = visible(each.turns[-1].question, one_line=True) if each.turns else ""
        say(f"{each.name}  {count(len(each.turns), 'turn')}  {last}".rstrip())


def show(name: NameArgument, library: LibraryOption = None, json: JsonOption = False) -> None:
    """Show a conversation: each question, its answer, and where that was found."""
    found = _sessions(library).find(name)
    if json:
        say_json(found)
        return
    for turn in found.turns:
        say(f"{turn.time}  {visible(turn.question)}".strip())
        say(visible(turn.answer))
        for place in turn.places:
            say(f"      {near(place)}")
        say()
    for remark in found.remarks:
        tell(remark)


def delete(name: NameArgument, library: LibraryOption = None) -> None:
    """Forget a conversation, for good."""
    _sessions(library).remove(name)
    say(f"Deleted {name}.")
