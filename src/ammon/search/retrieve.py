"""The whole reading path: query → candidates of both legs → fusion → steps → hits."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from ammon.errors import InputError
from ammon.normalising import normalised
from ammon.ports import Embedder, Step, Store
from ammon.search.calibrate import confidence
from ammon.search.fuse import DEPTH, WEIGHT, fuse
from ammon.search.gate import LOOKED_AT, lexical_trust, model_reads
from ammon.search.hits import Reasons, make_hit, share_held, with_matched
from ammon.store.local.derived.terms import terms
from ammon.types import Candidates, Hit, Ids, Query, Vectors

NONE = Candidates(np.empty(0, np.int64), np.empty(0, np.float32))


def search(
    store: Store,
    embedder: Embedder | None,
    query: Query,
    *,
    weight: float = WEIGHT,
    depth: int = DEPTH,
    steps: Sequence[Step] = (),
) -> list[Hit]:
    """The ``query.k`` best hits, best first; fewer only where fewer match.

    ``weight`` is the dense leg's share in [0, 1]; without an ``embedder`` the keyword leg answers alone. ``steps``
    run over ``depth`` hits or more, so that they have something to choose from.
    Raises: InputError for an empty query or a negative ``k``, BadFilter, ModelUnavailable; ModelChanged when the
    store's vectors are not, or no longer, of the embedder's model.
    """
    _check(query, embedder)
    if query.k == 0:
        return []
    vector = _beside().submit(_vector, embedder, query)
    asked = _Asked(query, tuple(dict.fromkeys(terms(query.text))), embedder, vector, weight, depth)
    return _stepped(store, asked, steps)


@cache
def _beside() -> ThreadPoolExecutor:
    """Where the model reads the query while the keyword leg searches; kept, as starting a thread takes 0.5 ms."""
    return ThreadPoolExecutor(thread_name_prefix="ammon-query")


if hasattr(os, "register_at_fork"):
    # A forked process has none of its parent's threads, and would wait for them for ever.
    os.register_at_fork(after_in_child=_beside.cache_clear)


def _stepped(store: Store, asked: _Asked, steps: Sequence[Step]) -> list[Hit]:
    """What is left of the hits after all steps, at most ``k``."""
    query = asked.query
    wanted = max(query.k, asked.depth) if steps else query.k
    while True:
        hits, all_seen = asked.hits(store, wanted)
        for step in steps:
            hits = step(query, hits)
        # a step may drop hits; go deeper until there are k, or nothing is left to look at
        if len(hits) >= query.k or all_seen:
            return [with_matched(hit, asked.distinct) for hit in hits[: query.k]]
        wanted *= 4


def _check(query: Query, embedder: Embedder | None) -> None:
    if not query.text.strip():
        raise InputError("The query is empty.", hint="Give at least one word.")
    if query.k < 0:
        raise InputError(f"k is {query.k}; it must be 0 or more.")
    if query.per_document < 0:
        raise InputError(f"per_document is {query.per_document}; it must be 0 or more.", hint="0 sets no limit.")
    if query.mode == "dense" and embedder is None:
        raise InputError("mode 'dense' needs an embedding model.", hint="Name one with --model, or use mode 'lexical'.")


def _vector(embedder: Embedder | None, query: Query) -> Vectors | None:
    """The query's vector, ``(dim,)``; ``None`` where the dense leg is not asked or cannot read the query."""
    if embedder is None or query.mode == "lexical":
        return None
    if query.mode == "hybrid" and not model_reads(query.text, embedder.languages):
        return None
    row: Vectors = embedder.embed_queries([normalised(query.text)], instruction=query.instruction)[0]
    return row


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query, prepared."""

    query: Query
    distinct: tuple[str, ...]
    embedder: Embedder | None
    vector: Future[Vectors | None]
    weight: float
    depth: int

    def hits(self, store: Store, count: int) -> tuple[list[Hit], bool]:
        """The ``count`` best of both legs, before any step, and whether those are all there are."""
        deep = max(count, self.depth)
        where = self.query.where
        lexical = NONE if self.query.mode == "dense" else store.lexical(self.query.text, deep, where)
        weight = self._weight(store, lexical)
        if not self.vector.done() and self.query.mode != "lexical":
            store.prepare()
        dense = self._dense(store, deep)
        if self.query.per_document:
            fused = fuse(dense, lexical, weight=weight, depth=self.depth, documents=store.documents_of)
            fused = _thinned(fused, store.documents_of(fused.ids), self.query.per_document)
        else:
            fused = fuse(dense, lexical, weight=weight, depth=self.depth)
        hits = hits_of(store, Candidates(fused.ids[:count], fused.scores[:count]), dense, lexical, self.distinct)
        return hits, len(fused) <= count and max(len(dense), len(lexical)) < deep

    def _dense(self, store: Store, deep: int) -> Candidates:
        vector = self.vector.result()
        if vector is None or self.embedder is None:
            return NONE
        return store.dense(vector, deep, self.query.where, self.embedder.fingerprint)

    def _weight(self, store: Store, lexical: Candidates) -> float:
        """The dense leg's share, larger where the keyword leg knows little of the question."""
        if self.query.mode != "hybrid":
            return self.weight
        trust = lexical_trust(self.distinct, store.records(lexical.ids[:LOOKED_AT]))
        return 1 - (1 - self.weight) * trust


def _thinned(found: Candidates, documents: Ids, most: int) -> Candidates:
    """The first ``most`` of each document."""
    seen: Counter[int] = Counter()
    kept = []
    for place, document in enumerate(documents.tolist()):
        seen[document] += 1
        if seen[document] <= most:
            kept.append(place)
    return Candidates(found.ids[kept], found.scores[kept])


def hits_of(
    store: Store, found: Candidates, dense: Candidates, lexical: Candidates, distinct: Sequence[str]
) -> list[Hit]:
    """The hits of ``found``, in its order, each with its ranks in both legs and a score for people.

    Scores fall with the fused score from the best one's, which says how sure it is; ``distinct`` are the query's terms.
    """
    records = store.records(found.ids)
    if not records:
        return []
    reasons = Reasons(dense, lexical, found)
    best = reasons.why(records[0].chunk_id)
    sure = confidence(best, share_held(distinct, records[0]), dense) / max(best.fused, 1e-9)
    whys = [reasons.why(record.chunk_id) for record in records]
    return [make_hit(record, sure * why.fused, why) for record, why in zip(records, whys, strict=True)]
