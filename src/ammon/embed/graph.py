"""A BERT encoder as an OpenVINO graph: token ids in, one unit row a text (or one score) out.

Knows the architecture of BERT, RoBERTa and XLM-R, and the names Hugging Face gives their weights.
Refuses to know files, tokenizers and prompts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ammon.errors import ModelNotFound
from ammon.embed.weights import BLOCK, Packed, Weights

if TYPE_CHECKING:
    from openvino import Model, Node

Pooling: TypeAlias = Literal["mean", "cls", "max", "mean_sqrt_len", "lasttoken"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of an encoder. ``offset`` is the position id of the first token (BERT 0, RoBERTa padding id + 1)."""

    hidden: int
    layers: int
    heads: int
    epsilon: float
    activation: str = "gelu"
    offset: int = 0


def embedding_graph(shape: Shape, weights: Weights, pooling: Pooling, *, normalise: bool = True) -> Model:
    """Return a graph of inputs ``ids`` and ``mask``, int32 ``(n, length)``, and output float32 ``(n, dim)``."""
    from openvino import Model

    encoder = _Encoder(shape, weights)
    rows = _pool(encoder.hidden, encoder.mask, pooling)
    return Model([_unit(rows) if normalise else rows], [encoder.ids, encoder.mask], "ammon")


class _Encoder:
    """The graph from ids to hidden states, built node by node; ``hidden`` is ``(n, length, hidden)``."""

    def __init__(self, shape: Shape, weights: Weights) -> None:
        from openvino import opset15 as op

        self.op = op
        self.shape = shape
        self.weights = weights
        self.ids = op.parameter([-1, -1], np.int32, name="ids")
        self.mask = op.parameter([-1, -1], np.int32, name="mask")
        self.ids.output(0).set_names({"ids"})
        self.mask.output(0).set_names({"mask"})
        # 0 where a token may be seen, the most negative half where not: (n, 1, 1, length)
        seen = op.unsqueeze(op.convert(self.mask, "f32"), np.int32([1, 2]))
        self.bias = op.multiply(op.subtract(seen, np.float32(1)), np.float32(65504))
        self.hidden = self._embeddings()
        for layer in range(shape.layers):
            self.hidden = self._layer(f"encoder.layer.{layer}.", self.hidden)

    def _embeddings(self) -> Node:
        op = self.op
        length = op.gather(op.shape_of(self.ids, "i32"), np.int32(1), np.int32(0))
        ends = op.add(length, np.int32(self.shape.offset))
        positions = op.range(np.int32(self.shape.offset), ends, np.int32(1), output_type="i32")
        words = op.gather(self._matrix("embeddings.word_embeddings.weight"), self.ids, np.int32(0))
        places = op.gather(self._matrix("embeddings.position_embeddings.weight"), positions, np.int32(0))
        kinds = np.asarray(self.weights["embeddings.token_type_embeddings.weight"])[0].astype(np.float32)
        return self._norm("embeddings.LayerNorm", op.add(op.add(words, places), kinds))

    def _layer(self, at: str, hidden: Node) -> Node:
        op = self.op
        heads = [self._heads(self._linear(f"{at}attention.self.{part}", hidden)) for part in ("query", "key", "value")]
        seen = op.scaled_dot_product_attention(*heads, self.bias)  # (n, heads, length, width)
        joined = op.reshape(op.transpose(seen, np.int32([0, 2, 1, 3])), np.int32([0, 0, -1]), special_zero=True)
        mixed = self._linear(f"{at}attention.output.dense", joined)
        hidden = self._norm(f"{at}attention.output.LayerNorm", op.add(mixed, hidden))
        inner = self._activate(self._linear(f"{at}intermediate.dense", hidden))
        return self._norm(f"{at}output.LayerNorm", op.add(self._linear(f"{at}output.dense", inner), hidden))

    def _heads(self, rows: Node) -> Node:
        width = self.shape.hidden // self.shape.heads
        split = self.op.reshape(rows, np.int32([0, 0, self.shape.heads, width]), special_zero=True)
        return self.op.transpose(split, np.int32([0, 2, 1, 3]))

    def _linear(self, name: str, rows: Node) -> Node:
        product = self.op.matmul(rows, self._matrix(f"{name}.weight"), False, True)
        return self.op.add(product, self._array(f"{name}.bias"))

    def _activate(self, rows: Node) -> Node:
        kind = self.shape.activation
        if kind == "relu":
            return self.op.relu(rows)
        return self.op.gelu(rows, "erf" if kind == "gelu" else "tanh")

    def _norm(self, name: str, rows: Node) -> Node:
        centred = self.op.mvn(rows, np.int32([-1]), True, self.shape.epsilon, "inside_sqrt")
        scaled = self.op.multiply(centred, self._array(f"{name}.weight"))
        return self.op.add(scaled, self._array(f"{name}.bias"))

    def _array(self, name: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        return np.asarray(self._find(name)).astype(np.float32)

    def _find(self, name: str) -> Any:
        try:
            return self.weights[name]
        except KeyError:
            raise ModelNotFound(f"The model's weights hold no '{name}'; it is no BERT or XLM-R encoder.") from None

    def _matrix(self, name: str) -> Node:
        matrix = self._find(name)
        if isinstance(matrix, Packed):
            return _packed(matrix)
        return self.op.constant(np.ascontiguousarray(matrix, np.float32))


def _packed(matrix: Packed) -> Node:
    """A constant that stays in 4 bits until the kernel reads it."""
    from openvino import Tensor, Type
    from openvino import opset15 as op

    rows, columns = matrix.shape
    tensor = Tensor(Type.i4, [rows, columns // BLOCK, BLOCK])  # owns its memory: one made from an array does not
    np.copyto(tensor.data.reshape(-1), matrix.nibbles.reshape(-1).view(tensor.data.dtype))
    values = op.convert(op.constant(tensor), "f16")
    scaled = op.multiply(values, op.constant(matrix.scales[..., None]))
    return op.convert(op.reshape(scaled, np.int32([rows, columns]), False), "f32")


def _pool(hidden: Node, mask: Node, pooling: Pooling) -> Node:
    from openvino import opset15 as op

    if pooling == "cls":
        return op.gather(hidden, np.int32(0), np.int32(1))
    seen = op.unsqueeze(op.convert(mask, "f32"), np.int32(2))  # (n, length, 1)
    if pooling == "max":
        return op.reduce_max(
            op.add(hidden, op.multiply(op.subtract(seen, np.float32(1)), np.float32(1e9))), np.int32(1)
        )
    total = op.reduce_sum(op.multiply(hidden, seen), np.int32(1))
    count = op.maximum(op.reduce_sum(seen, np.int32(1)), np.float32(1))
    return op.divide(total, op.sqrt(count) if pooling == "mean_sqrt_len" else count)


def _unit(rows: Node) -> Node:
    from openvino import opset15 as op

    return op.normalize_l2(rows, np.int32([1]), 1e-24, "max")
