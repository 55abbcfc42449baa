"""Runs a search over a labelled set and says how good it was: numbers for programs, a table for people."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ammon.evaluate.datasets import Dataset
from ammon.evaluate.metrics import ndcg, recall, reciprocal_rank
from ammon.types import Mode

Ranking = Callable[[str, Mode], Sequence[str]]
"""A question and a leg → document ids, best first, each once; 100 of them where there are so many."""

MODES: tuple[Mode, ...] = ("dense", "lexical", "hybrid")


@dataclass(frozen=True, slots=True)
class Leg:
    """What one leg reached, as means over the questions in [0, 1]; latencies are in milliseconds a question."""

    mode: Mode
    ndcg_10: float
    recall_100: float
    mrr_10: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Report:
    """What an evaluation found. ``index_recall_10`` is the vector index against the exact product, where measured."""

    dataset: str
    documents: int
    queries: int
    legs: tuple[Leg, ...]
    index_recall_10: float | None = None

    @property
    def ndcg(self) -> float:
        """nDCG@10 of the last leg, which is the fusion where it was asked for."""
        return self.legs[-1].ndcg_10

    def audited(self, index_recall: float) -> Report:
        """The same report with the recall of the vector index."""
        return replace(self, index_recall_10=index_recall)

    def text(self) -> str:
        """A table for people, without a newline at its end."""
        lines = [
            f"{self.dataset}: {self.documents:,} documents, {self.queries:,} queries",
            f"{'':<9}{'nDCG@10':>9}{'R@100':>9}{'MRR@10':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}",
        ]
        for leg in self.legs:
            quality = f"{leg.ndcg_10:>9.4f}{leg.recall_100:>9.4f}{leg.mrr_10:>9.4f}"
            lines.append(f"{leg.mode:<9}{quality}{leg.p50_ms:>9.1f}{leg.p95_ms:>9.1f}{leg.p99_ms:>9.1f}")
        if self.index_recall_10 is not None:
            lines.append(f"vector index against exact search: recall@10 {self.index_recall_10:.4f}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON-like values."""
        return {**asdict(self), "ndcg": self.ndcg}


def evaluate(search: Ranking, dataset: Dataset, modes: Sequence[Mode] = MODES) -> Report:
    """Ask every question of ``dataset`` in every mode, one at a time, and report."""
    legs = tuple(_leg(search, dataset, mode) for mode in modes)
    return Report(dataset.name, len(dataset.passages), len(dataset.queries), legs)


def _leg(search: Ranking, dataset: Dataset, mode: Mode) -> Leg:
    reached, seconds = [], []
    for key, question in dataset.queries.items():
        started = time.perf_counter()
        ranking = search(question, mode)
        seconds.append(time.perf_counter() - started)
        relevant = dataset.relevant[key]
        reached.append((ndcg(ranking, relevant), recall(ranking, relevant), reciprocal_rank(ranking, relevant)))
    quality = np.mean(reached, axis=0)
    p50, p95, p99 = np.percentile(np.array(seconds) * 1e3, (50, 95, 99))
    return Leg(mode, *(float(value) for value in (*quality, p50, p95, p99)))
