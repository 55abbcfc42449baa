"""The Embedder that asks a server: any that speaks OpenAI's ``POST /v1/embeddings``, over the standard library."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ammon.embed.prompts import KNOWN
from ammon.embed.specification import Prompts
from ammon.errors import InputError, ModelNotFound, ModelUnavailable
from ammon.types import Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

BATCH = 64  # texts a request; the least that a common server allows is 2048, its limit in tokens is met first
CHARACTERS = 100_000  # a request; about 25,000 tokens
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})  # statuses that pass


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try: ``attempts`` in all, each given ``timeout`` seconds; between them a wait that doubles from
    ``first`` to at most ``longest`` seconds, shortened at random by up to half so that clients do not march in step.
    """

    attempts: int = 6
    timeout: float = 60.0
    first: float = 0.5
    longest: float = 30.0

    def wait(self, failures: int, asked: float | None) -> float:
        """Return the seconds to wait after so many failures; what the server ``asked`` for counts if it is more."""
        # not for secrets: it only spreads the load
        own = min(self.longest, self.first * 2.0 ** (failures - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
        return max(own, min(asked or 0.0, self.longest))


class RemoteEmbedder:
    """A model behind ``url``, as the `Embedder` port asks. Sends texts to that address and nowhere else."""

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
        self._address = address(url)
        self._key = key
        self._patience = patience or Patience()
        self._sleep = sleep
        self._prompts = KNOWN.get(name, Prompts())
        self._dim = 0

    def __repr__(self) -> str:
        return f"RemoteEmbedder({self._name!r}, {self._address!r})"

    @property
    def name(self) -> str:
        """The model's name, as the server knows it."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Hex digest of address, model, dimension and prompts: the server's weights cannot be seen."""
        known = repr((self._address, self._name, self.dim, self._prompts))
        return hashlib.blake2b(known.encode(), digest_size=16).hexdigest()

    @property
    def dim(self) -> int:
        """Length of a vector; found out by embedding one word. Raises: ModelUnavailable."""
        if not self._dim:
            self._request(["dimension"])
        return self._dim

    @property
    def max_tokens(self) -> int:
        """The size to cut passages for; servers do not tell theirs, and every common one takes this."""
        return 512

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
        return self._embed([self._prompts.passage + text for text in texts])

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        """Rows for texts to search with. Raises: ModelUnavailable."""
        prompt = self._prompts.for_query(instruction)
        return self._embed([prompt + text for text in texts])

    def _embed(self, texts: list[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dim), np.float32)
        # servers refuse the empty text; a space is what it means
        return np.concatenate([self._request([text or " " for text in part]) for part in _portions(texts)])

    def _request(self, texts: list[str]) -> Vectors:
        body = json.dumps({"model": self._name, "input": texts, "encoding_format": "float"}).encode()
        for failures in range(1, self._patience.attempts + 1):
            try:
                return self._rows(self._post(body), len(texts))
            except _Passing as passing:
                if failures == self._patience.attempts:
                    raise ModelUnavailable(
                        f"{self._address} did not embed {len(texts)} texts after {failures} attempts: {passing}."
                    ) from passing
                self._sleep(self._patience.wait(failures, passing.asked))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "ammon"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._address, body, headers, method="POST")  # noqa: S310 checked in address()
        try:
            with urllib.request.urlopen(request, timeout=self._patience.timeout) as answer:  # noqa: S310 as above
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise _Passing(str(error) or type(error).__name__) from error

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        said = error.read(500).decode("utf-8", "replace").strip()
        told = f"status {error.code} {error.reason}" + (f": {said}" if said else "")
        if error.code in AGAIN:
            return _Passing(told, _seconds(error.headers.get("Retry-After")))
        if error.code in {401, 403}:
            return ModelUnavailable(f"{self._address} refused the key: {told}.", hint="Check the key of this server.")
        if error.code == 404:
            return ModelNotFound(
                f"{self._address} does not serve '{self._name}': {told}.",
                hint="Check the model's name and the address; it usually ends in /v1.",
            )
        return ModelUnavailable(f"{self._address} refused the request: {told}.")

    def _rows(self, content: bytes, count: int) -> Vectors:
        try:
            data = sorted(json.loads(content)["data"], key=lambda one: int(one["index"]))
            rows = np.array([one["embedding"] for one in data], np.float32)
            indexes = [one["index"] for one in data]
        except (ValueError, KeyError, TypeError) as error:
            raise _Passing(f"an answer that is no list of embeddings ({error})") from error
        if indexes != list(range(count)) or rows.ndim != 2 or not rows.shape[1] or not np.isfinite(rows).all():
            raise _Passing(f"an answer of {len(data)} embeddings, not {count} of one length and finite")
        if self._dim and rows.shape[1] != self._dim:
            raise ModelUnavailable(
                f"{self._address} gave vectors of {rows.shape[1]} numbers after some of {self._dim}."
            )
        self._dim = rows.shape[1]
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not norms.all():
            raise _Passing("an embedding of zeros, which has no direction")
        return np.asarray(rows / norms, np.float32)


class _Passing(Exception):
    """A failure that may pass; ``asked`` is how many seconds the server asked to be left alone."""

    def __init__(self, message: str, asked: float | None = None) -> None:
        super().__init__(message)
        self.asked = asked


def address(url: str) -> str:
    """Return where to post: ``url`` with ``/embeddings`` at its end, and ``/v1`` before that if it has no path.

    >>> address("http://localhost:11434")
    'http://localhost:11434/v1/embeddings'

    Raises: InputError.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"'{url}' is no address of a server.", hint="Give one like http://localhost:11434/v1.")
    path = parts.path.rstrip("/") or "/v1"
    return parts._replace(path=path if path.endswith("/embeddings") else f"{path}/embeddings").geturl()


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
    wide = sum("\u2e80" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7af" for letter in text)
    return wide + -(-(len(text) - wide) // 3)


def _seconds(header: Any) -> float | None:
    """Seconds in a Retry-After header; its other form, a date, is as good as none: the wait doubles anyway."""
    try:
        return float(header)
    except (TypeError, ValueError):
        return None
