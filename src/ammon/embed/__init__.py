"""Texts → (n, dim) float32 unit rows, without torch: packaged models, local folders, the hub, remote servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ammon.ports import Embedder

__all__ = ["load_embedder"]


def load_embedder(
    model: str = "multilingual-e5-small", *, cache: Path | None = None, threads: int = 0, url: str = "", key: str = ""
) -> Embedder:
    """Return the embedder of ``model``: a packaged name, a folder, a Hugging Face repo, or a name that ``url`` serves.

    ``cache`` is where builds are kept (default: the user's cache folder); ``threads`` 0 means every core.

    Raises: ModelNotFound, ModelUnavailable.
    """
    from ammon.embed.opening import open_embedder
    from ammon.embed.packaged import MODELS

    return open_embedder(MODELS[model].origin(), cache, threads)
