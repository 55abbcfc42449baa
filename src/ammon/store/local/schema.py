"""The catalog's tables, and the numbered steps that bring an older catalog up to date.

Ids are AUTOINCREMENT, hence never reused: replaying a change twice does no harm. The chunks of a document tile its
text: ``lead`` is what stands between the chunk before and this one, ``document.tail`` what follows the last, so the
whole text is kept once.
"""

from __future__ import annotations

from collections.abc import Callable

import apsw

FIRST_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE space (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL,
    fingerprint TEXT NOT NULL UNIQUE,
    dim INTEGER NOT NULL CHECK (dim > 0),
    state TEXT NOT NULL CHECK (state IN ('building', 'active', 'retired')),
    complete_to INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX space_active ON space (state) WHERE state = 'active';
CREATE TABLE root (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uri TEXT NOT NULL,
    globs TEXT NOT NULL,
    completed REAL,
    skips TEXT NOT NULL DEFAULT '[]',
    UNIQUE (uri, globs)
);
CREATE TABLE document (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uri TEXT NOT NULL UNIQUE,
    root INTEGER REFERENCES root (id),
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    title TEXT NOT NULL,
    language TEXT NOT NULL,
    encoding TEXT NOT NULL,
    encoding_confidence REAL NOT NULL,
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    state TEXT NOT NULL CHECK (state IN ('ok', 'skipped', 'failed')),
    code TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    tail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX document_root ON document (root);
CREATE INDEX document_content ON document (content_hash);
CREATE TABLE chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES document (id),
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    page INTEGER,
    first_line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    heading TEXT NOT NULL,
    lead TEXT NOT NULL,
    text TEXT NOT NULL,
    text_hash BLOB NOT NULL,
    tokens INTEGER NOT NULL,
    UNIQUE (document, ordinal)
);
CREATE INDEX chunk_text ON chunk (text_hash);
CREATE TABLE vector (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    space INTEGER NOT NULL REFERENCES space (id),
    text_hash BLOB NOT NULL,
    data BLOB NOT NULL,
    UNIQUE (space, text_hash)
);
CREATE TABLE loose (text_hash BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE change (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('chunks added', 'chunks removed', 'vectors added', 'document')),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);
"""


def _create(connection: apsw.Connection) -> None:
    connection.execute(FIRST_SCHEMA)


_WHAT_IS_IN_FILES = """
ALTER TABLE document ADD COLUMN container TEXT;
ALTER TABLE document ADD COLUMN remarks TEXT NOT NULL DEFAULT '[]';
CREATE INDEX document_container ON document (container) WHERE container IS NOT NULL;
CREATE TABLE layout (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES document (id),
    page INTEGER NOT NULL,
    boxes BLOB NOT NULL,
    UNIQUE (document, page)
);
CREATE TABLE recognised (
    content_hash TEXT NOT NULL,
    place TEXT NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (content_hash, place)
) WITHOUT ROWID;
UPDATE document SET changed = -1 WHERE state = 'skipped' AND code IN ('binary', 'unsupported');
"""
"""``container`` is the uri of the file that a document is in; ``layout`` has the boxes of a page, ``recognised`` pages
read on the way to a document that is not stored yet. Files of formats that were not read before are to be looked at
again."""


def _open_files(connection: apsw.Connection) -> None:
    connection.execute(_WHAT_IS_IN_FILES)


MIGRATIONS: tuple[Callable[[apsw.Connection], None], ...] = (_create, _open_files)
"""Step ``n`` (from 0) brings a catalog of schema ``n`` to schema ``n + 1``. Steps are never edited once released."""

SCHEMA = len(MIGRATIONS)
"""The schema this version of Ammon writes."""
