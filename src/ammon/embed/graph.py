"""A BERT encoder as an OpenVINO graph: token ids in, one unit row a text (or one score) out.

Knows the architecture of BERT, RoBERTa and XLM-R, and the names Hugging Face gives their weights.
Refuses to know files, tokenizers and prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ammon.embed.weights import BLOCK, Bytes8, Packed, Weights
from ammon.errors import ModelNotFound

if TYPE_CHECKING:
    from openvino import Model, Node

Pooling: TypeAlias = Literal["mean", "cls", "max", "mean_sqrt_len"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of an encoder. ``offset`` is the position id of the first token (BERT 0, RoBERTa padding id + 1)."""

    hidden: int
    layers: int
    heads: int
    epsilon: float
    activation: str = "gelu"
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Dense:
    """A linear layer after pooling: ``weight`` ``(out, in)``, ``bias`` ``(out,)`` and whether tanh follows."""

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    tanh: bool


def embedding_graph(
    shape: Shape, weights: Weights, pooling: Pooling, dense: Sequence[Dense] = (), *, pools_prompt: bool = True
) -> Model:
    """Return a graph of inputs ``ids`` and ``mask``, int32 ``(n, length)``, and output float32 ``(n, dim)``. Without
    ``pools_prompt`` a third input, ``pooled``, says which of the tokens that are seen are pooled.

    Raises: ModelNotFound where a weight is missing.
    """
    encoder = _Encoder(shape, weights)
    inputs = [encoder.ids, encoder.mask, *([] if pools_prompt else [named_input("pooled")])]
    return model_of(embedding_head(encoder.hidden, inputs[-1], pooling, dense), inputs)


def embedding_head(hidden: Node, mask: Node, pooling: Pooling, dense: Sequence[Dense]) -> Node:
    """Return the unit rows ``(n, dim)`` of hidden states ``(n, length, hidden)`` under a mask ``(n, length)``."""
    from openvino import opset15 as op

    rows = _pool(hidden, mask, pooling)
    for layer in dense:
        rows = op.add(op.matmul(rows, layer.weight, False, True), layer.bias)
        rows = op.tanh(rows) if layer.tanh else rows
    return op.normalize_l2(rows, _axes([1]), 1e-24, "max")


def scoring_graph(shape: Shape, weights: Weights) -> Model:
    """Return a graph of inputs ``ids``, ``mask`` and ``kinds`` (which of the two texts a token is of), int32
    ``(n, length)``, and output float32 ``(n, labels)``: the logits of a sequence classifier.

    Raises: ModelNotFound where a weight is missing.
    """
    from openvino import opset15 as op

    encoder = _Encoder(shape, weights, pairs=True)
    first = op.gather(encoder.hidden, np.int32(0), np.int32(1))  # (n, hidden): the classification token
    inner, outer = ("pooler.dense", "classifier")
    if "classifier.dense.weight" in weights:  # RoBERTa's head
        inner, outer = ("classifier.dense", "classifier.out_proj")
    logits = encoder.linear(outer, op.tanh(encoder.linear(inner, first)))
    return model_of(logits, [encoder.ids, encoder.mask, encoder.kinds])


