"""Stretches of a stored document's text: what stands around a chunk, and between two."""

from __future__ import annotations

from ammon.errors import InputError, PathNotFound
from ammon.store.local.catalog import Catalog
from ammon.store.local.documents import read_document


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


def text_of(catalog: Catalog, uri: str, page: int | None = None) -> str:
    """The whole text of a document, or of one of its pages, slides or sheets (1-based).

    Raises: PathNotFound when there is no such document; InputError when it has no such page; LibraryDamaged.
    """
    document = read_document(catalog, uri)
    if document is None:
        raise PathNotFound(f"The library has no text of {uri}.", hint="`ammon show` lists what it holds.")
    if page is None:
        return document.text
    rows = catalog.rows(
        """SELECT c.page, c.start, c."end" FROM chunk AS c JOIN document AS d ON d.id = c.document
        WHERE d.uri = ? AND c.page IS NOT NULL""",
        (uri,),
    )
    spans = [*rows, *((box.page, box.start, box.end) for box in document.boxes)]
    here = [(start, end) for number, start, end in spans if number == page]
    if not here:
        last = max((number for number, *_ in spans), default=0)
        has = f"its pages end with {last}, or this one holds no text" if last else "it has no pages"
        raise InputError(f"{uri} has no page {page}: {has}.", hint="Leave --page out for the whole text.")
    return document.text[min(start for start, _ in here) : max(end for _, end in here)]
