"""Pages whose text was recognised on the way to a document that is not stored yet, so that no page is read twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

from ammon.store.local.catalog import Catalog
from ammon.store.local.documents import parsed, valid_text

Row: TypeAlias = Sequence[str | float]
"""A line: text, left, top, right, bottom, confidence."""


class Recognised:
    """Recognised pages of files by the hash of their bytes; storing the document removes them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def known(self, content_hash: str) -> dict[str, list[Row]]:
        """The lines of each page that was read before, by its place in the file."""
        rows = self._catalog.rows("SELECT place, lines FROM recognised WHERE content_hash = ?", (content_hash,))
        return {place: parsed(lines) for place, lines in rows}

    def put(self, content_hash: str, place: str, lines: Sequence[Row]) -> None:
        """Store a page, durably."""
        said = valid_text(json.dumps(lines, ensure_ascii=False))
        with self._catalog.writing():
            self._catalog.rows("INSERT OR REPLACE INTO recognised VALUES (?, ?, ?)", (content_hash, place, said))
