"""The splitter: regions → passages.

A region's tokens are counted once; from tokens a character comes a length in characters that passages of the wanted
size have, and the cutting is done by that length, in Rust, at the borders that the text itself has: headings, blocks,
sentences, functions. Then every passage is counted, and the few that came out too long are cut again by tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ammon.ports import Split
from ammon.split.grammars import grammar
from ammon.split.lines import Lines
from ammon.split.regions import Region, regions_of
from ammon.split.sizing import Size, WordCounts
from ammon.types import Chunk, Document

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_FILL: Final = 0.85
"""Passages aim at this share of the maximum: full, but seldom over it and cut twice."""

_MOST_CHARACTERS: Final = 8
"""Characters a token at most, when a length is derived: endless dashes count few tokens, but are no longer a passage."""

_SURROGATES: Final = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

Piece = tuple[int, int, int]
"""Start and end in the document's text, and tokens."""


def splitter(
    tokenizer: Tokenizer | None,
    *,
    max_tokens: int,
    min_tokens: int | None = None,
    count: Size | None = None,
) -> Split:
    """Return a function that cuts a Document into Chunks of at most ``max_tokens`` tokens.

    Sizes are in tokens of ``tokenizer``, or in what ``count`` says where there is none; special tokens and prompts
    are the caller's margin. A passage is closed at the best border once it has ``min_tokens`` (half the maximum,
    unless given). A single character that alone has more tokens than the maximum is a passage of its own.

    Raises: ValueError, for a maximum below 1 or without anything to count with.
    """
    if max_tokens < 1:
        raise ValueError(f"max_tokens is {max_tokens}; a passage needs at least one token.")
    if tokenizer is not None:
        size: Size = WordCounts(tokenizer)
    elif count is not None:
        size = count
    else:
        raise ValueError("Give a tokenizer or a function that counts tokens.")
    least = max_tokens // 2 if min_tokens is None else min(min_tokens, max_tokens)
    return _Splitter(size, max(least, 1), max_tokens)


@dataclass(frozen=True, slots=True)
class _Splitter:
    size: Size
    least: int
    most: int

    def __call__(self, document: Document) -> list[Chunk]:
        """The document's chunks, in order."""
        text, lines = document.text, Lines(document.text)
        chunks: list[Chunk] = []
        for region in regions_of(document):
            for start, end, tokens in self._pieces(text, region):
                part = region.part_at(start)
                first, last = part.lines or lines.of(start, end)
                passage = text[start:end]
                chunks.append(Chunk(len(chunks), start, end, passage, first, last, part.page, part.heading, tokens))
        return chunks

    def _pieces(self, text: str, region: Region) -> Iterator[Piece]:
        start, end = _trimmed(text, region.start, region.end)
        if start == end:
            return
        body = text[start:end]
        if not body.isascii():
            # Lone surrogates, which Rust cannot take; one character for one, so that offsets stay.
            body = body.translate(_SURROGATES) if _has_surrogates(body) else body
        tokens = self.size(body)
        if tokens <= self.most and (region.kind == "row" or tokens <= self.least):
            yield start, end, tokens
            return
        yield from self._cut(body, start, region, tokens)

    def _cut(self, body: str, offset: int, region: Region, tokens: int) -> Iterator[Piece]:
        longest = int(len(body) / max(tokens, 1) * self.most * _FILL)
        longest = max(min(longest, self.most * _MOST_CHARACTERS), 1)
        shortest = max(min(int(longest * self.least / self.most), longest), 1)
        for start, end in _spans(body, _by_length(region, shortest, longest)):
            piece = body[start:end]
            counted = self.size(piece)
            if counted <= self.most:
                yield offset + start, offset + end, counted
            else:
                yield from self._cut_by_tokens(piece, offset + start, region)

    def _cut_by_tokens(self, body: str, offset: int, region: Region) -> Iterator[Piece]:
        for start, end in _spans(body, _by_tokens(region, self.size, (self.least, self.most))):
            yield offset + start, offset + end, self.size(body[start:end])


Cut = Callable[[str], Iterable[tuple[int, str]]]


def _by_length(region: Region, shortest: int, longest: int) -> Cut:
    return _cutter(region.kind, region.parts[0].grammar, shortest, longest)


@lru_cache(maxsize=256)
def _cutter(kind: str, name: str, shortest: int, longest: int) -> Cut:
    from semantic_text_splitter import CodeSplitter, MarkdownSplitter, TextSplitter

    capacity = (shortest, longest)
    if kind == "markdown":
        return MarkdownSplitter(capacity).chunk_indices
    language = grammar(name) if kind == "code" and name else None
    return TextSplitter(capacity).chunk_indices if language is None else CodeSplitter(language, capacity).chunk_indices


def _by_tokens(region: Region, size: Size, capacity: tuple[int, int]) -> Cut:
    from semantic_text_splitter import TextSplitter

    return TextSplitter.from_callback(size, capacity).chunk_indices


def _spans(body: str, cut: Cut) -> Iterator[tuple[int, int]]:
    """The trimmed, non-empty stretches that a cut gives, in order."""
    for start, piece in cut(body):
        first, last = _trimmed(body, start, start + len(piece))
        if first < last:
            yield first, last


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return (start + left, start + len(piece.rstrip())) if left < len(piece) else (end, end)


def _has_surrogates(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
