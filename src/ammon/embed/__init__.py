"""Texts → (n, dim) float32 unit rows, without torch: packaged models, local folders, the hub, remote servers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ammon.embed.cards import ModelCard, available_models
    from ammon.embed.loading import load_embedder, load_reranker
    from ammon.embed.reranker import Reranker

__all__ = ["ModelCard", "Reranker", "available_models", "load_embedder", "load_reranker"]

_HOMES = {
    "ModelCard": "cards",
    "Reranker": "reranker",
    "available_models": "cards",
    "load_embedder": "loading",
    "load_reranker": "loading",
}


def __getattr__(name: str) -> Any:
    """Return a public name from the module that holds it, imported only now."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
