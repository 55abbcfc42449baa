"""Hits with what stands around them. The text of a widened hit is the document's own text at its span."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ammon.errors import InputError
from ammon.ports import Step
from ammon.types import Hit, Query, Record, Span

Neighbours = Callable[[Hit, int], Sequence[Record]]
"""A hit and a number n → the records of its document from n chunks before it to n after it, itself included."""

TextAt = Callable[[int, int, int], str]
"""Document id, start and end → the document's text there."""


def expand(neighbours: Neighbours, text_at: TextAt, *, count: int = 1) -> Step:
    """A step that widens the first ``query.k`` hits by ``count`` chunks on each side.

    A hit whose whole stretch already stands in a better one is dropped. Raises: InputError for a negative count.
    """
    if count < 0:
        raise InputError(f"count is {count}; it must be 0 or more.")

    def step(query: Query, hits: list[Hit]) -> list[Hit]:
        wide: list[Hit] = []
        for place, hit in enumerate(hits):
            if len(wide) == query.k:
                return wide + hits[place:]
            if not any(_inside(hit, other) for other in wide):
                wide.append(_widened(hit, neighbours(hit, count), text_at))
        return wide

    return step


def _inside(hit: Hit, other: Hit) -> bool:
    same = hit.document_id == other.document_id
    return same and other.span.start <= hit.span.start and hit.span.end <= other.span.end


def _widened(hit: Hit, around: Sequence[Record], text_at: TextAt) -> Hit:
    chunks = [record.chunk for record in around if record.document_id == hit.document_id]
    if not chunks:  # the document was replaced while it was being read
        return hit
    span = Span(min(chunk.start for chunk in chunks), max(chunk.end for chunk in chunks))
    return replace(
        hit,
        text=text_at(hit.document_id, span.start, span.end),
        span=span,
        first_line=min(chunk.first_line for chunk in chunks),
        last_line=max(chunk.last_line for chunk in chunks),
    )
