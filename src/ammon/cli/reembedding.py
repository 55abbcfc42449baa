"""The verb ``reembed``: another model for a library, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import JsonOption, LibraryOption, ModelOption, open_library
from ammon.cli.outcome import Exit
from ammon.cli.output import count, duration, say, say_json, tell, visible

if TYPE_CHECKING:
    from ammon.library import Library
    from ammon.reembedding import Reembedding


def register(app: typer.Typer) -> None:
    """Add this verb to the program."""
    app.command("reembed", short_help="Change the library's model, while it is in use.")(reembed)


def reembed(
    model: ModelOption = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Go back to the model before.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Give up the change that is under way.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Drop what a rollback would go back to.")] = False,
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Embed every text anew with another model, while the library answers with the one it has.

    When all is ready, every program that has the library open goes over to the new model by itself. An interrupted run
    goes on where it stopped, and then needs no --model.
    """
    _refuse_two(model=bool(model), rollback=rollback, cancel=cancel, forget=forget)
    with open_library(library) as opened:
        try:
            if cancel or forget:
                _let_go(opened, cancel=cancel, json=json)
            else:
                _show(_changed(opened, model or "", rollback=rollback), opened, json=json)
        except KeyboardInterrupt:
            _tell_interrupted(opened)
            raise typer.Exit(Exit.INTERRUPTED) from None


def _refuse_two(**given: bool) -> None:
    from ammon.errors import InputError

    named = [f"--{name}" for name, is_given in given.items() if is_given]
    if len(named) > 1:
        raise InputError(f"{named[0]} and {named[1]} do not go together.", hint="Give one of them.")


def _changed(library: Library, model: str, *, rollback: bool) -> Reembedding:
    from ammon.cli.progress import shown_progress

    with shown_progress() as progress:
        upkeep = library.upkeep
        return upkeep.rollback(progress) if rollback else upkeep.reembed(model, progress)


def _let_go(library: Library, *, cancel: bool, json: bool) -> None:
    upkeep = library.upkeep
    model = upkeep.cancel_reembedding() if cancel else upkeep.forget_retired()
    if json:
        say_json({"cancelled" if cancel else "forgotten": model})
    else:
        say(f"Dropped the vectors of {visible(model)}.")


def _show(done: Reembedding, library: Library, *, json: bool) -> None:
    if json:
        say_json({"library": library.path, **_plain(done)})
        return
    for line in summary(done):
        say(line)
    if library.settings.embed_url:
        say(f"Whoever uses the library needs the server at {library.settings.embed_url}: name it in ammon.toml.")


def _plain(done: Reembedding) -> dict[str, object]:
    from ammon.cli.output import plain

    return dict(plain(done))


def summary(done: Reembedding) -> list[str]:
    """What a change of the model did, as lines for people."""
    model, before = visible(done.model), visible(done.before)
    if not done.changed:
        return [f"The library has the model {model} already."]
    rate = f", {done.tokens / done.seconds:,.0f} tokens/s" if done.tokens else ""
    lines = [
        f"Model: {model}" + (f", before {before}" if before else ""),
        f"Embedded: {done.embedded:,} of {count(done.texts, 'text')}  ({duration(done.seconds)}{rate})",
    ]
    if done.longer:
        longer = count(done.longer, "passage is", "passages are")
        lines.append(f"{longer} longer than this model reads ({done.room} tokens): by meaning, the beginning is found.")
    if before:
        lines.append(f"Vectors of {before} are kept: `--rollback` goes back to them, `--forget` drops them.")
    return lines


def _tell_interrupted(library: Library) -> None:
    building = library.status().building
    if building is None:
        tell("Interrupted; the library has the model that it had.")
    else:
        done = f"{building.done:,} of {count(building.texts, 'text')}"
        tell(f"Interrupted. {done} are embedded with {building.model}; the next `ammon reembed` goes on from here.")
