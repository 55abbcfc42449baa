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

_KEPT_WORDS: Final = 200_000
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
        self._by_words = all(self._exactly(probe) == self._of_words(probe) for probe in _PROBES)

    def __call__(self, text: str) -> int:
        """Tokens of ``text``."""
        if not self._by_words or (not text.isascii() and _UNRULY.search(text)) or _has_controls(text):
            return self._exactly(text)
        return self._of_words(text)

    def _exactly(self, text: str) -> int:
        return len(self._tokenizer.encode_batch_fast([text], add_special_tokens=False)[0])

    def _of_words(self, text: str) -> int:
        words = text.split()
        try:
            return sum(map(self._kept.__getitem__, words))
        except KeyError:
            return self._learn(words)

    def _learn(self, words: Sequence[str]) -> int:
        """Count words of which some are new, and keep the counts of those that may come again."""
        if len(self._kept) > _KEPT_WORDS:
            self._kept.clear()
        new = list({word for word in words if word not in self._kept})
        encoded = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
        counts = {word: len(tokens) for word, tokens in zip(new, encoded, strict=True)}
        self._kept.update((word, count) for word, count in counts.items() if len(word) <= _LONGEST_KEPT)
        return sum(counts[word] if word in counts else self._kept[word] for word in words)


_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def _has_controls(text: str) -> bool:
    return text.isascii() and not text.isprintable() and _CONTROLS.search(text) is not None
