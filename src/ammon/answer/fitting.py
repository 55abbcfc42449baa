"""Texts made to fit a model's window, and fenced, so that what stands in them is not taken for what is asked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from ammon.answer.sentences import sentences

Count: TypeAlias = Callable[[str], int]
"""A text's tokens, as `ammon.ports.LLM.count` tells them."""

FENCE_TOKENS: Final = 64
"""Room for the two lines around a fenced text, in any vocabulary."""

_SPACE: Final = re.compile(r"\s+")


def pieces(text: str, tokens: int, count: Count) -> list[str]:
    """The text in pieces of at most ``tokens`` tokens, cut at the ends of sentences where there are any.

    Joined, the pieces are the text.

    >>> pieces("One two. Three four. Five.", 4, lambda text: len(text.split()))
    ['One two. ', 'Three four. Five.']
    """
    if len(text) < 2 or count(text) <= tokens:
        return [text]
    seam = _seam(text)
    return [*pieces(text[:seam], tokens, count), *pieces(text[seam:], tokens, count)]


def _seam(text: str) -> int:
    """Where to cut a text in two: near its middle, at the beginning of a sentence, else of a word."""
    middle = len(text) // 2
    starts = [span.start for span in sentences(text)]
    for seams in (starts, [space.end() for space in _SPACE.finditer(text)]):
        # Not far from the middle, or a text with one odd sentence would be cut in crumbs.
        near = [seam for seam in seams if len(text) / 4 <= seam <= len(text) * 3 / 4]
        if near:
            return min(near, key=lambda seam: abs(seam - middle))
    return middle


def batches(sizes: Sequence[int], room: int) -> list[list[int]]:
    """The places of things of these sizes, in order, in groups that come to ``room`` at most; a larger one is alone."""
    groups: list[list[int]] = []
    left = 0
    for place, size in enumerate(sizes):
        if not groups or size > left:
            groups.append([])
            left = room
        groups[-1].append(place)
        left -= size
    return groups


def fenced(texts: Iterable[tuple[str, str]]) -> str:
    """Texts under their labels, each between two lines of a mark that no text can hold, for it is made from them all.

    >>> print(fenced([("1", "Bees dance.")]))
    <text 1 512eb852>
    Bees dance.
    </text 1 512eb852>
    """
    given = list(texts)
    whole = "\0".join(part for pair in given for part in pair)
    mark = hashlib.blake2b(whole.encode("utf-8", "replace"), digest_size=4).hexdigest()
    return "\n\n".join(f"<text {label} {mark}>\n{text.strip()}\n</text {label} {mark}>" for label, text in given)
