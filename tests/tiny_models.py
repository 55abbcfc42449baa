"""Small encoders written to disk for tests, and the same arithmetic in plain numpy to compare with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

Arrays = Mapping[str, NDArray[Any]]
HIDDEN, INNER, LAYERS, HEADS, PLACES = 32, 48, 2, 4, 66
LETTERS = [chr(code) for code in range(ord("a"), ord("z") + 1)] + list("大象的记忆是什么")
VOCABULARY = ["<pad>", "<unk>", "<s>", "</s>", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
DTYPES = {np.dtype("f4"): "F32", np.dtype("f2"): "F16", np.dtype("i8"): "I64"}


def write_safetensors(path: Path, tensors: Arrays) -> None:
    header, blobs, reached = {}, [], 0
    for name, array in tensors.items():
        blob = np.ascontiguousarray(array).tobytes()
        place = [reached, reached + len(blob)]
        header[name] = {"dtype": DTYPES[array.dtype], "shape": list(array.shape), "data_offsets": place}
        blobs.append(blob)
        reached += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def random_weights(seed: int, *, prefix: str = "", labels: int = 0, roberta: bool = False) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(seed)
    sizes: dict[str, tuple[int, ...]] = {
        f"{prefix}embeddings.word_embeddings.weight": (len(VOCABULARY), HIDDEN),
        f"{prefix}embeddings.position_embeddings.weight": (PLACES, HIDDEN),
        f"{prefix}embeddings.token_type_embeddings.weight": (2, HIDDEN),
        f"{prefix}embeddings.LayerNorm.weight": (HIDDEN,),
        f"{prefix}embeddings.LayerNorm.bias": (HIDDEN,),
    }
    for layer in range(LAYERS):
        for name, size in {
            "attention.self.query": (HIDDEN, HIDDEN),
            "attention.self.key": (HIDDEN, HIDDEN),
            "attention.self.value": (HIDDEN, HIDDEN),
            "attention.output.dense": (HIDDEN, HIDDEN),
            "attention.output.LayerNorm": (HIDDEN,),
            "intermediate.dense": (INNER, HIDDEN),
            "output.dense": (HIDDEN, INNER),
            "output.LayerNorm": (HIDDEN,),
        }.items():
            sizes[f"{prefix}encoder.layer.{layer}.{name}.weight"] = size
            sizes[f"{prefix}encoder.layer.{layer}.{name}.bias"] = size[:1]
    if labels:
        inner, outer = (
            ("classifier.dense", "classifier.out_proj") if roberta else (f"{prefix}pooler.dense", "classifier")
        )
        sizes |= {f"{inner}.weight": (HIDDEN, HIDDEN), f"{inner}.bias": (HIDDEN,)}
        sizes |= {f"{outer}.weight": (labels, HIDDEN), f"{outer}.bias": (labels,)}
    return {name: random.normal(0, 0.4, size).astype(np.float32) for name, size in sizes.items()}


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.WordPiece({piece: at for at, piece in enumerate(VOCABULARY)}, unk_token="<unk>"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 2), ("</s>", 3)]
    )
    return made


def write_folder(
    folder: Path, weights: Arrays, *, kind: str = "bert", pooling: str = "mean_tokens", **config: Any
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"hidden_size": HIDDEN, "intermediate_size": INNER, "num_hidden_layers": LAYERS}
    places = {
        "num_attention_heads": HEADS,
        "max_position_embeddings": PLACES,
        "layer_norm_eps": 1e-5,
        "pad_token_id": 0,
    }
    write_json(folder / "config.json", {"model_type": kind, **sizes, **places, **config})
    write_json(
        folder / "modules.json",
        [
            {"idx": 0, "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        ],
    )
    write_json(
        folder / "1_Pooling" / "config.json", {"word_embedding_dimension": HIDDEN, f"pooling_mode_{pooling}": True}
    )
    tokenizer().save(str(folder / "tokenizer.json"))
    write_safetensors(folder / "model.safetensors", weights)
    return folder


def write_json(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def hidden_states(
    weights: Arrays, ids: Sequence[int], *, heads: int, epsilon: float, offset: int = 0, kinds: Sequence[int] = ()
) -> NDArray[np.float64]:
    """BERT's forward pass for one text, in float64, by the formulas of Devlin et al. 2019; shape (length, hidden)."""

    def linear(name: str, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return rows @ weights[f"{name}.weight"].astype(np.float64).T + weights[f"{name}.bias"]

    def norm(name: str, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        centred = rows - rows.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"], np.float64)

    length = len(ids)
    rows = weights["embeddings.word_embeddings.weight"][list(ids)].astype(np.float64)
    rows += weights["embeddings.position_embeddings.weight"][offset : offset + length]
    rows += weights["embeddings.token_type_embeddings.weight"][list(kinds) or [0] * length]
    rows = norm("embeddings.LayerNorm", rows)
    layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
    for at in (f"encoder.layer.{layer}." for layer in range(layers)):
        query, key, value = (
            linear(f"{at}attention.self.{part}", rows).reshape(length, heads, -1).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        logits = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
        share = np.exp(logits - logits.max(-1, keepdims=True))
        seen = (share / share.sum(-1, keepdims=True)) @ value
        mixed = linear(f"{at}attention.output.dense", seen.transpose(1, 0, 2).reshape(length, -1))
        rows = norm(f"{at}attention.output.LayerNorm", mixed + rows)
        inner = linear(f"{at}intermediate.dense", rows)
        gelu = inner * 0.5 * (1 + erf(inner / np.sqrt(2)))
        rows = norm(f"{at}output.LayerNorm", linear(f"{at}output.dense", gelu) + rows)
    return rows


def unit(row: NDArray[np.float64]) -> NDArray[np.float64]:
    return row / np.linalg.norm(row)


def erf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The error function to 1.5e-7: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26."""
    t = 1 / (1 + 0.3275911 * np.abs(values))
    factors = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
    series = np.zeros_like(t)
    for factor in factors:
        series = (series + factor) * t
    return np.sign(values) * (1 - series * np.exp(-(values**2)))
