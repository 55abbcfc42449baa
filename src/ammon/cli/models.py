"""The verb ``models``: which embedding models there are."""

from __future__ import annotations

import typer

from ammon.cli.options import JsonOption
from ammon.cli.output import plain, say, say_json, size


def register(app: typer.Typer) -> None:
    """Add this verb to the program."""
    app.command("models")(models)


def models(json: JsonOption = False) -> None:
    """List the embedding models: what is here, what could be, sizes and licences."""
    from ammon.embed.models import available_models

    listed = available_models()
    if json:
        say_json([plain(model) for model in listed])
        return
    for model in listed:
        state = "installed" if model.installed else model.hint
        say(f"{model.name}  {model.dim} dimensions, {size(model.size)}, {model.licence}: {state}")
