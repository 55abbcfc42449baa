"""The verbs below ``prompts``: what is said to language models, and how to say it better."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ammon.cli.options import (
    JsonOption,
    LanguageOption,
    LibraryOption,
    LlmOption,
    is_to_list,
    library_folder,
    open_library,
)
from ammon.cli.output import count, near, plain, say, say_json, tell, visible

if TYPE_CHECKING:
    from ammon.optimising import Optimised

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="A prompt, as `ammon prompts` lists it.")]
SHOWN_HASH = 8

program = typer.Typer(
    help="List the prompts for language models: ours, and the library's own, which win.", invoke_without_command=True
)


def register(app: typer.Typer) -> None:
    """Add these verbs to the program."""
    app.add_typer(program, name="prompts", short_help="List, show, copy or optimise the prompts for language models.")
    program.command("show", short_help="Show a prompt as it stands in its file.")(show)
    program.command("copy", short_help="Copy one of our prompts into the library, to be edited.")(copy)
    program.command("optimise", short_help="Find a better prompt for a question set.")(optimise)


def folder_of(library: str | None) -> Path:
    """The folder of the library's own prompts; not necessarily there."""
    from ammon.answer.templates import FOLDER_NAME

    return library_folder(library) / FOLDER_NAME


@program.callback()
def prompts(context: typer.Context, library: LibraryOption = None, json: JsonOption = False) -> None:
    """List the prompts for language models: ours, and the library's own, which win."""
    if not is_to_list(context, library, json):
        return
    from ammon.answer.templates import prompts as all_prompts

    found = all_prompts(folder_of(library))
    if json:
        say_json([{**plain(each), "text": each.text} for each in found])
        return
    for each in found:
        whose = "own" if each.own else "ours"
        head = f"{each.name:<22}{each.language}  version {each.version:<3} {each.hash[:SHOWN_HASH]}  {whose:<5}"
        say(f"{head}{visible(each.description, one_line=True)}")


def show(
    name: NameArgument, language: LanguageOption = "en", library: LibraryOption = None, json: JsonOption = False
) -> None:
    """Show a prompt as it stands in its file."""
    from ammon.answer.templates import find_prompt

    found = find_prompt(name, language, folder_of(library))
    if json:
        say_json(found)
        return
    tell(f"{near(str(found.path))}, hash {found.hash}")
    say(visible(found.path.read_text("utf-8")).rstrip())


def copy(name: NameArgument, language: LanguageOption = "en", library: LibraryOption = None) -> None:
    """Copy one of our prompts into the library, where it can be edited and wins over ours."""
    from ammon.answer.templates import copy_prompt

    with open_library(library) as opened:
        say(near(str(copy_prompt(name, language, folder_of(str(opened.path))))))


def optimise(
    name: NameArgument,
    questions: Annotated[
        str, typer.Argument(metavar="QUESTIONS", help='A file, one a line: {"question": "…", "answers": ["…"]}.')
    ],
    llm: LlmOption = None,
    metric: Annotated[str, typer.Option("--metric", help="What is to be high: contains, exact or f1.")] = "contains",
    budget: Annotated[int, typer.Option("--budget", metavar="CALLS", min=1, help="Calls of the model at most.")] = 200,
    instruction: Annotated[
        list[str] | None, typer.Option("--instruction", metavar="TEXT", help="To be tried; may be given again.")
    ] = None,
    written: Annotated[int, typer.Option("--written", metavar="N", min=0, help="Instructions the model writes.")] = 4,
    language: LanguageOption = "en",
    library: LibraryOption = None,
    json: JsonOption = False,
) -> None:
    """Find a better prompt for a question set: other instructions and examples, tried against one another.

    A better one is put into the library's own prompts; the scores of all stand beside it as JSON.
    """
    from ammon.answer.llm.opening import open_llm
    from ammon.cli.progress import shown_progress
    from ammon.errors import InputError
    from ammon.optimising import Search, optimise_in

    asked = Search(metric, budget, tuple(instruction or ()), written)
    with open_library(library) as opened, shown_progress() as progress:
        model = open_llm(opened.settings, llm or "")
        if model is None:
            raise InputError("No language model was named.", hint="Name one with --llm, or set AMMON_LLM.")
        done = optimise_in(opened, name, language, Path(questions).expanduser(), model, asked, progress)
    if json:
        say_json(done)
    else:
        show_scores(done)


def show_scores(done: Optimised) -> None:
    """Write what was tried, best first, and what came of it."""
    for each in done.tried:
        examples = f" + {count(len(each.examples), 'example')}" if each.examples else ""
        instruction = visible(each.instruction, one_line=True)
        say(f"{each.score:.3f}  {count(each.questions, 'question')}  {instruction}{examples}")
    say(f"Kept: {near(str(done.prompt.path))}" if done.better else "None is better than the prompt there is.")
    for remark in done.remarks:
        tell(visible(remark, one_line=True))
