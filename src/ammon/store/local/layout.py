"""The boxes of a page as bytes in the catalog, and back."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np

from ammon.errors import LibraryDamaged
from ammon.store.local.catalog import Catalog
from ammon.store.local.files.connection import WHEN_DAMAGED
from ammon.types import Box

_SCALES = np.array([1, 1, 100, 100, 100, 100, 1000], np.float64)[:, None]
"""Start, end, four edges to a hundredth, confidence to a thousandth."""


def put_layout(catalog: Catalog, document_id: int, boxes: Sequence[Box]) -> None:
    """Store the boxes of a document page by page, inside `Catalog.writing`; what there was of it is gone."""
    catalog.rows("DELETE FROM layout WHERE document = ?", (document_id,))
    if boxes:
        by_page = groupby(sorted(boxes, key=lambda box: (box.page, box.start)), key=lambda box: box.page)
        rows = [(document_id, page, packed(list(some))) for page, some in by_page]
        catalog.many("INSERT INTO layout (document, page, boxes) VALUES (?, ?, ?)", rows)


def read_layout(catalog: Catalog, document_id: int) -> Iterator[Box]:
    """The boxes of a document, in order of page. Raises: LibraryDamaged."""
    for page, data in catalog.rows("SELECT page, boxes FROM layout WHERE document = ? ORDER BY page", (document_id,)):
        yield from unpacked(page, data)


def packed(boxes: Sequence[Box]) -> bytes:
    """The boxes of one page as compressed differences."""
    rows = [(box.start, box.end, box.left, box.top, box.right, box.bottom, box.confidence) for box in boxes]
    numbers = np.rint(np.array(rows, np.float64).T * _SCALES).astype("<i4")
    return zlib.compress(np.diff(numbers, axis=1, prepend=np.int32(0)).astype("<i4").tobytes())


def unpacked(page: int, data: bytes) -> list[Box]:
    """What `packed` was given. Raises: LibraryDamaged."""
    try:
        differences = np.frombuffer(zlib.decompress(data), "<i4").reshape(len(_SCALES), -1)
    except (zlib.error, ValueError) as error:
        raise LibraryDamaged("The boxes of a page are not what was stored.", hint=WHEN_DAMAGED) from error
    numbers = np.cumsum(differences, axis=1, dtype=np.int64) / _SCALES
    return [Box(int(start), int(end), page, *rest) for start, end, *rest in numbers.T.tolist()]
