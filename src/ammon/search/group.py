"""Hits by document: the best few of each, in the order of the best."""

from __future__ import annotations

from collections import Counter

from ammon.errors import InputError
from ammon.ports import Step
from ammon.types import Hit, Query


def group(per_document: int = 1) -> Step:
    """A step that keeps the first ``per_document`` hits of each document, in order. Raises: InputError below 1."""
    if per_document < 1:
        raise InputError(f"per_document is {per_document}; it must be 1 or more.")

    def step(_query: Query, hits: list[Hit]) -> list[Hit]:
        seen: Counter[int] = Counter()
        kept = []
        for hit in hits:
            seen[hit.document_id] += 1
            if seen[hit.document_id] <= per_document:
                kept.append(hit)
        return kept

    return step
