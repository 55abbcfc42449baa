"""Models whose prompt takes part in attention and not in pooling (``include_prompt: false``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

import tiny_models as tiny
from ammon.embed import load_embedder
from ammon.embed.batches import without_first
from ammon.embed.encoder import LocalEmbedder

WORDS = ["a", "memory of elephants", "大象的记忆 what is it", "the quick brown fox " * 4, ""]
QUERY, PASSAGE = "seek out ", "text to be found: "
POOLINGS: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "mean_tokens": lambda rows, start: rows[start:].mean(0),
    "cls_token": lambda rows, _: rows[0],
    "max_tokens": lambda rows, start: rows[start:].max(0),
    "mean_sqrt_len_tokens": lambda rows, start: rows[start:].sum(0) / np.sqrt(len(rows) - start),
}


def distinct_weights() -> dict[str, np.ndarray]:
    """Weights under which the tokens of a text stay apart, so that it matters which of them are pooled."""
    weights = tiny.random_weights(1)
    plain = {name: float(name.endswith("weight")) for name in weights if "LayerNorm" in name}
    return weights | {name: np.full(tiny.HIDDEN, value, np.float32) for name, value in plain.items()}


def say_so(folder: Path, pooling: str = "mean_tokens", *, include: bool = False) -> Path:
    said = {f"pooling_mode_{pooling}": True, "include_prompt": include}
    tiny.write_json(folder / "1_Pooling" / "config.json", said)
    tiny.write_json(folder / "ammon-model.json", {"query": QUERY, "passage": PASSAGE})
    return folder


def load(folder: Path) -> LocalEmbedder:
    embedder = load_embedder(str(folder), cache=folder.parent, threads=1)
    assert isinstance(embedder, LocalEmbedder)
    return embedder


def ids_and_start(prompt: str, text: str) -> tuple[list[int], int]:
    """The ids of a prompt with its text, and where the pooling starts: after the begin token and the prompt."""
    made = tiny.tokenizer()
    ids = made.encode(prompt + text).ids
    ids = ids if len(ids) <= tiny.PLACES else [*ids[: tiny.PLACES - 1], ids[-1]]
    start = 1 + len(made.encode(prompt, add_special_tokens=False).ids) if prompt else 0
    return ids, min(start, len(ids) - 1)


def reference(weights: tiny.Arrays, prompt: str, text: str, pooling: str = "mean_tokens") -> np.ndarray:
    ids, start = ids_and_start(prompt, text)
    rows = tiny.hidden_states(weights, ids, heads=tiny.HEADS, epsilon=1e-5)
    return tiny.unit(POOLINGS[pooling](rows, start))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_prompt_is_seen_and_not_pooled(tmp_path: Path, pooling: str) -> None:
    weights = distinct_weights()
    embedder = load(say_so(tiny.write_folder(tmp_path / "m", weights), pooling))
    for prompt, rows in (
        (QUERY, embedder.embed_queries(WORDS)),
        (PASSAGE, embedder.embed_passages(WORDS)),
        ("find what forgets ", embedder.embed_queries(WORDS, instruction="find what forgets")),
    ):
        expected = np.stack([reference(weights, prompt, text, pooling) for text in WORDS])
        assert (rows * expected).sum(1).min() >= 0.9999


def test_without_a_prompt_every_token_is_pooled(tmp_path: Path) -> None:
    weights = distinct_weights()
    folder = say_so(tiny.write_folder(tmp_path / "m", weights))
    (folder / "ammon-model.json").unlink()
    expected = np.stack([reference(weights, "", text) for text in WORDS])
    assert (load(folder).embed_passages(WORDS) * expected).sum(1).min() >= 0.9999


def test_a_prompt_that_fills_the_whole_input_leaves_the_last_token(tmp_path: Path) -> None:
    weights = distinct_weights()
    embedder = load(say_so(tiny.write_folder(tmp_path / "m", weights)))
    long = "remember all of this " * 20
    rows = embedder.embed_queries(["elephants"], instruction=long)
    assert rows[0] @ reference(weights, f"{long.rstrip()} ", "elephants") >= 0.9999


def test_a_row_is_the_same_whatever_stands_beside_it(tmp_path: Path) -> None:
    embedder = load(say_so(tiny.write_folder(tmp_path / "m", distinct_weights())))
    together = embedder.embed_queries(WORDS)
    alone = np.concatenate([embedder.embed_queries([text]) for text in WORDS])
    assert (together * alone).sum(1).min() >= 0.9999


def test_saying_so_changes_the_build_and_saying_the_usual_does_not(tmp_path: Path) -> None:
    folder = say_so(tiny.write_folder(tmp_path / "m", distinct_weights()), include=True)
    usual = load(folder)
    tiny.write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    silent = load(folder)
    apart = load(say_so(folder))
    assert silent.fingerprint == usual.fingerprint != apart.fingerprint
    assert apart.embed_queries(["cat"])[0] @ usual.embed_queries(["cat"])[0] < 0.999


def test_leaving_tokens_out_keeps_the_last_of_each_row() -> None:
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]], np.int32)
    assert without_first(mask, 2).tolist() == [[0, 0, 1, 1], [0, 1, 0, 0], [1, 0, 0, 0]]
    assert without_first(mask, 0).tolist() == mask.tolist()
    assert without_first(mask, 9).dtype == np.int32
