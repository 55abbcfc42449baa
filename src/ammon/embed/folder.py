"""A model in a folder of sentence-transformers' layout: what its files say, as an `Origin`.

Weights are safetensors of BERT, RoBERTa or XLM-R, whole or in shards, or ``onnx/model.onnx`` of any encoder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ammon.embed.graph import Dense, Pooling, Shape, embedding_graph, scoring_graph
from ammon.embed.prompts import prompts_of
from ammon.embed.specification import Origin, Prompts
from ammon.embed.weights import Weights, read_safetensors, read_shards, shards
from ammon.errors import ModelNotFound

if TYPE_CHECKING:
    from openvino import Model
    from tokenizers import Tokenizer

ONNX = Path("onnx") / "model.onnx"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
ROBERTA = ("roberta", "xlm-roberta", "camembert")
_POOLINGS: Mapping[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
}


def embedding_origin(folder: Path, name: str) -> Origin:
    """Return the embedding model in ``folder``, ready to be built.

    Raises: ModelNotFound, naming the file that is missing or of a kind that cannot be used.
    """
    config = _json(folder, "config.json")
    modules = _modules(folder)
    pooling, pools_prompt = _pooling(folder, modules)
    dense = [_dense(folder, path) for path in modules.get("Dense", [])]
    weights = weights_file(folder)
    beside = ("config.json", "tokenizer.json", "modules.json", "sentence_bert_config.json")
    paths = [folder / one for one in beside] + [folder / path / WEIGHTS for path in modules.get("Dense", [])]
    prompts = prompts_of(
        _json(folder, "ammon-model.json", {}), _json(folder, "config_sentence_transformers.json", {}), config, name
    )
    return Origin(
        name=name,
        files=(weights, *_shards(weights), *(path for path in paths if path.exists())),
        dim=len(dense[-1].bias) if dense else int(config["hidden_size"]),
        max_tokens=_max_tokens(folder, config),
        prompts=prompts,
        build=lambda: _embedding_model(weights, config, pooling, dense, pools_prompt=pools_prompt),
        tokenize=lambda: read_tokenizer(folder),
        languages=frozenset(_json(folder, "ammon-model.json", {}).get("languages", ())),
        # said only where it is so: a model that pools its prompt keeps the fingerprint it always had
        settings={"pooling": pooling, "dense": len(dense), **({} if pools_prompt else {"pools_prompt": False})},
        pad=int(config.get("pad_token_id") or 0),
    )


def scoring_origin(folder: Path, name: str) -> Origin:
    """Return the cross-encoder in ``folder``, ready to be built; its ``dim`` is its number of labels.

    Raises: ModelNotFound, naming the file that is missing or of a kind that cannot be used.
    """
    config = _json(folder, "config.json")
    weights = weights_file(folder)
    labels = int(config.get("num_labels") or len(config.get("id2label") or {}) or 1)
    if not any("SequenceClassification" in one for one in config.get("architectures", ())):
        raise ModelNotFound(f"{folder} holds no cross-encoder: its config.json names no sequence classifier.")
    if labels > 2:
        raise ModelNotFound(f"The model in {folder} tells {labels} classes apart; a reranker has one score or two.")
    return Origin(
        name=name,
        files=(weights, *_shards(weights), folder / "config.json", folder / "tokenizer.json"),
        dim=labels,
        max_tokens=_max_tokens(folder, config),
        prompts=Prompts(),
        build=lambda: _scoring_model(weights, config),
        tokenize=lambda: read_tokenizer(folder),
        pad=int(config.get("pad_token_id") or 0),
    )


def weights_file(folder: Path) -> Path:
    """Return the file of weights in ``folder``: safetensors where there is one, else ONNX, else the index of shards.

    Raises: ModelNotFound where there is none.
    """
    for path in (folder / WEIGHTS, folder / ONNX, folder / ONNX.name, folder / INDEX):
        if path.is_file():
            return path
    raise ModelNotFound(
        f"The model folder {folder} holds neither {WEIGHTS} nor {INDEX} nor {ONNX}.",
        hint="Save it with safe_serialization=True, or export it to ONNX; other formats are not read.",
    )


def read_tokenizer(folder: Path) -> Tokenizer:
    """Return the folder's tokenizer, which neither cuts nor pads.

    Raises: ModelNotFound.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelNotFound(
            f"The model folder {folder} holds no tokenizer.json.", hint="Save its fast tokenizer there."
        )
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _embedding_model(
    weights: Path, config: Mapping[str, Any], pooling: Pooling, dense: Sequence[Dense], *, pools_prompt: bool
) -> Model:
    if weights.suffix == ".onnx":
        from ammon.embed.onnx import embedding_from_onnx

        return embedding_from_onnx(weights, pooling, dense, pools_prompt=pools_prompt)
    return embedding_graph(_shape(config), _named(_tensors(weights)), pooling, dense, pools_prompt=pools_prompt)


