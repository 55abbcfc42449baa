"""Options that several verbs share, and how a verb gets its library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ammon.library import Library

LibraryOption = Annotated[
    str | None,
    typer.Option("--library", "-L", metavar="FOLDER", help="The library to use. [env: AMMON_LIBRARY]"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON to stdout, and nothing else there.")]
ModelOption = Annotated[
    str | None, typer.Option("--model", "-m", metavar="MODEL", help="The embedding model; see `ammon models`.")
]
WhereOption = Annotated[
    str | None,
    typer.Option("--where", "-w", metavar="FILTER", help="Only passages that match: year >= 2020 and lang = 'zh'."),
]
CountOption = Annotated[int, typer.Option("-k", "--count", metavar="K", help="How many passages to show.")]
GlobOption = Annotated[
    list[str] | None,
    typer.Option("--glob", "-g", metavar="GLOB", help="Only files like this, '**/*.md'; may be given again."),
]
LlmOption = Annotated[str | None, typer.Option("--llm", metavar="MODEL", help="The language model to ask, at llm_url.")]
LanguageOption = Annotated[
    str, typer.Option("--language", metavar="CODE", help="The prompt's language: en or zh, or one of your own.")
]


def library_folder(library: str | None) -> Path:
    """The folder of the library that a command is about."""
    from ammon.settings import find_library

    return find_library(library)


def open_library(library: str | None, given: Mapping[str, object] | None = None, *, create: bool = False) -> Library:
    """The library that a command is about, with the settings in force; use it in a ``with`` block.

    Raises: LibraryNotFound when it is not there and not to be created; SettingsError.
    """
    from ammon.library import Library
    from ammon.settings import load_settings

    folder = library_folder(library)
    return Library(folder, settings=load_settings(folder, given), create=create)


def is_to_list(context: typer.Context, library: str | None, json: bool) -> bool:
    """Whether a group of verbs was given none, and lists. Raises: BadParameter for options before a verb."""
    if context.invoked_subcommand is None:
        return True
    if library or json:
        raise typer.BadParameter(f"Give options after the verb: ammon {context.info_name} VERB [OPTIONS].")
    return False
