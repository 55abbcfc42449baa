"""Text → token ids, cut to what the model takes, with its special tokens around them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ammon.embed.unigram import Unigram

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

LONGEST_TOKEN = 100  # characters; more of a text than this times the limit in tokens is never read
SHORT = 400  # characters in all that are not worth setting up a tokenizer for; fewer than any model's limit in tokens


class Reader:
    """A model's tokenizer, set up when first needed; ``quick`` reads a few short texts before that. Threads may
    share one.
    """

    def __init__(self, tokenize: Callable[[], Tokenizer], limit: int, quick: Unigram | None = None) -> None:
        self._tokenize = tokenize
        self._limit = limit
        self._quick = quick if limit > SHORT else None
        self._tokenizer: Tokenizer | None = None
        self._setting_up = threading.Lock()

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer itself, which neither cuts nor pads."""
        with self._setting_up:
            if self._tokenizer is None:
                self._tokenizer = self._tokenize()
            return self._tokenizer

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the ids of each text, special tokens included, at most the limit; of a longer text, its beginning."""
        quick = self._read_quickly(texts)
        if quick is not None:
            return quick
        most = self._limit * LONGEST_TOKEN
        encoded = self.tokenizer.encode_batch_fast([readable(text[:most]) for text in texts])
        return [_cut(one, self._limit) for one in encoded]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each whole text has, without special tokens."""
        encoded = self.tokenizer.encode_batch_fast([readable(text) for text in texts], add_special_tokens=False)
        return [len(one) for one in encoded]

    def prompt_length(self, prompt: str) -> int:
        """Return how many ids before a text are its prompt's: those of the prompt alone, less the end token."""
        if not prompt:
            return 0
        special = self.tokenizer.encode(readable(prompt[: self._limit * LONGEST_TOKEN])).special_tokens_mask
        return len(special) - sum(special[-1:])

    def _read_quickly(self, texts: Sequence[str]) -> list[list[int]] | None:
        if self._quick is None or self._tokenizer is not None or sum(map(len, texts)) > SHORT:
            return None
        read = [self._quick.ids(text) for text in texts]
        found = [ids for ids in read if ids is not None]
        return found if len(found) == len(texts) else None


def readable(text: str) -> str:
    """Return ``text`` with U+FFFD for every lone surrogate, which no tokenizer and no server takes."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _cut(encoding: Encoding, limit: int) -> list[int]:
    """The ids of a text, cut so that the special tokens at its end remain."""
    ids = encoding.ids
    if len(ids) <= limit:
        return ids
    last = next((at for at, special in enumerate(reversed(encoding.special_tokens_mask)) if not special), 0)
    return ids[: limit - last] + ids[len(ids) - last :]
