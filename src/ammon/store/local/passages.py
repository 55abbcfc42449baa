"""Stretches of a stored document's text: what stands around a chunk, and between two."""

from __future__ import annotations

from ammon.store.local.catalog import Catalog


def read_passage(catalog: Catalog, document_id: int, start: int, end: int) -> str:
    """The document's text from ``start`` to ``end``, in characters; shorter where the document ends before.

    Empty when there is no such document. Reads only the chunks that the stretch touches.
    """
    with catalog.reading():
        rows = catalog.rows(
            """SELECT start - length(lead), lead || text FROM chunk
            WHERE document = ? AND start - length(lead) < ? AND "end" > ? ORDER BY ordinal""",
            (document_id, end, start),
        )
        tail = catalog.rows(
            """SELECT coalesce((SELECT max("end") FROM chunk WHERE document = d.id), 0), tail
            FROM document AS d WHERE id = ?""",
            (document_id,),
        )
    pieces = [(at, text) for at, text in (*rows, *tail) if at < end and at + len(text) > start]
    return "".join(text[max(0, start - at) : max(0, end - at)] for at, text in pieces)