def _scoring_model(weights: Path, config: Mapping[str, Any]) -> Model:
    if weights.suffix == ".onnx":
        from ammon.embed.onnx import scoring_from_onnx

        return scoring_from_onnx(weights)
    return scoring_graph(_shape(config), _named(_tensors(weights)))


def _shards(weights: Path) -> tuple[Path, ...]:
    return shards(weights) if weights.name == INDEX else ()


def _tensors(weights: Path) -> Weights:
    return read_shards(weights) if weights.name == INDEX else read_safetensors(weights)


def _named(weights: Weights) -> Weights:
    """The weights under the names of a bare encoder: those of a model with a head stand under its family's name."""
    names: dict[str, Any] = {}
    for name, value in weights.items():
        family, _, rest = name.partition(".")
        plain = rest if family in {"bert", "roberta"} else name
        names[plain.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")] = value
    return names


def _shape(config: Mapping[str, Any]) -> Shape:
    kind = config.get("model_type", "")
    if kind not in {"bert", *ROBERTA}:
        raise ModelNotFound(
            f"Weights of the architecture '{kind}' cannot be built; BERT, RoBERTa and XLM-R can.",
            hint=f"Export the model to {ONNX} in its folder; ONNX of any architecture is read.",
        )
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise ModelNotFound("Only encoders with absolute position embeddings can be built.")
    return Shape(
        int(config["hidden_size"]),
        int(config["num_hidden_layers"]),
        int(config["num_attention_heads"]),
        float(config.get("layer_norm_eps", 1e-12)),
        str(config.get("hidden_act", "gelu")),
        _offset(config),
    )


def _offset(config: Mapping[str, Any]) -> int:
    return int(config.get("pad_token_id", 1)) + 1 if config.get("model_type") in ROBERTA else 0


def _max_tokens(folder: Path, config: Mapping[str, Any]) -> int:
    room = int(config.get("max_position_embeddings", 512)) - _offset(config)
    return min(room, int(_json(folder, "sentence_bert_config.json", {}).get("max_seq_length") or room))


def _modules(folder: Path) -> dict[str, list[str]]:
    """The paths of the folder's modules by the last word of their type; without a list, a plain mean is taken."""
    listed: dict[str, list[str]] = {}
    for module in cast("list[dict[str, str]]", _json(folder, "modules.json", [])):
        listed.setdefault(module["type"].rpartition(".")[2], []).append(module["path"])
    unknown = set(listed) - {"Transformer", "Pooling", "Normalize", "Dense"}
    if unknown:
        raise ModelNotFound(f"The model in {folder} has parts that cannot be built: {', '.join(sorted(unknown))}.")
    return listed


def _pooling(folder: Path, modules: Mapping[str, list[str]]) -> tuple[Pooling, bool]:
    """How the folder's model pools, and whether a prompt's tokens are pooled with the others."""
    if not modules.get("Pooling"):
        return "mean", True
    config = _json(folder, f"{modules['Pooling'][0]}/config.json")
    chosen = [name for name, value in config.items() if name.startswith("pooling_mode_") and value is True]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise ModelNotFound(f"The pooling of the model in {folder} cannot be built: {', '.join(chosen) or 'none'}.")
    pooling = _POOLINGS[chosen[0]]
    return pooling, pooling == "cls" or bool(config.get("include_prompt", True))  # the first token is always taken


def _dense(folder: Path, path: str) -> Dense:
    activation = str(_json(folder, f"{path}/config.json").get("activation_function", "")).rpartition(".")[2]
    if activation not in {"Tanh", "Identity"}:
        raise ModelNotFound(f"The dense layer {folder / path} ends in '{activation}'; Tanh and Identity can be built.")
    tensors = read_safetensors(folder / path / WEIGHTS)
    weight = np.asarray(tensors["linear.weight"], np.float32)
    bias = np.asarray(tensors.get("linear.bias", np.zeros(len(weight))), np.float32)
    return Dense(weight, bias, activation == "Tanh")


def _json(folder: Path, name: str, default: Any = None) -> Any:
    path = folder / name
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if default is not None:
            return default
        raise ModelNotFound(
            f"The model folder {folder} holds no {name}.", hint="Copy or fetch the model again."
        ) from None
    except ValueError as error:
        raise ModelNotFound(f"{path} is no JSON: {error}.", hint="Copy or fetch the model again.") from error
