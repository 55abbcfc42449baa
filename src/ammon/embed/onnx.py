"""Encoders exported to ONNX, read by OpenVINO and given the inputs and the head that Ammon's own graphs have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ammon.embed.graph import Dense, Pooling, embedding_head, model_of, named_input
from ammon.embed.runtime import core
from ammon.errors import ModelNotFound

if TYPE_CHECKING:
    from openvino import Model, Node

_INPUTS = {"input_ids": "ids", "attention_mask": "mask", "token_type_ids": "kinds"}


def embedding_from_onnx(
    path: Path, pooling: Pooling, dense: Sequence[Dense] = (), *, pools_prompt: bool = True
) -> Model:
    """Return the model at ``path`` as `embedding_graph` would give it; its first output of rank 3 is pooled.

    Raises: ModelNotFound.
    """
    outputs, known = _read(path, kinds=False)
    hidden = next((node for node in outputs if node.get_output_partial_shape(0).rank.get_length() == 3), None)
    if hidden is None:
        raise ModelNotFound(f"{path} has no output of hidden states (n, length, hidden).")
    inputs = [known["ids"], known["mask"], *([] if pools_prompt else [named_input("pooled")])]
    return model_of(embedding_head(hidden, inputs[-1], pooling, dense), inputs)


def scoring_from_onnx(path: Path) -> Model:
    """Return the cross-encoder at ``path`` as `scoring_graph` would give it.

    Raises: ModelNotFound.
    """
    outputs, inputs = _read(path, kinds=True)
    return model_of(outputs[0], list(inputs.values()))


def _read(path: Path, *, kinds: bool) -> tuple[list[Node], dict[str, Node]]:
    """The nodes that the outputs come from, and Ammon's inputs by name, wired in where the model's own were."""
    from openvino import opset15 as op

    try:
        model = core().read_model(path)
    except RuntimeError as error:
        raise ModelNotFound(f"The ONNX file {path} cannot be read: {error}.", hint="Export the model again.") from error
    inputs = {name: named_input(name) for name in _INPUTS.values()}
    for parameter in model.get_parameters():
        known = _INPUTS.get(next(iter(parameter.output(0).get_names()), ""))
        if known is None:
            raise ModelNotFound(
                f"The ONNX file {path} has an input that is not known: {parameter.get_friendly_name()}."
            )
        source = inputs[known] if known != "kinds" or kinds else op.multiply(inputs["ids"], np.int32(0))
        parameter.output(0).replace(op.convert(source, parameter.get_element_type().get_type_name()).output(0))
    return [result.input_value(0).get_node() for result in model.get_results()], inputs
