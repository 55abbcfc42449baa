"""The Embedder that runs on this machine: texts → tokens → batches → a compiled graph → unit rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ammon.embed.batches import batches, padded, without_first
from ammon.embed.runtime import Programs
from ammon.embed.specification import Prompts
from ammon.embed.tokens import Reader
from ammon.types import Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer


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
    pools_prompt: bool = True  # False: a prompt's tokens are seen by the others, and left out of the pooling


class LocalEmbedder:
    """A model on OpenVINO, as the `Embedder` port asks; threads may share one."""

    def __init__(self, facts: Facts, programs: Programs, reader: Reader) -> None:
        self.facts = facts
        self._programs = programs
        self._reader = reader

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
        return self._reader.tokenizer

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text in the model's own vocabulary, without prompt and special tokens."""
        return self._reader.count(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Rows for texts to be found."""
        return self._embed(self.facts.prompts.passage, texts)

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        """Rows for texts to search with; ``instruction`` replaces the model's own."""
        return self._embed(self.facts.prompts.for_query(instruction), texts)

    def _embed(self, prompt: str, texts: Sequence[str]) -> Vectors:
        tokens = self._reader.ids([prompt + text for text in texts])
        unpooled = 0 if self.facts.pools_prompt else self._reader.prompt_length(prompt)
        rows = np.empty((len(texts), self.dim), np.float32)
        for members in batches([len(one) for one in tokens]):
            ids, mask = padded([tokens[member] for member in members], self.facts.pad)
            inputs = {"ids": ids, "mask": mask}
            if not self.facts.pools_prompt:
                inputs["pooled"] = without_first(mask, unpooled)
            rows[members] = self._programs.run(inputs)
        return rows
