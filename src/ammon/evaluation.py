"""A labelled set through a whole library: its corpus is indexed, its questions asked, its vector index audited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ammon.evaluate.audit import audit
from ammon.evaluate.datasets import Dataset, read_dataset
from ammon.evaluate.report import Report, evaluate
from ammon.store.local.store import LocalStore
from ammon.types import Candidates, Document, Mode, Part, Vectors

if TYPE_CHECKING:
    from ammon.library import Library

RANKED = 100
"""Documents asked for: as many as recall@100 looks at."""

AUDITED = 300
"""Queries whose dense leg is compared with the exact product."""


def evaluate_folder(library: Library, folder: Path) -> Report:
    """Index the corpus of a BEIR folder into ``library`` as far as it is missing, and measure retrieval on it.

    Raises: PathNotFound, InputError for a folder that is not in that form.
    """
    dataset = read_dataset(folder)
    prefix = f"beir:{dataset.name}/"
    library.add(_documents(dataset, prefix))
    wanted = {prefix + passage.id for passage in dataset.passages}
    gone = [uri for uri in library.store.ledger.known() if uri.startswith(prefix) and uri not in wanted]
    if gone:
        library.remove(*gone)

    def ranking(question: str, mode: Mode) -> Sequence[str]:
        """Document ids, best first; none for a question without a word, which some sets hold."""
        if not question.strip():
            return []
        hits = library.search(question, RANKED, mode=mode, per_document=1)
        return [hit.uri.removeprefix(prefix) for hit in hits]

    report = evaluate(ranking, dataset)
    model = library.encoder.for_queries()
    if model is None:
        return report
    vectors = model.embed_queries(list(dataset.queries.values())[:AUDITED])
    return report.audited(audit(library.store.dense, _Exact(library.store), vectors))


def _documents(dataset: Dataset, prefix: str) -> Iterator[Document]:
    for passage in dataset.passages:
        # A title is a heading over all of its text: every chunk of a long passage is found by it.
        heading = (passage.title,) if passage.title else ()
        whole = Part(0, len(passage.text), heading=heading)
        yield Document(uri=prefix + passage.id, text=passage.text, title=passage.title, parts=(whole,))


class _Exact:
    """Every vector of the library against the query, in float32."""

    def __init__(self, store: LocalStore) -> None:
        ids = np.array([row[0] for row in store.catalog.rows("SELECT id FROM chunk ORDER BY id")], np.int64)
        self._ids, self._rows = store.nearest.vectors_of(ids)

    def __call__(self, vector: Vectors, k: int) -> Candidates:
        scores = self._rows @ vector
        best = np.lexsort((self._ids, -scores))[:k]
        return Candidates(self._ids[best], scores[best])
