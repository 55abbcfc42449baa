"""The library's own model: loaded when first needed, and held to the space that the library was embedded in."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ammon.errors import ModelChanged
from ammon.ports import Embedder, Split
from ammon.settings import Settings
from ammon.store.local.catalog import Catalog
from ammon.store.local.spaces import Space, active_space, claim_space, mismatch
from ammon.types import Chunk, Document, Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Answer = TypeVar("Answer")

DEFAULT_MODEL = "multilingual-e5-small"
QUERIES_KEPT = 1024
ROOM_FOR_PROMPT = 16
"""Tokens of a model's window that are left to its prompt and special tokens."""


class Encoder:
    """Splits and embeds with one model. Loading waits until something has to be split or embedded.

    The model is the one that was asked for; else it is the library's own, and changes when that does.
    """

    def __init__(self, catalog: Catalog, settings: Settings, embedder: Embedder | None = None) -> None:
        self._catalog = catalog
        self._settings = settings
        self._guard = threading.Lock()
        self._splitting = threading.Lock()
        self._follows = embedder is None and not settings.model
        self._given = embedder
        self._embedder = embedder
        self._split: tuple[Embedder, Split] | None = None
        self._queries: CachedQueries | None = None

    @property
    def embedder(self) -> Embedder:
        """The model that was asked for, else the library's own, else the default one.

        Raises: ModelNotFound, ModelUnavailable.
        """
        return self._serving(active_space(self._catalog))

    def _serving(self, space: Space | None) -> Embedder:
        with self._guard:
            model = self._embedder
            outdated = self._follows and space is not None and model is not None and not _made(space, model)
            if model is None or outdated:
                name = self._settings.model or (space.model if space else DEFAULT_MODEL)
                model = self._embedder = self.load(name)
            return model

    def load(self, name: str) -> Embedder:
        """A model by name, found as the settings say, or the one that was given. Raises: ModelNotFound, InputError."""
        from ammon.embed import load_embedder

        if self._given is not None and self._given.name == name:
            return self._given
        asked = self._settings
        return load_embedder(
            name, cache=asked.cache_folder, threads=asked.threads, url=asked.embed_url, key=asked.embed_key
        )

    def adopt(self, model: Embedder) -> None:
        """Use a model that is loaded already: the library has gone over to it."""
        with self._guard:
            self._embedder = model

    def split(self, document: Document) -> Sequence[Chunk]:
        """The document's chunks, sized in the model's own tokens. Raises: ModelNotFound."""
        model = self.embedder
        with self._splitting:
            if self._split is None or self._split[0] is not model:
                self._split = model, self._make_splitter(model)
            return self._split[1](document)

    def _make_splitter(self, model: Embedder) -> Split:
        from ammon.split import splitter

        longest = min(self._settings.chunk_tokens, room(model))
        return splitter(model.tokenizer, max_tokens=longest, count=lambda text: model.count_tokens([text])[0])

    def for_passages(self) -> Embedder:
        """The model, with the library's space claimed for it. Raises: ModelMismatch, ModelNotFound."""
        space = active_space(self._catalog)
        model = self._serving(space)
        if space is None or not _made(space, model):
            claim_space(self._catalog, model.name, model.fingerprint, model.dim)
        return model

    def for_queries(self) -> Embedder | None:
        """The model with recent queries remembered; ``None`` while the library holds no vectors.

        It is loaded when first used, which raises ModelMismatch when the library was embedded with another model,
        and ModelNotFound.
        """
        space = active_space(self._catalog)
        if space is None:
            return None
        queries = self._queries
        if queries is None or queries.fingerprint != space.fingerprint:
            queries = self._queries = CachedQueries(space.fingerprint, lambda: self._model_of(space))
        return queries

    def _model_of(self, space: Space) -> Embedder:
        model = self._serving(space)
        if not _made(space, model):
            raise mismatch(self._catalog, space.model, model.name)
        return model

    def answer(self, ask: Callable[[Embedder | None], Answer]) -> Answer:
        """What ``ask`` gives with the model of `for_queries`; asked again if the library changed its model meanwhile.

        Raises: ModelMismatch, ModelNotFound.
        """
        while True:
            try:
                return ask(self.for_queries())
            except ModelChanged:
                continue


def room(model: Embedder) -> int:
    """The longest passage that a model reads whole, in its own tokens."""
    return model.max_tokens - ROOM_FOR_PROMPT


def _made(space: Space, model: Embedder) -> bool:
    """Whether the vectors of a space are a model's."""
    return space.fingerprint == model.fingerprint


class CachedQueries:
    """An embedder that remembers its last queries; everything else is the model's own, loaded when first asked."""

    def __init__(self, fingerprint: str, load: Callable[[], Embedder]) -> None:
        """``fingerprint`` is that of the model that ``load`` gives, known before it is loaded."""
        self._fingerprint = fingerprint
        self._load = load
        self._kept: OrderedDict[tuple[str, str], Vectors] = OrderedDict()
        self._guard = threading.Lock()

    @cached_property
    def _model(self) -> Embedder:
        return self._load()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def fingerprint(self) -> str:
        """The model's fingerprint."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._model.dim

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens."""
        return self._model.max_tokens

    @property
    def languages(self) -> frozenset[str]:
        """Languages the model serves; empty means any."""
        return self._model.languages

    @property
    def tokenizer(self) -> Tokenizer | None:
        """The model's tokenizer."""
        return self._model.tokenizer

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        return self._model.count_tokens(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Rows for texts to be found."""
        return self._model.embed_passages(texts)

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        """Rows for texts to search with, from memory where they were asked before."""
        with self._guard:
            known = {text: self._kept[instruction, text] for text in texts if (instruction, text) in self._kept}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, self._model.embed_queries(missing, instruction=instruction), strict=True))
        with self._guard:
            for text in texts:
                self._kept[instruction, text] = known[text]
                self._kept.move_to_end((instruction, text))
            while len(self._kept) > QUERIES_KEPT:
                self._kept.popitem(last=False)
        return np.stack([known[text] for text in texts]) if texts else np.empty((0, self.dim), np.float32)
