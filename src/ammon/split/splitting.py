"""The splitter: regions → passages.

A region's tokens are counted once; from tokens a character comes a length in characters that passages of the wanted
size have, and the cutting is done by that length, in Rust, at the borders that the text itself has: headings, blocks,
sentences, functions. Then every passage is counted, and the few that came out too long are cut again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING, Final

from ammon.ports import Split
from ammon.split.fragments import Joiner, Piece, trimmed
from ammon.split.grammars import grammar
from ammon.split.lines import Lines
from ammon.split.passages import Passages
from ammon.split.regions import Region, regions_of
from ammon.split.sizing import Size, Sizes, WordCounts
from ammon.types import Document, Part, embedded_text

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_FILL: Final = 0.92
"""Passages aim at this share of the maximum: full, but seldom over it and cut twice."""

_SLACK: Final = 1.15
"""How much longer than an equal share of its region a passage may be to end at a good border."""

_SAMPLE: Final = 1_000
"""Characters of each of the three samples that tell the length of a region's tokens."""

_MOST_CHARACTERS: Final = 8
"""Characters a token at most, when a length is derived: a line of dashes has few tokens and still is no passage."""

_ROWS_AT_ONCE: Final = 1_000
"""Rows whose tokens are counted together: a tokenizer has its price for each call, and a table may have millions."""

_SURROGATES: Final = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def splitter(
    tokenizer: Tokenizer | None,
    *,
    max_tokens: int,
    min_tokens: int | None = None,
    count: Size | None = None,
) -> Split:
    """Return a function that cuts a Document into Chunks of at most ``max_tokens`` tokens with their heading path.

    Sizes are in tokens of ``tokenizer``, or in what ``count`` says where there is none; special tokens and prompts
    are the caller's margin. A heading path takes at most half of the room. A passage is closed at the best border once
    it has ``min_tokens`` (three quarters of the maximum, unless given). A single character that alone has more tokens
    than the maximum is a passage of its own.

    Raises: ValueError, for a maximum below 1 or without anything to count with.
    """
    if max_tokens < 1:
        raise ValueError(f"max_tokens is {max_tokens}; a passage needs at least one token.")
    if tokenizer is not None:
        sizes: Sizes = WordCounts(tokenizer)
    elif count is not None:
        sizes = _each(count)
    else:
        raise ValueError("Give a tokenizer or a function that counts tokens.")
    least = max_tokens * 3 // 4 if min_tokens is None else min(min_tokens, max_tokens)
    return _Splitter(sizes, max(least, 1), max_tokens)


def _each(count: Size) -> Sizes:
    return lambda texts: [count(text) for text in texts]


