"""One address that speaks OpenAI's ``POST /v1/embeddings``: asking it, and asking again when it is busy."""

from __future__ import annotations

import http.client
import json
import random
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ammon.errors import InputError, ModelNotFound, ModelUnavailable
from ammon.types import Vectors

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

    def wait(self, failures: int, asked: float) -> float:
        """Return the seconds to wait after so many failures; what the server ``asked`` for counts if it is more."""
        own = min(self.longest, self.first * 2.0 ** (failures - 1))
        return max(own * random.uniform(0.5, 1.0), min(asked, self.longest))  # noqa: S311 it only spreads the load


class Endpoint:
    """A model at an address. Sends texts there and nowhere else, and follows no redirection to another host."""

    def __init__(self, url: str, model: str, key: str, patience: Patience, sleep: Callable[[float], None]) -> None:
        self.address = address(url)
        self._model = model
        self._key = key
        self._patience = patience
        self._sleep = sleep
        self._opener = urllib.request.build_opener(_NoRedirection)

    def rows(self, texts: list[str]) -> Vectors:
        """Return unit rows for ``texts``, shape ``(len(texts), dim)``, in their order.

        Raises: ModelUnavailable, ModelNotFound.
        """
        body = json.dumps({"model": self._model, "input": texts, "encoding_format": "float"}).encode()
        failures = 0
        while True:
            try:
                return _unit_rows(self._post(body), len(texts))
            except _Passing as passing:
                failures += 1
                if failures >= self._patience.attempts:
                    raise ModelUnavailable(
                        f"{self.address} did not embed {len(texts)} texts after {failures} attempts: {passing}."
                    ) from passing
                self._sleep(self._patience.wait(failures, passing.asked))

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": "ammon"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self.address, body, headers, method="POST")  # noqa: S310 checked in address()
        try:
            with self._opener.open(request, timeout=self._patience.timeout) as answer:
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
            return ModelUnavailable(f"{self.address} refused the key: {told}.", hint="Check the key of this server.")
        if error.code == 404:
            return ModelNotFound(
                f"{self.address} does not serve '{self._model}': {told}.",
                hint="Check the model's name and the address; it usually ends in /v1.",
            )
        return ModelUnavailable(f"{self.address} refused the request: {told}.")


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    """A redirection would carry texts and key to an address that nobody configured."""

    def redirect_request(self, *_given: Any, **_named: Any) -> None:
        """Return None: the redirection itself is the answer, an error."""


class _Passing(Exception):
    """A failure that may pass; ``asked`` is how many seconds the server asked to be left alone."""

    def __init__(self, message: str, asked: float = 0.0) -> None:
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


def _unit_rows(content: bytes, count: int) -> Vectors:
    """The vectors of an answer, by their index; whatever is wrong with it may be right the next time."""
    try:
        data = sorted(json.loads(content)["data"], key=lambda one: int(one["index"]))
        rows = np.array([one["embedding"] for one in data], np.float32)
        indexes = [one["index"] for one in data]
    except (ValueError, KeyError, TypeError) as error:
        raise _Passing(f"an answer that is no list of embeddings ({error})") from error
    if indexes != list(range(count)) or rows.ndim != 2 or not np.isfinite(rows).all():
        raise _Passing(f"an answer of {len(data)} embeddings, not {count} of one length and finite")
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norms.all():
        raise _Passing("an embedding of zeros, which has no direction")
    return np.asarray(rows / norms, np.float32)


def _seconds(header: str | None) -> float:
    """Seconds in a Retry-After header; its other form, a date, counts as none: the wait doubles anyway."""
    return float(header) if header and header.strip().isdecimal() else 0.0
