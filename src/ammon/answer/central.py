"""The sentences that a text is most about: those nearest to the middle of all, and unlike one another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ammon.answer.sentences import sentences
from ammon.answers import Citation
from ammon.types import Hit, Span, Vectors

BALANCE: Final = 0.7
"""1: nearness to the middle alone; 0: difference alone."""

LEAST_CHARACTERS: Final = 20
"""What is shorter is no sentence that stands by itself; a wide character counts two."""

_ENDED: Final = re.compile(r"[.!?。！？…][\"'”’」』）)\]]*$")


def middle(rows: Vectors) -> NDArray[np.float32]:
    """The direction that all rows have in common, as a unit vector of shape ``(dim,)``."""
    mean = rows.mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def central(rows: Vectors, towards: NDArray[np.float32], count: int) -> list[int]:
    """The places of the ``count`` rows nearest to ``towards`` that are unlike one another, best first.

    Maximal marginal relevance (Carbonell & Goldstein 1998, equation 1). Both sides are stretched to [0, 1]: nearness
    over all rows, likeness to one chosen from what all rows have on average.
    """
    near = rows @ towards
    worth = (near - near.min()) / max(float(np.ptp(near)), 1e-9) if len(rows) else near
    nearest = np.zeros(len(rows), np.float32)
    chosen: list[int] = []
    for _ in range(min(count, len(rows))):
        marginal = BALANCE * worth - (1 - BALANCE) * nearest
        marginal[chosen] = -np.inf
        best = int(np.argmax(marginal))
        chosen.append(best)
        like = rows @ rows[best]
        floor = float(like.mean())
        nearest = np.maximum(nearest, np.clip((like - floor) / max(1 - floor, 1e-9), 0, 1))
    return chosen


def quotable(hits: Sequence[Hit], wanted: int) -> list[Citation]:
    """The sentences of the passages, each once, in order: whole ones, unless there are fewer of these than wanted."""
    every = list({each.quote: each for hit in hits for each in _cited(hit)}.values())
    whole = [each for each in every if _ENDED.search(each.quote) and _breadth(each.quote) >= LEAST_CHARACTERS]
    return whole if len(whole) >= wanted else every


def _cited(hit: Hit) -> Iterator[Citation]:
    # Where the lines of the source are not those of the text, all that is known is where the passage stands.
    told = hit.last_line - hit.first_line == hit.text.count("\n")
    for span in sentences(hit.text):
        quote = hit.text[span.start : span.end]
        first = hit.first_line + hit.text.count("\n", 0, span.start) if told else hit.first_line
        last = first + quote.count("\n") if told else hit.last_line
        yield Citation(hit, Span(hit.span.start + span.start, hit.span.start + span.end), quote, first, last)


def _breadth(text: str) -> int:
    return sum(2 if letter > "\u2e7f" else 1 for letter in text)