@dataclass(frozen=True, slots=True)
class _Splitter:
    sizes: Sizes
    least: int
    most: int

    def __call__(self, document: Document) -> Passages:
        """The document's chunks, in order."""
        text, lines = document.text, Lines(document.text)
        chunks = Passages(text)
        for are_rows, regions in groupby(regions_of(document), key=_is_row):
            for (start, end, tokens), part in (self._of_rows if are_rows else self._of_parts)(text, regions):
                chunks.append(start, end, part.lines or lines.of(start, end), part, tokens)
        return chunks

    def _of_parts(self, text: str, regions: Iterator[Region]) -> Iterator[tuple[Piece, Part]]:
        # Regions of the same parts were cut for time's sake only: a title and its long line are neighbours.
        for parts, group in groupby(regions, key=_parts):
            beside = self._beside(parts)
            alike = list(group)
            pieces = chain.from_iterable(beside.pieces(text, each) for each in alike)
            join = Joiner(text, self._size, beside.most)
            for piece in join(pieces, alike[0].same_part):
                yield piece, alike[0].part_at(piece[0])

    def _of_rows(self, text: str, regions: Iterator[Region]) -> Iterator[tuple[Piece, Part]]:
        while some := list(islice(regions, _ROWS_AT_ONCE)):
            spans = [trimmed(text, each.start, each.end) for each in some]
            short = [at for at, (start, end) in enumerate(spans) if end - start <= self.most * _MOST_CHARACTERS]
            bodies = [_valid(text[slice(*spans[at])]) for at in short]
            counted = dict(zip(short, self.sizes(bodies), strict=True))
            for at, region in enumerate(some):
                for piece in self._beside(region.parts).pieces(text, region, counted.get(at)):
                    yield piece, region.part_at(piece[0])

    def _beside(self, parts: Sequence[Part]) -> _Splitter:
        """This splitter, with the room that is left beside the longest heading path of the parts."""
        paths = {embedded_text(part.heading, "") for part in parts if part.heading}
        if not paths:
            return self
        most = self.most - min(max(self.sizes(list(paths))), self.most // 2)
        return replace(self, most=most, least=max(self.least * most // self.most, 1))

    def pieces(self, text: str, region: Region, counted: int | None = None) -> Iterator[Piece]:
        """Cut a region where it is too long. Yields start, end and tokens of each piece.

        ``counted`` are the tokens of the whole region, where they are known.
        """
        start, end = trimmed(text, region.start, region.end)
        if start == end:
            return
        body = _valid(text[start:end])
        if len(body) <= self.most * _MOST_CHARACTERS:
            tokens = self._size(body) if counted is None else counted
            if tokens <= self.most:
                yield start, end, tokens
                return
        yield from self._cut(body, start, region, self._characters_a_token(body))

    def _cut(self, body: str, offset: int, region: Region, characters_a_token: float) -> Iterator[Piece]:
        longest = int(characters_a_token * self.most * _FILL)
        longest = max(min(longest, self.most * _MOST_CHARACTERS), 1)
        # Alike rather than full: a short rest would rank above the passages that say more.
        longest = min(longest, int(len(body) / -(-len(body) // longest) * _SLACK) + 1)
        shortest = max(longest * self.least // self.most, 1)
        spans = list(_spans(body, _cutter(region.kind, region.parts[0].grammar, shortest, longest)))
        tokens = self.sizes([body[start:end] for start, end in spans])
        for (start, end), counted in zip(spans, tokens, strict=True):
            if counted <= self.most or end - start == 1:
                yield offset + start, offset + end, counted
            else:
                # Cut again by its own measure, which is shorter than itself: each round comes nearer to the end.
                yield from self._cut(body[start:end], offset + start, region, (end - start) / counted)

    def _characters_a_token(self, body: str) -> float:
        """How long tokens are here, from samples at the beginning, in the middle and at the end."""
        if len(body) > 4 * _SAMPLE:
            middle = len(body) // 2
            body = f"{body[:_SAMPLE]} {body[middle : middle + _SAMPLE]} {body[-_SAMPLE:]}"
        return len(body) / max(self._size(body), 1)

    def _size(self, text: str) -> int:
        return self.sizes([_valid(text)])[0]


def _is_row(region: Region) -> bool:
    return region.kind == "row"


def _parts(region: Region) -> Sequence[Part]:
    return region.parts


Cut = Callable[[str], Iterable[tuple[int, str]]]


@lru_cache(maxsize=256)
def _cutter(kind: str, name: str, shortest: int, longest: int) -> Cut:
    from semantic_text_splitter import CodeSplitter, MarkdownSplitter, TextSplitter

    capacity = (shortest, longest)
    if kind == "markdown":
        return MarkdownSplitter(capacity).chunk_indices
    language = grammar(name) if kind == "code" and name else None
    return TextSplitter(capacity).chunk_indices if language is None else CodeSplitter(language, capacity).chunk_indices


def _spans(body: str, cut: Cut) -> Iterator[tuple[int, int]]:
    """The trimmed, non-empty stretches that a cut gives, in order."""
    for start, piece in cut(body):
        first, last = trimmed(body, start, start + len(piece))
        if first < last:
            yield first, last


def _valid(text: str) -> str:
    """The text without lone surrogates, which Rust cannot take; one character for one, so that offsets stay."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.translate(_SURROGATES)
    return text
