"""The Embedder that runs on this machine: texts → tokens → batches → a compiled graph → unit rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ammon.embed.batches import batches, padded
from ammon.embed.runtime import Program
from ammon.embed.specification import Prompts
from ammon.embed.unigram import Unigram
from ammon.types import Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

LONGEST_TOKEN = 100  # characters; more of a text than this times the limit in tokens is never read
SHORT = 400  # characters in all that are not worth setting up a tokenizer for; fewer than any model's limit in tokens


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a model without running it."""

    name: str
    fingerprint: str
    dim: int
    max_tokens: int
    languages: frozenset[str]
    prompts: Prompts
    pad: int = 0


class LocalEmbedder:
    """A model on OpenVINO, as the `Embedder` port asks. Give one instance to one thread at a time."""

    def __init__(
        self, facts: Facts, program: Program, tokenize: Callable[[], Tokenizer], quick: Unigram | None = None
    ) -> None:
        self.facts = facts
        self._program = program
        self._tokenize = tokenize
        self._quick = quick
        self._whole: Tokenizer | None = None

    def __repr__(self) -> str:
        return f"LocalEmbedder({self.name!r}, dim={self.dim})"

    @property
    def name(self) -> str:
        """The model's name, as ``--model`` takes it."""
        return self.facts.name

    @property
    def fingerprint(self) -> str:
        """Hex digest of the weights, the tokenizer and the prompts."""
        return self.facts.fingerprint

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.facts.dim

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, prompt and special tokens included; longer ones are cut."""
        return self.facts.max_tokens

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes the model serves; empty means any."""
        return self.facts.languages

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer, which neither cuts nor pads."""
        if self._whole is None:
            self._whole = self._tokenize()
        return self._whole

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text in the model's own vocabulary, without prompt and special tokens."""
        encoded = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(one) for one in encoded]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Rows for texts to be found."""
        return self._embed([self.facts.prompts.passage + text for text in texts])

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        """Rows for texts to search with; ``instruction`` replaces the model's own."""
        prompt = self.facts.prompts.for_query(instruction)
        return self._embed([prompt + text for text in texts])

    def _embed(self, texts: list[str]) -> Vectors:
        tokens = self._ids(texts)
        rows = np.empty((len(texts), self.dim), np.float32)
        for members in batches([len(one) for one in tokens]):
            ids, mask = padded([tokens[member] for member in members], self.facts.pad)
            rows[members] = self._program.run({"ids": ids, "mask": mask})
        return rows

    def _ids(self, texts: list[str]) -> list[list[int]]:
        quick = self._read_quickly(texts)
        if quick is not None:
            return quick
        most = self.max_tokens * LONGEST_TOKEN
        encoded = self.tokenizer.encode_batch_fast([text[:most] for text in texts])
        return [_cut(one, self.max_tokens) for one in encoded]

    def _read_quickly(self, texts: list[str]) -> list[list[int]] | None:
        """The ids of a few short texts while the real tokenizer is not there yet; None where that must do it."""
        if self._quick is None or self._whole is not None or sum(map(len, texts)) > SHORT:
            return None
        read = [self._quick.ids(text) for text in texts]
        found = [ids for ids in read if ids is not None]
        return found if len(found) == len(texts) else None


def _cut(encoding: Encoding, limit: int) -> list[int]:
    """The ids of a text, cut in the middle so that the special tokens at its end remain."""
    ids = encoding.ids
    if len(ids) <= limit:
        return ids
    last = next((at for at, special in enumerate(reversed(encoding.special_tokens_mask)) if not special), 0)
    return ids[: limit - last] + ids[len(ids) - last :]
