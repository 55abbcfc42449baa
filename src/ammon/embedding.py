"""The second half of the pipeline: texts that have no vector yet get one, batch by durable batch."""

from __future__ import annotations

import time
from collections.abc import Callable

from ammon.errors import ModelChanged
from ammon.ports import Embedder
from ammon.progress import Progress, Watcher, unwatched
from ammon.store.local.backlog import count_pending
from ammon.store.local.store import LocalStore

EMBED_BATCH = 256


def embed_pending(store: LocalStore, claim: Callable[[], Embedder], watcher: Watcher = unwatched) -> tuple[int, int]:
    """Embed every text that has no vector yet, batch by durable batch. Returns how many texts and tokens.

    ``claim`` gives the library's model, and again where the library goes over to another one meanwhile.
    Raises: ModelUnavailable, after which the vectors stored so far are kept; ModelMismatch.
    """
    model, total, done, tokens, after = claim(), count_pending(store.catalog), 0, 0, 0
    started = time.monotonic()
    while texts := store.pending(EMBED_BATCH, after):
        rows = model.embed_passages([text.text for text in texts])
        try:
            store.put_vectors([text.text_hash for text in texts], rows, model.fingerprint)
        except ModelChanged:
            model, total, after = claim(), done + count_pending(store.catalog), 0
            continue
        after = texts[-1].chunk_id
        done += len(texts)
        tokens += sum(text.tokens for text in texts)
        watcher(so_far(done, total, tokens, time.monotonic() - started))
    return done, tokens


def so_far(done: int, total: int, tokens: int, seconds: float, before: int = 0) -> Progress:
    """How far embedding has come: ``done`` of ``total`` texts, ``before`` of them earlier than ``seconds`` ago."""
    elapsed = max(seconds, 1e-9)
    left = max(total - done, 0) * elapsed / max(done - before, 1)
    return Progress(
        "vectors", vectors_done=done, vectors_total=total, tokens_per_second=tokens / elapsed, seconds_left=left
    )
