"""Named matrices of a model, read without copying: safetensors files, and rows packed in 4 bits.

Knows how bytes become numbers; knows nothing of graphs or tokenizers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ammon.errors import ModelNotFound

BLOCK = 32  # weights that share one scale in Q4_0
GROUP = 64  # weights that share one scale in 8 bits: as quick as a whole row, and a third nearer to float32

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "U8": "u1"}


@dataclass(frozen=True, slots=True)
class Packed:
    """A matrix in 4 bits: ``nibbles`` uint8 ``(rows, columns / 2)`` holds two's complement values, low half first;
    ``scales`` float16 ``(rows, columns / 32)`` multiplies each block of 32 columns.
    """

    nibbles: NDArray[np.uint8]
    scales: NDArray[np.float16]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix that this stands for."""
        return self.nibbles.shape[0], self.nibbles.shape[1] * 2

    def expanded(self) -> NDArray[np.float32]:
        """Return the matrix as float32."""
        values = np.empty((*self.nibbles.shape, 2), np.int8)
        values[..., 0] = (self.nibbles << 4).view(np.int8) >> 4
        values[..., 1] = self.nibbles.view(np.int8) >> 4
        blocks = values.reshape(len(values), -1, BLOCK).astype(np.float32)
        return (blocks * self.scales[..., None].astype(np.float32)).reshape(self.shape)


@dataclass(frozen=True, slots=True)
class Bytes8:
    """A matrix in 8 bits: ``values`` int8 ``(rows, groups, width)``, each group of columns multiplied by its one of
    ``scales``, float32 ``(rows, groups, 1)``.
    """

    values: NDArray[np.int8]
    scales: NDArray[np.float32]

    @classmethod
    def of(cls, matrix: NDArray[np.float32]) -> Bytes8:
        """Return the nearest such matrix; a value is off by at most 1/254 of the largest in its group."""
        rows, columns = matrix.shape
        groups = matrix.reshape(rows, -1, GROUP if columns % GROUP == 0 else columns)
        scales = np.maximum(np.abs(groups).max(2, keepdims=True) / 127, np.finfo(np.float32).tiny)
        return cls(np.rint(groups / scales).astype(np.int8), scales.astype(np.float32))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix that this stands for."""
        return self.values.shape[0], self.values.shape[1] * self.values.shape[2]


Matrix: TypeAlias = NDArray[Any] | Packed | Bytes8
Weights: TypeAlias = Mapping[str, Matrix]


def from_q4_0(raw: NDArray[np.uint8], rows: int, columns: int) -> Packed:
    """Return the matrix of ``rows * columns / 32`` Q4_0 blocks: a float16 scale, then 16 bytes, each holding weight
    j in its low half and weight j + 16 in its high half, offset by 8.
    """
    blocks = raw.reshape(rows, columns // BLOCK, 2 + BLOCK // 2)
    scales = np.ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0]
    halves = blocks[..., 2:] ^ 0x88  # offset binary to two's complement, both halves at once
    low, high = halves & 0x0F, halves >> 4
    nibbles = np.concatenate([low[..., ::2] | low[..., 1::2] << 4, high[..., ::2] | high[..., 1::2] << 4], axis=-1)
    return Packed(nibbles.astype(np.uint8, copy=False).reshape(rows, columns // 2), scales)


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a safetensors file, mapped read-only; bfloat16 is widened to float32.

    The layout is an 8-byte little-endian length, that many bytes of JSON, then the data
    (https://huggingface.co/docs/safetensors, "Format").

    Raises: ModelNotFound where the file is cut short or is none.
    """
    try:
        data = np.memmap(path, np.uint8, "r")
        length = struct.unpack_from("<Q", data.data, 0)[0]
        header = json.loads(bytes(data[8 : 8 + length]))
        return {name: _tensor(data, 8 + length, entry) for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ModelNotFound(
            f"The weights file {path} cannot be read: {error}.", hint="Fetch or copy the model again."
        ) from error


def shards(index: Path) -> tuple[Path, ...]:
    """Return the files, in order of their names, over which ``index`` (``model.safetensors.index.json``) says that the
    weights are spread.

    Raises: ModelNotFound, naming the first that is missing, or the index where it is none.
    """
    try:
        names = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
        paths = tuple(index.parent / Path(name).name for name in names)  # none outside the index's own folder
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelNotFound(
            f"The index of weights {index} cannot be read: {error!r}.", hint="Fetch or copy the model again."
        ) from error
    missing = next((path for path in paths if not path.is_file()), None)
    if missing is not None:
        raise ModelNotFound(
            f"The model folder {index.parent} holds no {missing.name}, which {index.name} names.",
            hint="Fetch or copy the model again.",
        )
    return paths


def read_shards(index: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of all `shards` of ``index``, as `read_safetensors` does those of one file.

    Raises: ModelNotFound.
    """
    return {name: tensor for path in shards(index) for name, tensor in read_safetensors(path).items()}


def _tensor(data: NDArray[np.uint8], base: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    start, end = entry["data_offsets"]
    values = data[base + start : base + end].view(np.dtype(_DTYPES[entry["dtype"]])).reshape(entry["shape"])
    if entry["dtype"] == "BF16":
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values
