"""Encoders in ONNX: the smallest there can be, written here byte by byte, pooled as Ammon's own graphs are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny_models as tiny
from ammon.embed import load_embedder
from ammon.errors import ModelNotFound

FLOAT, INT64 = 1, 7


def field(number: int, content: bytes | str | int) -> bytes:
    """A field of a protocol buffer: a whole number, or bytes with their length before them."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    raw = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def varint(number: int) -> bytes:
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def value(name: str, kind: int, dims: tuple[str | int, ...]) -> bytes:
    shape = b"".join(field(1, field(2, each) if isinstance(each, str) else field(1, each)) for each in dims)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, shape)))


def lookup_model(table: np.ndarray, *, extra: str = "") -> bytes:
    """A model whose hidden states are the rows of a table, looked up by ``input_ids``."""
    tensor = b"".join(field(1, size) for size in table.shape) + field(2, FLOAT) + field(8, "table")
    tensor += field(9, table.astype("<f4").tobytes())
    node = field(1, "table") + field(1, "input_ids") + field(2, "last_hidden_state") + field(4, "Gather")
    graph = field(1, node) + field(2, "graph") + field(5, tensor)
    for name in ("input_ids", "attention_mask", "token_type_ids", *([extra] if extra else [])):
        graph += field(11, value(name, INT64, ("n", "length")))
    graph += field(12, value("last_hidden_state", FLOAT, ("n", "length", table.shape[1])))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


def write(folder: Path, content: bytes) -> Path:
    tiny.write_folder(folder, {}, kind="some-other-architecture")
    (folder / "model.safetensors").unlink()
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model.onnx").write_bytes(content)
    return folder


def test_an_onnx_encoder_is_pooled_and_normalised(tmp_path: Path) -> None:
    table = np.random.default_rng(1).normal(size=(len(tiny.VOCABULARY), tiny.HIDDEN))
    embedder = load_embedder(str(write(tmp_path / "m", lookup_model(table))), cache=tmp_path, threads=1)
    texts = ["memory", "大象 of the long night of memory", ""]
    expected = np.stack([tiny.unit(table[tiny.tokenizer().encode(text).ids].mean(0)) for text in texts])
    np.testing.assert_allclose(embedder.embed_passages(texts), expected, atol=1e-5)


def test_an_onnx_encoder_leaves_its_prompt_out_of_the_pooling_where_told(tmp_path: Path) -> None:
    table = np.random.default_rng(1).normal(size=(len(tiny.VOCABULARY), tiny.HIDDEN))
    folder = write(tmp_path / "m", lookup_model(table))
    tiny.write_json(folder / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True, "include_prompt": False})
    tiny.write_json(folder / "ammon-model.json", {"query": "seek "})
    embedder = load_embedder(str(folder), cache=tmp_path, threads=1)
    texts = ["memory", "大象 of the long night of memory", ""]
    start = 1 + len("seek")  # the begin token, then one piece a letter
    expected = np.stack(
        [tiny.unit(table[tiny.tokenizer().encode("seek " + text).ids[start:]].mean(0)) for text in texts]
    )
    np.testing.assert_allclose(embedder.embed_queries(texts), expected, atol=1e-5)


def test_an_onnx_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"model\.onnx cannot be read"):
        load_embedder(str(write(tmp_path / "m", b"\xffno model")), cache=tmp_path, threads=1)


def test_an_input_that_is_not_known_is_named(tmp_path: Path) -> None:
    table = np.zeros((len(tiny.VOCABULARY), tiny.HIDDEN))
    with pytest.raises(ModelNotFound, match="pixel_values"):
        load_embedder(str(write(tmp_path / "m", lookup_model(table, extra="pixel_values"))), cache=tmp_path, threads=1)