class _Encoder:
    """The graph from ids to hidden states, built node by node; ``hidden`` is ``(n, length, hidden)``."""

    def __init__(self, shape: Shape, weights: Weights, *, pairs: bool = False) -> None:
        from openvino import opset15 as op

        self.op = op
        self.shape = shape
        self.weights = weights
        self.ids, self.mask, self.kinds = (named_input(name) for name in ("ids", "mask", "kinds"))
        self._pairs = pairs
        # 0 where a token may be seen, the most negative half where not: (n, 1, 1, length)
        seen = op.unsqueeze(op.convert(self.mask, "f32"), _axes([1, 2]))
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
        table = self._array("embeddings.token_type_embeddings.weight")
        kinds = op.gather(op.constant(table), self.kinds, np.int32(0)) if self._pairs else op.constant(table[0])
        return self._norm("embeddings.LayerNorm", op.add(op.add(words, places), kinds))

    def _layer(self, at: str, hidden: Node) -> Node:
        op = self.op
        heads = [self._heads(self.linear(f"{at}attention.self.{part}", hidden)) for part in ("query", "key", "value")]
        seen = op.scaled_dot_product_attention(*heads, self.bias)  # (n, heads, length, width)
        joined = op.reshape(op.transpose(seen, _axes([0, 2, 1, 3])), _axes([0, 0, -1]), special_zero=True)
        mixed = self.linear(f"{at}attention.output.dense", joined)
        hidden = self._norm(f"{at}attention.output.LayerNorm", op.add(mixed, hidden))
        inner = self._activate(self.linear(f"{at}intermediate.dense", hidden))
        return self._norm(f"{at}output.LayerNorm", op.add(self.linear(f"{at}output.dense", inner), hidden))

    def _heads(self, rows: Node) -> Node:
        width = self.shape.hidden // self.shape.heads
        split = self.op.reshape(rows, _axes([0, 0, self.shape.heads, width]), special_zero=True)
        return self.op.transpose(split, _axes([0, 2, 1, 3]))

    def linear(self, name: str, rows: Node) -> Node:
        """The rows times a weight, plus its bias."""
        product = self.op.matmul(rows, self._matrix(f"{name}.weight"), False, True)
        return self.op.add(product, self._array(f"{name}.bias"))

    def _activate(self, rows: Node) -> Node:
        if self.shape.activation == "relu":
            return self.op.relu(rows)
        return self.op.gelu(rows, "erf" if self.shape.activation == "gelu" else "tanh")

    def _norm(self, name: str, rows: Node) -> Node:
        centred = self.op.mvn(rows, _axes([-1]), True, self.shape.epsilon, "inside_sqrt")
        scaled = self.op.multiply(centred, self._array(f"{name}.weight"))
        return self.op.add(scaled, self._array(f"{name}.bias"))

    def _array(self, name: str) -> NDArray[np.float32]:
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
        if isinstance(matrix, Bytes8):
            values = self.op.convert(self.op.constant(matrix.values), "f32")
            scaled = self.op.multiply(values, self.op.constant(matrix.scales))
            return self.op.reshape(scaled, _axes(matrix.shape), False)
        return self.op.constant(np.ascontiguousarray(matrix, np.float32))


def model_of(output: Node, inputs: Sequence[Node]) -> Model:
    """Return the model that computes ``output`` from ``inputs``."""
    from openvino import Model

    return Model([output], list(inputs), "ammon")  # pyright: ignore[reportGeneralTypeIssues] its stub names two classes


def named_input(name: str) -> Node:
    """Return an int32 input ``(n, length)`` that `Program.run` knows by ``name``."""
    from openvino import opset15 as op

    node = op.parameter([-1, -1], np.int32, name=name)
    node.output(0).set_names({name})
    return node


def _axes(numbers: Sequence[int]) -> NDArray[np.int32]:
    return np.array(numbers, np.int32)


def _packed(matrix: Packed) -> Node:
    """A constant that stays in 4 bits until the kernel reads it."""
    from openvino import Tensor, Type
    from openvino import opset15 as op

    rows, columns = matrix.shape
    tensor = Tensor(Type.i4, [rows, columns // BLOCK, BLOCK])  # owns its memory: one made from an array does not
    np.copyto(tensor.data.reshape(-1), matrix.nibbles.reshape(-1).view(tensor.data.dtype))
    values = op.convert(op.constant(tensor), "f16")
    scaled = op.multiply(values, op.constant(matrix.scales[..., None]))
    return op.convert(op.reshape(scaled, _axes([rows, columns]), False), "f32")


def _pool(hidden: Node, mask: Node, pooling: Pooling) -> Node:
    from openvino import opset15 as op

    if pooling == "cls":
        return op.gather(hidden, np.int32(0), np.int32(1))
    seen = op.unsqueeze(op.convert(mask, "f32"), np.int32(2))  # (n, length, 1)
    if pooling == "max":
        unseen = op.multiply(op.subtract(seen, np.float32(1)), np.float32(1e9))
        return op.reduce_max(op.add(hidden, unseen), np.int32(1))
    total = op.reduce_sum(op.multiply(hidden, seen), np.int32(1))
    count = op.maximum(op.reduce_sum(seen, np.int32(1)), np.float32(1))
    return op.divide(total, op.sqrt(count) if pooling == "mean_sqrt_len" else count)
