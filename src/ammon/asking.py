"""Question → answer: what is found for it, cut to the sentences that answer."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ammon.answer.extract import ANSWERS, extract
from ammon.answers import Answer, TraceStep
from ammon.errors import InputError
from ammon.store.local.masks import Where
from ammon.store.local.store import LocalStore
from ammon.types import Hit

if TYPE_CHECKING:
    from ammon.searchable import Searchable

DOUBTFUL: Final = 0.15
"""Below this confidence nothing is answered from a library: questions about other matters than its own stay there."""


def ask(library: Searchable, question: str, *, k: int = 8, where: Where = None, sentences: int = 2) -> Answer:
    """The answer to a question from a library's ``k`` best passages; see `Searchable.ask`. Raises: as that."""
    if sentences < 1:
        raise InputError(f"sentences is {sentences}; it must be 1 or more.", hint="Ask for at least one.")
    started = time.perf_counter()
    hits = library.search(question, k, where=where)
    found = TraceStep("search", time.perf_counter() - started, {"hits": len(hits), "k": k})
    answer = ask_hits(library, question, hits, sentences=sentences, threshold=DOUBTFUL)
    return replace(answer, trace=(found, *answer.trace))


def ask_hits(
    library: Searchable, question: str, hits: Sequence[Hit], *, sentences: int = 2, threshold: float = ANSWERS
) -> Answer:
    """The answer to a question from passages that are given; abstains below the ``threshold``, in [0, 1].

    Raises: ModelError.
    """
    started = time.perf_counter()
    answer = library.encoder.answer(
        lambda embedder: extract(
            question,
            hits,
            embedder,
            lambda asked: rarity(library.store, asked),
            most=sentences,
            threshold=threshold,
        )
    )
    told = {"confidence": round(answer.confidence, 3), "threshold": threshold}
    return replace(answer, trace=(TraceStep("extract", time.perf_counter() - started, told),))


def rarity(store: LocalStore, asked: Sequence[str]) -> Mapping[str, float]:
    """The inverse document frequency of terms, 0 or more, as BM25 has it."""
    index = store.words.current()
    documents = index.count()
    return {
        term: math.log1p(max(0.0, documents - count + 0.5) / (count + 0.5))
        for term, count in index.document_frequency(asked).items()
    }
