"""The ``ammon`` program: its verbs put together, its errors turned into messages and exit codes.

Imports nothing heavy: a verb loads what it needs when it runs.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ammon.cli import (
    asking,
    evaluating,
    indexing,
    models,
    moving,
    prompting,
    reembedding,
    searching,
    sessions,
    state,
    summarising,
)
from ammon.cli.outcome import Exit, code_of, complain, wants_traceback
from ammon.errors import AmmonError

WELCOME = """\
Ammon searches your files by meaning and by words, offline, and cites what it finds.

  ammon index ~/notes                     read a folder into the library
  ammon search "why is the sky blue?"     find the passages that answer
  ammon ask "why is the sky blue?"        the sentences that answer, cited
  ammon status                            what the library holds

`ammon --help` lists everything; `ammon search --help` tells about one verb."""


class Verbs(TyperGroup):
    """The group of all verbs. Ends a verb that raised with a message and an exit code, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb. Raises: typer.Exit."""
        for stream in (sys.stdout, sys.stderr):
            # A file's name need not be text; one that is not must not end a listing halfway.
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except AmmonError as error:
            if wants_traceback():
                raise
            complain(error)
            raise typer.Exit(code_of(error)) from None
        except KeyboardInterrupt:
            sys.stderr.write("Interrupted.\n")
            raise typer.Exit(Exit.INTERRUPTED) from None


app = typer.Typer(
    cls=Verbs,
    help="Ammon: search your files by meaning and by words, offline, with citations.",
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(versions())
        raise typer.Exit(Exit.OK)


def versions() -> str:
    """Ammon's version and those of the parts that decide what it finds."""
    from importlib.metadata import version

    import apsw

    from ammon._version import __version__

    parts = [f"SQLite {apsw.sqlite_lib_version()}"]
    parts += [f"{name} {version(name.lower())}" for name in ("OpenVINO", "turbovec", "tantivy")]
    return f"ammon {__version__} ({', '.join(parts)})"


@app.callback()
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show versions and leave.")
    ] = False,
) -> None:
    """Ammon: search your files by meaning and by words, offline, with citations."""
    if context.invoked_subcommand is None and not version:
        typer.echo(WELCOME)


VERBS = (
    *(indexing, searching, asking, summarising, prompting, sessions),
    *(state, models, evaluating, moving, reembedding),
)
for verbs in VERBS:
    verbs.register(app)
