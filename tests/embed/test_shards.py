"""Weights spread over several safetensors files with an index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_models as tiny
from ammon.embed import load_embedder, load_reranker
from ammon.embed.folder import embedding_origin
from ammon.embed.hub import fetch
from ammon.errors import ModelNotFound

INDEX = "model.safetensors.index.json"
SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
WORDS = ["memory of elephants", "大象", ""]


def split(folder: Path, weights: tiny.Arrays) -> Path:
    """Replace the folder's one file of weights by two and an index."""
    (folder / "model.safetensors").unlink()
    names = {name: SHARDS[at % 2] for at, name in enumerate(weights)}
    for shard in SHARDS:
        tiny.write_safetensors(folder / shard, {name: weights[name] for name in weights if names[name] == shard})
    tiny.write_json(folder / INDEX, {"metadata": {}, "weight_map": names})
    return folder


def write_split(folder: Path, seed: int = 1) -> Path:
    weights = tiny.random_weights(seed)
    return split(tiny.write_folder(folder, weights), weights)


def test_shards_give_the_vectors_of_the_unsplit_weights(tmp_path: Path) -> None:
    whole = load_embedder(str(tiny.write_folder(tmp_path / "whole", tiny.random_weights(1))), cache=tmp_path, threads=1)
    parted = load_embedder(str(write_split(tmp_path / "parted")), cache=tmp_path, threads=1)
    np.testing.assert_allclose(parted.embed_passages(WORDS), whole.embed_passages(WORDS), atol=1e-6)


def test_a_cross_encoder_in_shards_scores_as_unsplit(tmp_path: Path) -> None:
    weights = tiny.random_weights(2, prefix="bert.", labels=1)
    folder = tiny.write_folder(
        tmp_path / "m", weights, architectures=["BertForSequenceClassification"], id2label={"0": "LABEL_0"}
    )
    whole = load_reranker(str(folder), cache=tmp_path, threads=1).score("what", WORDS)
    parted = load_reranker(str(split(folder, weights)), cache=tmp_path, threads=1).score("what", WORDS)
    np.testing.assert_allclose(parted, whole, atol=1e-6)


def test_every_shard_and_the_index_count_in_the_fingerprint(tmp_path: Path) -> None:
    folder = write_split(tmp_path / "m")
    found = {embedding_origin(folder, "m").fingerprint()}
    for name in SHARDS:
        content = bytearray((folder / name).read_bytes())
        content[-1] ^= 1
        (folder / name).write_bytes(content)
        found.add(embedding_origin(folder, "m").fingerprint())
    (folder / INDEX).write_bytes((folder / INDEX).read_bytes() + b" ")
    found.add(embedding_origin(folder, "m").fingerprint())
    assert len(found) == 4


@pytest.mark.parametrize("missing", SHARDS)
def test_a_missing_shard_is_named(tmp_path: Path, missing: str) -> None:
    folder = write_split(tmp_path / "m")
    (folder / missing).unlink()
    with pytest.raises(ModelNotFound, match=missing) as caught:
        load_embedder(str(folder), cache=tmp_path, threads=1)
    assert caught.value.hint


@pytest.mark.parametrize("content", [[], {}, {"weight_map": ["a"]}, {"weight_map": {"a": 1}}])
def test_an_index_that_is_none_is_refused(tmp_path: Path, content: object) -> None:
    folder = write_split(tmp_path / "m")
    tiny.write_json(folder / INDEX, content)
    with pytest.raises(ModelNotFound, match="cannot be read"):
        load_embedder(str(folder), cache=tmp_path, threads=1)


def test_a_repo_in_shards_is_taken_as_fetched_only_when_every_shard_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    repo = tmp_path / "hub" / "models--some-org--some-model"
    folder = write_split(repo / "snapshots" / ("0" * 40))
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("0" * 40)
    assert fetch("some-org/some-model", tmp_path) == folder
    (folder / SHARDS[1]).unlink()
    with pytest.raises(ModelNotFound, match="some-org/some-model"):
        fetch("some-org/some-model", tmp_path)
