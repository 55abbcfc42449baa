"""What there is to choose from: the packaged models, whatever was built before, and how to get the rest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ammon.embed.cache import MANIFEST, default_folder
from ammon.embed.packaged import MODELS, Packaged

State: TypeAlias = Literal["installed", "cached", "absent"]


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model as ``ammon models`` shows it.

    ``size`` is in bytes of what is installed or cached, 0 where unknown. ``state`` is ``installed`` (its files are
    here), ``cached`` (built before, from a folder or the hub) or ``absent``; then ``install`` says how to get it.
    ``source`` is the package, folder or repo it comes from; ``licence`` is the model's, empty where not known.
    """

    name: str
    dim: int
    max_tokens: int
    languages: str
    size: int
    licence: str
    state: State
    source: str
    install: str = ""


_SIZES = {"multilingual-e5-small": (384, 512), "all-MiniLM-L6-v2": (384, 256)}


def available_models(*, cache: Path | None = None) -> list[ModelCard]:
    """Return the packaged models, the default first, then those that were built in ``cache`` before, by name."""
    packaged = [_packaged(model) for model in MODELS.values()]
    return packaged + sorted(_built(cache or default_folder()), key=lambda card: card.name)


def _packaged(model: Packaged) -> ModelCard:
    path = model.find()
    dim, max_tokens = _SIZES[model.name]
    return ModelCard(
        model.name,
        dim,
        max_tokens,
        model.languages,
        _bytes(path) if path else 0,
        model.licence,
        "installed" if path else "absent",
        f"Python package {model.package}",
        "" if path else model.install,
    )


def _built(cache: Path) -> list[ModelCard]:
    cards: dict[str, ModelCard] = {}
    for manifest in (cache / "models").glob(f"*/{MANIFEST}"):
        facts = json.loads(manifest.read_bytes()).get("facts", {})
        name = str(facts.get("name", ""))
        if name and name not in MODELS and facts.get("kind") == "embedding":
            languages = ", ".join(facts.get("languages", []))
            size = _bytes(manifest.parent)
            cards[name] = ModelCard(
                name, int(facts["dim"]), int(facts["max_tokens"]), languages, size, "", "cached", str(facts["source"])
            )
    return list(cards.values())


def _bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
