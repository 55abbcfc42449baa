"""Documents and chunks in and out of the catalog. Writers here are called inside one `Catalog.writing` block.

A document's chunks are inserted and removed together, so every change is one range of ids.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ammon.errors import InputError, LibraryDamaged
from ammon.store.local.catalog import Catalog
from ammon.store.local.files.connection import WHEN_DAMAGED
from ammon.store.local.files.raw_pages import damaged_pages
from ammon.store.local.layout import put_layout, read_layout, unpacked
from ammon.types import Chunk, Document, Entry, Record, Remark, Skip, embedded_text

RECORD_COLUMNS = """c.id, c.document, c.ordinal, c.start, c."end", c.text, c.first_line, c.last_line, c.page, c.heading,
c.tokens, c.text_hash, d.uri, d.title, d.media_type, d.language, d.metadata, d.size, d.modified, d.container,
(SELECT boxes FROM layout AS l WHERE l.document = c.document AND l.page = c.page)"""

PAGE = 1_000
"""Documents listed at a time."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def text_hash(text: str) -> bytes:
    """16 bytes of BLAKE2b: the key that a text's vector is kept under."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def metadata_json(document: Document) -> str:
    """The document's metadata as JSON that SQLite reads; numbers that are none (NaN, infinities) become null.

    Raises: InputError for a value that JSON has no form for.
    """
    try:
        return json.dumps(_storable(document.metadata), ensure_ascii=False, sort_keys=True, allow_nan=False)
    except (TypeError, RecursionError) as error:
        raise InputError(
            f"The metadata of {document.uri} cannot be stored: {error}.",
            hint="Metadata holds text, numbers, true, false, null, lists and mappings with text keys.",
        ) from error


def _storable(value: Any) -> Any:
    match value:
        case str():
            return valid_text(value)
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {valid_text(str(key)): _storable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
        case _:
            return value


def valid_text(text: str) -> str:
    """The text with each lone surrogate, which no file or database can hold, replaced by U+FFFD; lengths stay."""
    return text if text.isascii() else LONE_SURROGATE.sub("\ufffd", text)


def put_entries(catalog: Catalog, entries: Iterable[Entry]) -> None:
    """Store documents with their chunks, replacing any of the same uri. Holds none of them afterwards."""
    for entry in entries:
        put_entry(catalog, entry)


def put_entry(catalog: Catalog, entry: Entry) -> int:
    """Store one document with its chunks, replacing an earlier one of the same uri. Returns its id."""
    uri = entry.document.uri
    document_id = catalog.value("SELECT id FROM document WHERE uri = ?", (uri,))
    if document_id is not None:
        drop_chunks(catalog, document_id)
    drop_documents(catalog, members(catalog, uri))
    if entry.failure is not None:
        return _put_left_out(catalog, entry, entry.failure)
    catalog.rows("DELETE FROM recognised WHERE content_hash = ?", (entry.content_hash,))
    document_id = _put_chunks(catalog, _put_document(catalog, entry), entry)
    put_layout(catalog, document_id, entry.document.boxes)
    return document_id


def members(catalog: Catalog, uri: str) -> list[str]:
    """The uris of the documents that are in the file ``uri``."""
    return [row[0] for row in catalog.rows("SELECT uri FROM document WHERE container = ?", (uri,))]


def _put_left_out(catalog: Catalog, entry: Entry, skip: Skip) -> int:
    """Note why a file is not in the library, in place of what it held. Returns its id."""
    return int(
        catalog.value(
            """INSERT INTO document (uri, root, size, modified, changed, content_hash, container, state, code, reason,
            media_type, title, language, encoding, encoding_confidence, metadata)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', '', '', 0, '{}')
            ON CONFLICT (uri) DO UPDATE SET root = excluded.root, size = excluded.size,
            modified = excluded.modified, changed = excluded.changed, content_hash = excluded.content_hash,
            container = excluded.container, state = excluded.state, code = excluded.code, reason = excluded.reason,
            media_type = '', title = '', language = '', encoding = '', encoding_confidence = 0, metadata = '{}',
            tail = '', remarks = '[]' RETURNING id""",
            (
                entry.document.uri,
                entry.root,
                entry.size,
                entry.modified,
                entry.changed,
                entry.content_hash,
                entry.container or None,
                "skipped" if entry.on_purpose else "failed",
                skip.code,
                skip.reason,
            ),
        )
    )


def _put_document(catalog: Catalog, entry: Entry) -> int:
    document = entry.document
    end = entry.chunks[-1].end if entry.chunks else 0
    values = (
        document.uri,
        entry.root,
        document.media_type,
        entry.size,
        entry.modified,
        entry.changed,
        entry.content_hash,
        document.title,
        document.language,
        document.encoding,
        document.encoding_confidence,
        metadata_json(document),
        document.text[end:],
        entry.container or None,
        remarks_json(document.remarks),
    )
    return int(
        catalog.value(
            """INSERT INTO document (uri, root, media_type, size, modified, changed, content_hash, title, language,
            encoding, encoding_confidence, metadata, tail, container, remarks, state)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'ok')
            ON CONFLICT (uri) DO UPDATE SET root = excluded.root, media_type = excluded.media_type,
            size = excluded.size, modified = excluded.modified, changed = excluded.changed,
            content_hash = excluded.content_hash, title = excluded.title, language = excluded.language,
            encoding = excluded.encoding, encoding_confidence = excluded.encoding_confidence,
            metadata = excluded.metadata, tail = excluded.tail, container = excluded.container,
            remarks = excluded.remarks, state = 'ok', code = '', reason = '' RETURNING id""",
            values,
        )
    )


def _put_chunks(catalog: Catalog, document_id: int, entry: Entry) -> int:
    if not entry.chunks:
        return document_id
    first = 1 + int(catalog.value("SELECT seq FROM sqlite_sequence WHERE name = 'chunk'") or 0)
    # Row by row: a table's may be millions.
    catalog.many(
        "INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", _chunk_rows(first, document_id, entry)
    )
    note(catalog, "chunks added", first, first + len(entry.chunks) - 1)
    return document_id


def _chunk_rows(first: int, document_id: int, entry: Entry) -> Iterator[tuple[Any, ...]]:
    reached = 0
    for position, chunk in enumerate(entry.chunks):
        lead = entry.document.text[reached : chunk.start]
        reached = chunk.end
        yield (
            first + position,
            document_id,
            chunk.ordinal,
            chunk.start,
            chunk.end,
            chunk.page,
            chunk.first_line,
            chunk.last_line,
            _heading_json(chunk.heading),
            lead,
            chunk.text,
            text_hash(embedded_text(chunk.heading, chunk.text)),
            chunk.tokens,
        )


@lru_cache(maxsize=1024)  # most chunks stand under the heading of the one before
def _heading_json(heading: tuple[str, ...]) -> str:
    return json.dumps(heading, ensure_ascii=False)


def drop_chunks(catalog: Catalog, document_id: int) -> None:
    """Remove the chunks and boxes of one document, and note which texts may have lost their last chunk."""
    put_layout(catalog, document_id, ())
    first, last = catalog.rows("SELECT min(id), max(id) FROM chunk WHERE document = ?", (document_id,))[0]
    if first is None:
        return
    catalog.rows("INSERT OR IGNORE INTO loose SELECT text_hash FROM chunk WHERE document = ?", (document_id,))
    catalog.rows("DELETE FROM chunk WHERE document = ?", (document_id,))
    note(catalog, "chunks removed", first, last)


def drop_documents(catalog: Catalog, uris: Sequence[str]) -> int:
    """Remove documents by uri, with what is in them. Returns how many of the uris were there."""
    removed = 0
    for uri in uris:
        drop_documents(catalog, members(catalog, uri))
        document_id = catalog.value("SELECT id FROM document WHERE uri = ?", (uri,))
        if document_id is not None:
            drop_chunks(catalog, document_id)
            catalog.rows("DELETE FROM document WHERE id = ?", (document_id,))
            note(catalog, "document", document_id, document_id)
            removed += 1
    return removed


def drop_loose_vectors(catalog: Catalog) -> None:
    """Remove the vectors of texts that no chunk holds any more."""
    catalog.rows(
        """DELETE FROM vector WHERE space IN (SELECT id FROM space) AND text_hash IN
        (SELECT text_hash FROM loose EXCEPT SELECT text_hash FROM chunk WHERE text_hash IN loose)"""
    )
    catalog.rows("DELETE FROM loose")


def note(catalog: Catalog, kind: str, first: int, last: int) -> None:
    """Write one change, a range of ids, for derived indexes to replay."""
    catalog.rows("INSERT INTO change (kind, first, last) VALUES (?, ?, ?)", (kind, first, last))


def record_of(row: tuple[Any, ...]) -> Record:
    """A row of ``RECORD_COLUMNS`` as a record. Raises: LibraryDamaged when its text is not what was stored."""
    (chunk_id, document_id, ordinal, start, end, text, first_line, last_line, page, headings, tokens, key, *rest) = row
    uri, title, media_type, language, metadata, size, modified, container, boxes = rest
    checked_text(chunk_id, headings, text, key)
    chunk = Chunk(ordinal, start, end, text, first_line, last_line, page, _heading(headings), tokens)
    on_page = unpacked(page, boxes) if boxes else ()
    return Record(
        chunk_id,
        document_id,
        chunk,
        uri,
        title,
        media_type,
        language,
        parsed(metadata),
        size,
        modified,
        container or "",
        tuple(box for box in on_page if box.start < end and box.end > start),
    )


def checked_text(chunk_id: int, heading: str, text: str, key: bytes) -> str:
    """What is embedded and indexed for a chunk, from its row: heading path as JSON, text, and their hash.

    Raises: LibraryDamaged when they do not match. A page of zeros is its own checksum; this tells of it all the same,
    since the hash stands at the end of the row.
    """
    whole = embedded_text(_heading(heading), text)
    if text_hash(whole) != key:
        raise LibraryDamaged(f"Passage {chunk_id} is not what was stored.", hint=WHEN_DAMAGED)
    return whole


@lru_cache(maxsize=1024)
def _heading(text: str) -> tuple[str, ...]:
    return tuple(parsed(text))


def parsed(text: str) -> Any:
    """The value of JSON that the catalog holds. Raises: LibraryDamaged when it is none."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise LibraryDamaged(f"The catalog holds JSON that is none: {error}.", hint=WHEN_DAMAGED) from error


