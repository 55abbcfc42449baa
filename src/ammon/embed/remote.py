"""The Embedder that asks a server: any that speaks OpenAI's ``POST /v1/embeddings``, over the standard library."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from ammon.embed.endpoint import Endpoint, Patience
from ammon.embed.prompts import KNOWN
from ammon.embed.specification import Prompts
from ammon.embed.tokens import readable
from ammon.errors import ModelUnavailable
from ammon.types import Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH = 64  # texts a request: well under what servers allow, enough to hide the way there and back
CHARACTERS = 100_000  # a request, about 25,000 tokens
MOST_TOKENS = 512  # what every common model takes
NARROW = 3  # characters a token, at least, outside the scripts of East Asia


class RemoteEmbedder:
    """A model behind ``url``, as the `Embedder` port asks. Sends texts to that address and nowhere else.

    Its tokens are estimated. A text of up to ``max_tokens`` by that estimate is sent whole, so no chunk is ever cut;
    a longer one is cut there, before it meets its prompt. Threads may share one, and do not wait for each other.
    """

    def __init__(
        self,
        name: str,
        url: str,
        key: str = "",
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = name
        self._endpoint = Endpoint(url, name, key, patience or Patience(), sleep)
        self._prompts = KNOWN.get(name, Prompts())
        self._dim = 0
        self._learning = threading.Lock()

    @property
    def name(self) -> str:
        """The model's name, as the server knows it."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Hex digest of address, model, dimension and prompts: the server's weights cannot be seen."""
        known = repr((self._endpoint.address, self._name, self.dim, self._prompts))
        return hashlib.blake2b(known.encode(), digest_size=16).hexdigest()

    @property
    def dim(self) -> int:
        """Length of a vector; found out by embedding one word. Raises: ModelUnavailable."""
        return self._dim or self._ask(["dimension"]).shape[1]

    @property
    def max_tokens(self) -> int:
        """The size to cut passages for; servers do not tell theirs, and every common one takes this."""
        return MOST_TOKENS

    @property
    def languages(self) -> frozenset[str]:
        """Empty: not known."""
        return frozenset()

    @property
    def tokenizer(self) -> Tokenizer | None:
        """None: the server keeps its own."""
        return None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """An upper estimate of each text's tokens: one for each CJK character, one for every three others."""
        return [_estimate(text) for text in texts]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Rows for texts to be found. Raises: ModelUnavailable."""
        return self._embed(self._prompts.passage, texts)

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        """Rows for texts to search with. Raises: ModelUnavailable."""
        return self._embed(self._prompts.for_query(instruction), texts)

    def _embed(self, prompt: str, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dim), np.float32)
        # servers refuse the empty text and what is beyond their limit; a space is what the first means
        whole = [readable(prompt + _cut(text)) or " " for text in texts]
        return np.concatenate([self._ask(portion) for portion in _portions(whole)])

    def _ask(self, texts: list[str]) -> Vectors:
        rows = self._endpoint.rows(texts)
        with self._learning:
            known = self._dim = self._dim or rows.shape[1]
        if rows.shape[1] != known:
            raise ModelUnavailable(
                f"{self._endpoint.address} gave vectors of {rows.shape[1]} numbers after some of {known}.",
                hint="Its model has changed: index into a new library, or set the server back.",
            )
        return rows


def _portions(texts: list[str]) -> list[list[str]]:
    portions: list[list[str]] = []
    room = 0
    for text in texts:
        if not portions or len(portions[-1]) == BATCH or len(text) > room:
            portions.append([])
            room = CHARACTERS
        portions[-1].append(text)
        room -= len(text)
    return portions


def _estimate(text: str) -> int:
    wide = sum(map(_is_wide, text))
    return wide + -(-(len(text) - wide) // NARROW)


def _is_wide(letter: str) -> bool:
    return "\u2e80" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7af"


def _cut(text: str) -> str:
    """The longest beginning of ``text`` that is estimated at `MOST_TOKENS` or less."""
    if len(text) <= MOST_TOKENS:
        return text
    room = MOST_TOKENS * NARROW
    reached = accumulate(NARROW if _is_wide(letter) else 1 for letter in text[: room + 1])
    return text[: sum(spent <= room for spent in reached)]
