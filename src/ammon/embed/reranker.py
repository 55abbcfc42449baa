"""Cross-encoders: a query and a text read together, scored by how well the one answers the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ammon.embed.batches import batches, padded
from ammon.embed.runtime import Program
from ammon.embed.tokens import LONGEST_TOKEN, readable

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class Reranker:
    """A cross-encoder on OpenVINO; threads may share one."""

    def __init__(self, name: str, program: Program, tokenizer: Tokenizer, *, max_tokens: int, pad: int) -> None:
        self.name = name
        self._program = program
        self._pad = pad
        self._most = max_tokens * LONGEST_TOKEN
        self._tokenizer = tokenizer
        self._tokenizer.enable_truncation(max_tokens)

    def score(self, query: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a score in (0, 1) for each text, shape ``(len(texts),)``: higher answers the query better.

        It is the logistic function of the one logit, or the share of the second of two labels.
        """
        pairs = [(readable(query[: self._most]), readable(text[: self._most])) for text in texts]
        encoded = self._tokenizer.encode_batch(pairs)
        scores = np.empty(len(texts), np.float32)
        for members in batches([len(one.ids) for one in encoded]):
            ids, mask = padded([encoded[member].ids for member in members], self._pad)
            kinds, _ = padded([encoded[member].type_ids for member in members], 0)
            scores[members] = _probability(self._program.run({"ids": ids, "mask": mask, "kinds": kinds}))
        return scores


def _probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    margin = logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]
    return np.asarray(1 / (1 + np.exp(-np.clip(margin, -80, 80))), np.float32)
