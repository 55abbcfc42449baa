"""How many tokens a text has, counted exactly and mostly without the tokenizer.

Tokenising costs more than everything else on the way to keyword search (0.9 MB/s a core). Nearly all tokenizers cut
at whitespace before anything else, so a text has the tokens of its words, and words recur: their counts are kept.
Whether a tokenizer is of that sort is tried when it comes; one that is not is simply asked each time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Size = Callable[[str], int]
"""Text → tokens, without prompt and special tokens."""

Sizes = Callable[[Sequence[str]], list[int]]
"""Texts → tokens of each: many at once, since a tokenizer has its price for each call."""

_KEPT_WORDS: Final = 300_000
_LONGEST_KEPT: Final = 40

# Characters that normalisers drop, join or turn into spaces: words beside them do not stand alone.
_UNRULY: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    "\u2028-\u202f\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\ud800-\udfff]"
)
_PROBES: Final = (
    "Hello, world! It's 12.5 km\nto Zürich\t(foo_bar)",
    "a  b\n\n c\r\nd -- \u00e9t\u00e9",
    "我们 今天 talk about AI。 ok",
    "x=1; y = [1, 2]\n    return  x",
)


class WordCounts:
    """Counts tokens by words, for tokenizers that cut at whitespace; by the tokenizer itself otherwise."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._kept: dict[str, int] = {}
        self._by_words = True
        self._by_words = all(self([probe]) == self._exactly([probe]) for probe in _PROBES)

    def __call__(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each of the texts."""
        plain = [self._by_words and _UNRULY.search(text) is None for text in texts]
        words = [text.split() if is_plain else [] for text, is_plain in zip(texts, plain, strict=True)]
        rest = iter(self._exactly([text for text, is_plain in zip(texts, plain, strict=True) if not is_plain]))
        counts = self._known(words)
        return [
            sum(map(counts.__getitem__, each)) if is_plain else next(rest)
            for each, is_plain in zip(words, plain, strict=True)
        ]

    def _exactly(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        return [len(encoded) for encoded in self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def _known(self, words: Sequence[Sequence[str]]) -> dict[str, int]:
        """Counts of at least these words. Those that may come again are kept."""
        new = list(set().union(*words).difference(self._kept))
        if not new:
            return self._kept
        if len(self._kept) + len(new) > _KEPT_WORDS:
            self._kept.clear()
            new = list(set().union(*words))
        counts = dict(zip(new, self._exactly(new), strict=True))
        short = {word: count for word, count in counts.items() if len(word) <= _LONGEST_KEPT}
        self._kept.update(short)
        # Long words hardly come twice: they are counted for now and forgotten.
        return self._kept if len(short) == len(counts) else {**self._kept, **counts}
