"""Servers of embeddings: a real one on this machine, which also misbehaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ammon.embed.endpoint import Patience, address
from ammon.embed.remote import BATCH, RemoteEmbedder, _cut
from ammon.errors import InputError, ModelNotFound, ModelUnavailable
from embedding_server import Misdeed, Server, embeddings, reply, serving, vector_of

QUICK = Patience(attempts=4, timeout=5, first=0.25, longest=2)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


def embedder(server: Server, waits: list[float] | None = None, patience: Patience = QUICK) -> RemoteEmbedder:
    return RemoteEmbedder(
        "some-model", server.url, "secret", patience=patience, sleep=(waits if waits is not None else []).append
    )


def expected(texts: list[str]) -> np.ndarray:
    rows = np.array([vector_of(text) for text in texts])
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_rows_come_back_in_the_order_of_the_texts(server: Server) -> None:
    texts = [f"text {'x' * (at % 13)}{at}" for at in range(2 * BATCH + 5)]
    np.testing.assert_allclose(embedder(server).embed_passages(texts), expected(texts), rtol=1e-5)
    assert [len(request["input"]) for request in server.requests] == [BATCH, BATCH, 5]
    assert set(server.keys) == {"Bearer secret"}
    assert set(server.paths) == {"/v1/embeddings"}
    assert {request["model"] for request in server.requests} == {"some-model"}


def status(code: int, **headers: str) -> Misdeed:
    return lambda request, _: reply(request, code, {"error": "not now"}, **headers)


def hang_up(request: BaseHTTPRequestHandler, _: list[str]) -> None:
    request.close_connection = True


def answer(change: Callable[[list[Any]], Any]) -> Misdeed:
    return lambda request, texts: reply(request, 200, {"data": change(embeddings(texts)["data"])})


PASSING = {
    "too many requests": status(429),
    "an error inside": status(500),
    "overloaded": status(503),
    "nobody behind the gate": status(502),
    "hanging up": hang_up,
    "one too few": answer(lambda data: data[1:]),
    "one twice": answer(lambda data: [*data, data[0]]),
    "no list": answer(lambda _: "soon"),
    "no numbers": answer(lambda data: [{**one, "embedding": ["x"]} for one in data]),
    "no direction": answer(lambda data: [{**one, "embedding": [0.0, 0.0, 0.0]} for one in data]),
    "not finite": answer(lambda data: [{**one, "embedding": [float("nan"), 1.0, 1.0]} for one in data]),
    "unequal lengths": answer(lambda data: [{**data[0], "embedding": [1.0]}, *data[1:]]),
}


@pytest.mark.parametrize("misdeed", PASSING.values(), ids=PASSING)
def test_a_failure_that_passes_is_waited_out(server: Server, misdeed: Misdeed) -> None:
    waits: list[float] = []
    server.misdeeds = [misdeed, misdeed]
    np.testing.assert_allclose(embedder(server, waits).embed_queries(["a", "bc"]), expected(["a", "bc"]), rtol=1e-5)
    assert len(waits) == 2
    assert 0.125 <= waits[0] <= 0.25 <= 2 * waits[1] <= 1.0


def test_the_server_is_left_alone_for_as_long_as_it_asks(server: Server) -> None:
    waits: list[float] = []
    server.misdeeds = [status(429, Retry_After="1"), status(429, Retry_After="86400"), status(503, Retry_After="soon")]
    embedder(server, waits).embed_queries(["a"])
    assert waits[:2] == [1.0, QUICK.longest]
    assert waits[2] <= 1.0


def test_a_failure_that_lasts_is_told_after_the_last_attempt(server: Server) -> None:
    server.misdeeds = [status(503)] * 9
    with pytest.raises(ModelUnavailable, match=r"4 attempts: status 503.*not now") as caught:
        embedder(server).embed_queries(["a"])
    assert len(server.requests) == QUICK.attempts
    assert "lost" in caught.value.hint


def test_a_server_that_hangs_is_given_up_in_time(server: Server) -> None:
    release = threading.Event()

    def hang(_request: BaseHTTPRequestHandler, _texts: list[str]) -> None:
        release.wait(10)

    server.misdeeds = [hang] * 2
    began = time.monotonic()
    with pytest.raises(ModelUnavailable, match="timed out"):
        embedder(server, patience=Patience(attempts=2, timeout=0.2)).embed_queries(["a"])
    assert time.monotonic() - began < 5
    release.set()


@pytest.mark.parametrize(
    ("code", "kind"), [(400, ModelUnavailable), (401, ModelUnavailable), (403, ModelUnavailable), (404, ModelNotFound)]
)
def test_a_refusal_is_told_at_once(server: Server, code: int, kind: type[Exception]) -> None:
    server.misdeeds = [status(code)]
    with pytest.raises(kind, match=f"status {code}"):
        embedder(server).embed_queries(["a"])
    assert len(server.requests) == 1


def test_a_redirection_is_not_followed(server: Server) -> None:
    server.misdeeds = [status(307, Location="http://192.0.2.1/v1/embeddings")]
    with pytest.raises(ModelUnavailable, match="status 307"):
        embedder(server).embed_queries(["a"])


def test_no_server_at_all_is_unavailable() -> None:
    nobody = RemoteEmbedder("m", "http://127.0.0.1:9/v1", patience=Patience(attempts=2, first=0.001))
    with pytest.raises(ModelUnavailable, match="2 attempts"):
        nobody.embed_queries(["a"])


def test_vectors_that_change_their_length_are_refused(server: Server) -> None:
    remote = embedder(server)
    assert remote.dim == 3
    server.misdeeds = [answer(lambda data: [{**one, "embedding": [1.0, 2.0]} for one in data])]
    with pytest.raises(ModelUnavailable, match="2 numbers after some of 3"):
        remote.embed_queries(["a"])


def test_the_fingerprint_tells_addresses_and_models_apart(server: Server) -> None:
    one, same = embedder(server), embedder(server)
    other = RemoteEmbedder("other-model", server.url, patience=QUICK)
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_known_models_get_their_prompts(server: Server) -> None:
    remote = RemoteEmbedder("intfloat/multilingual-e5-small", server.url, patience=QUICK)
    remote.embed_queries(["a"])
    remote.embed_passages(["a"])
    assert [request["input"] for request in server.requests] == [["query: a"], ["passage: a"]]


@pytest.mark.parametrize(
    ("url", "posted"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1/embeddings"),
        ("http://localhost:11434/", "http://localhost:11434/v1/embeddings"),
        ("https://api.example.org/v1/", "https://api.example.org/v1/embeddings"),
        ("https://api.example.org/v1/embeddings", "https://api.example.org/v1/embeddings"),
        ("https://example.org/x?api-version=2", "https://example.org/x/embeddings?api-version=2"),
    ],
)
def test_the_address_is_completed(url: str, posted: str) -> None:
    assert address(url) == posted


@pytest.mark.parametrize("url", ["", "localhost:11434", "ftp://host/v1", "file:///etc/passwd", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no address"):
        address(url)


@settings(max_examples=60)
@given(st.text("ab 大한", min_size=1, max_size=9), st.integers(1, 2000))
def test_what_counts_as_a_chunk_is_sent_whole_and_more_is_cut_where_a_chunk_would_end(unit: str, times: int) -> None:
    embedder = RemoteEmbedder("any", "http://localhost:1")
    text = unit * times
    kept = _cut(text)
    assert text.startswith(kept)
    if embedder.count_tokens([text])[0] <= embedder.max_tokens:
        assert kept == text
    else:
        longer = text[: len(kept) + 1]
        assert embedder.count_tokens([kept])[0] <= embedder.max_tokens < embedder.count_tokens([longer])[0]


def test_a_long_instruction_takes_nothing_from_the_text(server: Server) -> None:
    text = "memory " * 200
    RemoteEmbedder("any", server.url).embed_queries([text], instruction="Find it. " * 200)
    assert server.requests[-1]["input"][0].endswith(text)
