"""A model's name → the model: which of the origins it belongs to, and the error that says what to do if to none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ammon.embed.cache import default_folder
from ammon.embed.folder import embedding_origin, scoring_origin
from ammon.embed.hub import fetch, is_repo
from ammon.embed.opening import open_embedder, open_reranker
from ammon.embed.packaged import DEFAULT, MODELS
from ammon.embed.prompts import KNOWN
from ammon.errors import ModelNotFound

if TYPE_CHECKING:
    from ammon.embed.reranker import Reranker
    from ammon.embed.specification import Origin
    from ammon.ports import Embedder


def load_embedder(
    model: str = DEFAULT, *, cache: Path | None = None, threads: int = 0, url: str = "", key: str = ""
) -> Embedder:
    """Return the embedder of ``model``: a packaged name, a folder, a Hugging Face repo, or a name that ``url`` serves.

    ``cache`` is where builds are kept (default: the user's cache folder); ``threads`` 0 means every core; ``key`` is
    what the server at ``url`` asks for.

    >>> load_embedder().embed_queries(["why is the sky blue?"]).shape
    (1, 384)

    Raises: ModelNotFound where there is no such model, InputError for an address that is none.
    """
    if url:
        from ammon.embed.remote import RemoteEmbedder

        return RemoteEmbedder(model, url, key)
    if model in MODELS:
        return open_embedder(MODELS[model].origin(), cache, threads)
    return open_embedder(_elsewhere(model, cache, embedding_origin), cache, threads)


def load_reranker(model: str, *, cache: Path | None = None, threads: int = 0) -> Reranker:
    """Return the cross-encoder in a folder or Hugging Face repo; its ``score(query, texts)`` gives ``(n,)`` in (0, 1).

    Raises: ModelNotFound where there is none.
    """
    return open_reranker(_elsewhere(model, cache, scoring_origin), cache, threads)


def _elsewhere(model: str, cache: Path | None, read: Callable[[Path, str], Origin]) -> Origin:
    folder = Path(model).expanduser()
    if model and folder.is_dir():
        # A name that means the same folder wherever the library is opened; but a name may say which prompts to use.
        name = model if model in KNOWN else str(folder.absolute())
        return read(folder.resolve(), name)
    if is_repo(model):
        return read(fetch(model, cache or default_folder()), model)
    raise ModelNotFound(
        f"There is no model '{model}': it is neither packaged ({', '.join(MODELS)}), nor a folder, nor a repo's name.",
        hint="Run `ammon models` to see what there is, or give a folder or a name like BAAI/bge-small-en-v1.5.",
    )