def listed(catalog: Catalog, condition: str, bindings: Sequence[Any]) -> Iterator[Record]:
    """The first chunk of every document that satisfies the condition, by uri.

    Read page by page: a view of the catalog that is held for as long as a caller likes would keep SQLite's log growing.
    """
    after: list[str] = []
    while rows := catalog.rows(
        f"""SELECT {RECORD_COLUMNS} FROM document AS d CROSS JOIN chunk AS c ON c.document = d.id AND c.ordinal = 0
        WHERE {"d.uri > ? AND" if after else ""} ({condition}) ORDER BY d.uri LIMIT {PAGE}""",
        [*after, *bindings],
    ):
        records = [record_of(row) for row in rows]
        yield from records
        after = [records[-1].uri]


def read_document(catalog: Catalog, uri: str) -> Document | None:
    """The document of ``uri`` with its whole text as it was indexed; ``None`` when there is none."""
    rows = catalog.rows(
        """SELECT id, media_type, title, language, metadata, encoding, encoding_confidence, remarks, tail
        FROM document WHERE uri = ? AND state = 'ok'""",
        (uri,),
    )
    if not rows:
        return None
    document_id, media_type, title, language, metadata, encoding, confidence, remarks, tail = rows[0]
    if tail.endswith("\0") and damaged_pages(catalog.path):
        # A page that was zeroed is its own checksum, and reads as such a text.
        raise LibraryDamaged(f"The text of {uri} is not what was stored.", hint=WHEN_DAMAGED)
    pieces = catalog.rows(
        "SELECT lead, text, id, heading, text_hash FROM chunk WHERE document = ? ORDER BY ordinal", (document_id,)
    )
    for _, piece, chunk_id, heading, key in pieces:
        checked_text(chunk_id, heading, piece, key)
    return Document(
        uri=uri,
        text="".join(lead + piece for lead, piece, *_ in pieces) + tail,
        media_type=media_type,
        title=title,
        language=language,
        metadata=parsed(metadata),
        encoding=encoding,
        encoding_confidence=confidence,
        boxes=tuple(read_layout(catalog, document_id)),
        remarks=remarks_of(remarks),
    )


def remarks_json(remarks: Sequence[Remark]) -> str:
    """Remarks as the catalog holds them."""
    return json.dumps([(remark.code, valid_text(remark.text)) for remark in remarks], ensure_ascii=False)


def remarks_of(text: str) -> tuple[Remark, ...]:
    """What `remarks_json` was given. Raises: LibraryDamaged."""
    return tuple(Remark(*each) for each in parsed(text))
