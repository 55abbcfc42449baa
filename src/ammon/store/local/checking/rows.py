"""Whether the catalog's rows agree with one another: texts with their hashes and places, vectors with their space."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

import numpy as np

from ammon.store.local.catalog import Catalog
from ammon.store.local.derived.replay import BATCH, UNIT, unpacked
from ammon.store.local.documents import text_hash
from ammon.types import embedded_text


def examine_rows(catalog: Catalog) -> list[str]:
    """What does not agree, a line for each kind; empty when all does. Reads every row."""
    with catalog.reading():
        checks = (_texts(catalog), _tiles(catalog), _vectors(catalog), _numbers(catalog))
        return [problem for check in checks for problem in check]


def _texts(catalog: Catalog) -> Iterator[str]:
    wrong = [
        number
        for number, heading, text, key in catalog.run("SELECT id, heading, text, text_hash FROM chunk")
        if text_hash(embedded_text(json.loads(heading), text)) != key
    ]
    if wrong:
        yield f"{len(wrong)} passages do not match their hash, passage {wrong[0]} first"


def _tiles(catalog: Catalog) -> Iterator[str]:
    """The passages of a document, and what stands between them, make up its text without gap or overlap."""
    rows = catalog.run('SELECT document, ordinal, start, "end", lead, text FROM chunk ORDER BY document, ordinal')
    wrong = [document for document, chunks in groupby(rows, key=lambda row: row[0]) if not _is_tiled(chunks)]
    if wrong:
        yield f"the passages of {len(wrong)} documents do not fit together, document {wrong[0]} first"


def _is_tiled(chunks: Iterator[tuple[int, int, int, int, str, str]]) -> bool:
    reached = 0
    for number, (_, ordinal, start, end, lead, text) in enumerate(chunks):
        if (ordinal, start, end) != (number, reached + len(lead), start + len(text)):
            return False
        reached = end
    return True


def _vectors(catalog: Catalog) -> Iterator[str]:
    spaces = dict(catalog.rows("SELECT id, dim FROM space"))
    wrong = []
    last = 0
    while rows := catalog.rows("SELECT id, space, data FROM vector WHERE id > ? ORDER BY id LIMIT ?", (last, BATCH)):
        last = rows[-1][0]
        for space, dim in spaces.items():
            mine = [(number, data) for number, owner, data in rows if owner == space]
            wrong += [number for number, data in mine if len(data) != 2 * dim]
            whole = [(number, data) for number, data in mine if len(data) == 2 * dim]
            lengths = np.linalg.norm(unpacked([data for _, data in whole], dim), axis=1)
            # NaN is not near 1 either.
            wrong += [whole[at][0] for at in np.flatnonzero(~(np.abs(lengths - 1) <= UNIT))]
    if wrong:
        yield f"{len(wrong)} vectors are not of unit length or not of their space's size, vector {min(wrong)} first"


def _numbers(catalog: Catalog) -> Iterator[str]:
    """Counters that have to be past what they count."""
    for problem, query in {
        "changes name ranges that end before they begin": "SELECT count(*) FROM change WHERE first > last",
        "changes name rows that never were": """SELECT count(*) FROM change AS e JOIN sqlite_sequence AS s
            ON s.name = CASE kind WHEN 'vectors added' THEN 'vector' WHEN 'document' THEN 'document' ELSE 'chunk' END
            WHERE e.last > s.seq""",
        "texts lack a vector where all are said to have one": """SELECT count(*) FROM chunk AS c JOIN space AS s
            ON c.id <= s.complete_to AND s.state = 'active'
            WHERE NOT EXISTS (SELECT 1 FROM vector AS v WHERE v.space = s.id AND v.text_hash = c.text_hash)""",
    }.items():
        count = catalog.value(query)
        if count:
            yield f"{count} {problem}"
