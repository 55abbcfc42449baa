"""The vector index: 4-bit codes of every chunk's vector, scanned whole, kept in memory and saved as one file.

Knows ids and vectors; knows nothing of text, filters or SQL. With each chunk's id stands its ``row``: the id under
which the catalog keeps the exact vector, so that it can be read without looking for it.

It is derived: when its file is missing, damaged or of another library, `load` says so by returning ``None`` and the
caller rebuilds it from the catalog. File: one JSON line (library, space, sequence, dim, count, bytes, CRC-32 of all),
the ids and then the rows as little-endian int64, then turbovec's own bytes. It is replaced whole and atomically, never
edited, so any process may read it at any time.
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ammon.store.local.files.disk import sync_folder, written
from ammon.types import Ids, Vectors

BITS = 4
LANES = 8
"""turbovec takes dimensions that are multiples of this; others are padded with zeros, which changes no product."""

FORMAT = 2


class VectorIndex:
    """Chunk ids with their codes. Scores are approximate: take more than you need and rescore them exactly."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self.sequence = 0
        self._codes = _empty(dim)
        self._ids: Ids = np.empty(0, np.int64)
        self._rows: Ids = np.empty(0, np.int64)
        self._slots: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, chunk_id: int) -> bool:
        return chunk_id in self._slots

    @property
    def ids(self) -> Ids:
        """The chunk ids by slot; a view, not to be written to."""
        return self._ids[: len(self._slots)]

    def rows_of(self, ids: Ids) -> Ids:
        """The row of each chunk, in this order; 0 where the chunk is not here."""
        slots = np.array([self._slots.get(chunk_id, -1) for chunk_id in ids.tolist()], np.int64)
        rows = np.zeros(len(ids), np.int64)
        rows[slots >= 0] = self._rows[slots[slots >= 0]]
        return rows

    def add(self, ids: Ids, rows: Ids, vectors: Vectors) -> None:
        """Add vectors with their chunks' ids and their rows; an id that is already there is left as it is."""
        fresh = np.array([chunk_id not in self._slots for chunk_id in ids.tolist()], bool)
        ids, rows, vectors = ids[fresh], rows[fresh], vectors[fresh]
        if not len(ids):
            return
        first = len(self._slots)
        self._codes.add(_padded(vectors))
        self._reserve(first + len(ids))
        self._ids[first : first + len(ids)] = ids
        self._rows[first : first + len(ids)] = rows
        self._slots.update(zip(ids.tolist(), range(first, first + len(ids)), strict=True))

    def _reserve(self, count: int) -> None:
        if count > len(self._ids):
            more = max(count, len(self._ids) * 3 // 2) - len(self._ids)
            self._ids, self._rows = np.pad(self._ids, (0, more)), np.pad(self._rows, (0, more))

    def remove(self, ids: Ids) -> None:
        """Remove vectors by their chunks' ids; an id that is not there is passed over."""
        for chunk_id in ids.tolist():
            slot = self._slots.pop(chunk_id, None)
            if slot is None:
                continue
            last = len(self._slots)
            self._codes.swap_remove(slot)
            if slot != last:
                moved = int(self._ids[last])
                self._ids[slot], self._rows[slot] = moved, self._rows[last]
                self._slots[moved] = slot

    def search(self, vector: Vectors, k: int, allowed: NDArray[np.bool_] | None = None) -> Ids:
        """Up to ``k`` ids of about the highest inner product with ``vector`` (``(dim,)``), best first.

        ``allowed`` is indexed by chunk id; ids beyond its end are not allowed.
        """
        if not len(self) or k <= 0:
            return np.empty(0, np.int64)
        mask = None if allowed is None else _mask(self.ids, allowed)
        if mask is not None and not mask.any():
            return np.empty(0, np.int64)
        _, slots = self._codes.search(_padded(vector.reshape(1, -1)), k=min(k, len(self)), mask=mask)
        best: Ids = self.ids[slots[0]]
        return best

    def save(self, path: Path, *, library: str, space: int) -> None:
        """Write the index to ``path``, durably and atomically; the caller holds the write lock.

        Raises: LibraryError when the disk is full or fails; the file there was is left as it is.
        """
        rows = self._rows[: len(self)]
        body = self.ids.astype("<i8").tobytes() + rows.astype("<i8").tobytes() + self._codes.to_bytes()
        header: dict[str, Any] = {
            "format": FORMAT,
            "library": library,
            "space": space,
            "sequence": self.sequence,
            "dim": self.dim,
            "count": len(self),
            "bytes": len(body),
        }
        header["crc32"] = _checksum(header, body)
        with written(path):
            _replace(path, json.dumps(header).encode() + b"\n" + body)

    @classmethod
    def load(cls, path: Path, *, library: str, space: int, dim: int) -> VectorIndex | None:
        """Read the index at ``path``; ``None`` when it is missing, damaged, or of another library or space."""
        try:
            head, _, body = path.read_bytes().partition(b"\n")
            header = json.loads(head)
            wanted = {"format": FORMAT, "library": library, "space": space, "dim": dim, "bytes": len(body)}
            if not isinstance(header, dict) or any(header.get(key) != value for key, value in wanted.items()):
                return None
            if header.pop("crc32") != _checksum(header, body):
                return None
            return _rebuilt(cls(dim), header, body)
        except (FileNotFoundError, ValueError, KeyError):
            return None


def saved_sequence(path: Path, *, library: str, space: int) -> int | None:
    """The sequence that the file at ``path`` says it has reached; ``None`` when it is missing or says nothing sound.

    Only its first line is read: turbovec takes a quarter of a second to set up in a process, however small the index.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
        return int(header["sequence"]) if (header["library"], header["space"]) == (library, space) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _checksum(header: dict[str, Any], body: bytes) -> int:
    """CRC-32 over the header's other entries and the body."""
    return zlib.crc32(body, zlib.crc32(json.dumps(header, sort_keys=True).encode()))


def _rebuilt(index: VectorIndex, header: dict[str, Any], body: bytes) -> VectorIndex:
    from turbovec import TurboQuantIndex

    count = int(header["count"])
    ids, rows = np.frombuffer(body[: 16 * count], "<i8").reshape(2, count).astype(np.int64)
    if count:
        index._codes = TurboQuantIndex.from_bytes(body[16 * count :])
    index._ids, index._rows = ids, rows
    index._slots = dict(zip(ids.tolist(), range(count), strict=True))
    index.sequence = int(header["sequence"])
    return index


def _empty(dim: int) -> Any:
    from turbovec import TurboQuantIndex

    return TurboQuantIndex(dim=_width(dim), bit_width=BITS)


def _width(dim: int) -> int:
    return -(-dim // LANES) * LANES


def _padded(vectors: Vectors) -> Vectors:
    missing = _width(vectors.shape[1]) - vectors.shape[1]
    return np.ascontiguousarray(np.pad(vectors, ((0, 0), (0, missing))) if missing else vectors, np.float32)


def _mask(ids: Ids, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which slots are allowed; ids past the end of ``allowed`` came later than the filter and are not."""
    known = ids < len(allowed)
    return known & allowed[np.where(known, ids, 0)] if len(allowed) else known


def _replace(path: Path, content: bytes) -> None:
    """Put ``content`` in place of the file at ``path``, durably."""
    # One name for all: what a killed process has left is overwritten.
    partial = path.with_name(f"{path.name}.part")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # a full disk needs the room
        raise
    sync_folder(path.parent)
