"""The verb ``models``: which embedding models there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from ammon.cli.options import JsonOption, LibraryOption, library_folder
from ammon.cli.output import say, say_json, size, visible

if TYPE_CHECKING:
    from ammon.embed import ModelCard


def register(app: typer.Typer) -> None:
    """Add this verb to the program."""
    app.command("models", short_help="List the embedding models.")(models)


def models(library: LibraryOption = None, json: JsonOption = False) -> None:
    """List the embedding models: what is here, what could be, sizes and licences.

    Besides these, a folder in sentence-transformers layout, a Hugging Face repo, or a name that the server at
    `embed_url` knows can be given wherever a model is.
    """
    from ammon.embed import available_models
    from ammon.settings import load_settings

    cards = available_models(cache=load_settings(library_folder(library)).cache_folder)
    if json:
        say_json(cards)
        return
    for card in cards:
        for line in card_lines(card):
            say(line)


def card_lines(card: ModelCard) -> list[str]:
    """A model as lines for people."""
    facts = [f"{card.dim} dimensions", f"up to {card.max_tokens} tokens"]
    facts += [each for each in (card.languages, size(card.size) if card.size else "", card.licence) if each]
    lines = [f"{visible(card.name)}  ({card.state})", f"  {', '.join(facts)}", f"  {visible(card.source)}"]
    return lines + ([f"  to get it: {card.install}"] if card.install else [])
