"""Another model for a library that is in use: a second space is filled while the first one answers, then they swap.

Vectors are committed batch by batch, so whoever is interrupted goes on where he was. The swap is one transaction, made
only when no text is without a vector in the new space; the space before is kept, to go back to.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from ammon.embedding import EMBED_BATCH, so_far
from ammon.encoder import Encoder, room
from ammon.errors import InputError, ModelMismatch, SettingsError
from ammon.ports import Embedder
from ammon.progress import Watcher
from ammon.settings import Settings
from ammon.store.local import backlog, succession
from ammon.store.local.derived.kept_vectors import KeptVectors
from ammon.store.local.files.checkpoints import keep_log_short
from ammon.store.local.spaces import Space, active_space, begin_space, space_in, space_of
from ammon.store.local.store import LocalStore

FEW = 32
"""So many texts are embedded under the write lock: others add faster than they can be caught up with otherwise."""


@dataclass(frozen=True, slots=True)
class Reembedding:
    """What a change of the model did.

    ``before`` is the model before, which a rollback brings back; empty when there was none. ``texts`` have a vector of
    ``model`` now; ``embedded`` of them, with ``tokens`` of the model's own, were made by this run. ``longer`` of them
    exceed ``room`` tokens, which passages made for this model do not: what comes after is not in their vectors.
    """

    model: str
    before: str
    changed: bool
    texts: int
    embedded: int
    tokens: int
    longer: int
    room: int
    seconds: float


def reembed(
    store: LocalStore, encoder: Encoder, settings: Settings, model: str | Embedder, watcher: Watcher
) -> Reembedding:
    """Give the library another model. See `Upkeep.reembed`."""
    wanted = encoder.load(model or _begun(store)) if isinstance(model, str) else model
    _refuse_another(settings, wanted.name, model)
    return _Change(store, encoder, wanted, watcher).run()


def rollback(store: LocalStore, encoder: Encoder, settings: Settings, watcher: Watcher) -> Reembedding:
    """Give the library the model back that it had before. See `Upkeep.rollback`."""
    retired = succession.retired_space(store.catalog)
    model = encoder.load(retired.model)
    if model.fingerprint != retired.fingerprint:
        raise ModelMismatch(
            f"The model {retired.model} here has other weights than the one that the library had before.",
            hint=f"To use it as it is now, run: ammon reembed --model {retired.model}",
        )
    _refuse_another(settings, model.name, retired.model)
    return _Change(store, encoder, model, watcher).run()


def _begun(store: LocalStore) -> str:
    """The model whose vectors are being made. Raises: InputError when there is none."""
    space = space_in(store.catalog, "building")
    if space is None:
        raise InputError(
            "No model was named, and there is no change of model to go on with.", hint="Run: ammon reembed --model NAME"
        )
    return space.model


def _refuse_another(settings: Settings, name: str, asked: str | Embedder) -> None:
    """Raises: SettingsError when the settings name another model, with which no search would work after the swap."""
    if settings.model not in ("", name, asked):
        raise SettingsError(
            f"The settings name the model {settings.model}, so that nothing would be found once it is {name}.",
            hint="Remove `model` from ammon.toml and AMMON_MODEL from the environment: a library knows its own model, "
            "before the change and after it.",
        )


class _Change:
    """One change of the model, from wherever an earlier one was stopped."""

    def __init__(self, store: LocalStore, encoder: Encoder, model: Embedder, watcher: Watcher) -> None:
        self._store = store
        self._catalog = store.catalog
        self._encoder = encoder
        self._model = model
        self._watcher = watcher
        self._started = time.monotonic()
        self._before = self._embedded = self._tokens = self._total = 0

    def run(self) -> Reembedding:
        earlier = active_space(self._catalog)
        held = earlier.model if earlier else ""
        if earlier is not None and earlier.fingerprint == self._model.fingerprint:
            return self._report(earlier, held, changed=False)
        space = begin_space(self._catalog, self._model.name, self._model.fingerprint, self._model.dim)
        come = backlog.progress_of(self._catalog, space)
        self._before, self._total = come.done, come.texts
        self._fill(space)
        self._swap(space)
        self._encoder.adopt(self._model)
        self._store.settle()
        return self._report(space, held, changed=True)

    def _swap(self, space: Space) -> None:
        index = KeptVectors(self._catalog, lambda catalog: space_of(catalog, space.fingerprint))
        # Built now, or whoever searches first after the swap would have to.
        index.save(always=True)
        while True:
            with self._catalog.locked():
                if len(backlog.pending(self._catalog, FEW + 1, space=space)) <= FEW:
                    self._fill(space)
                if succession.take_over(self._catalog, space):
                    return
            self._fill(space)
            index.save()

    def _fill(self, space: Space) -> None:
        """Embed every text that has no vector in the space yet."""
        after = 0
        while texts := backlog.pending(self._catalog, EMBED_BATCH, after, space):
            passages = [text.text for text in texts]
            rows = self._model.embed_passages(passages)
            lengths = self._model.count_tokens(passages)
            longer = sum(length > room(self._model) for length in lengths)
            with self._catalog.locked():
                backlog.fill(self._catalog, space, [text.text_hash for text in texts], rows, longer)
                keep_log_short(self._catalog)
            after = texts[-1].chunk_id
            self._embedded += len(texts)
            self._tokens += sum(lengths)
            self._tell()
        backlog.settle(self._catalog, space)

    def _tell(self) -> None:
        done = self._before + self._embedded
        # Texts may have come meanwhile.
        self._total = max(self._total, done)
        seconds = time.monotonic() - self._started
        self._watcher(so_far(done, self._total, self._tokens, seconds, self._before))

    def _report(self, space: Space, before: str, *, changed: bool) -> Reembedding:
        come = backlog.progress_of(self._catalog, space)
        return Reembedding(
            model=space.model,
            before=before,
            changed=changed,
            texts=come.done,
            embedded=self._embedded,
            tokens=self._tokens,
            longer=come.longer,
            room=room(self._model),
            seconds=time.monotonic() - self._started,
        )
