"""JSONL: every line a record, every record a passage that knows its line. A line that is no JSON is kept as it is."""

from __future__ import annotations

import json

from ammon.errors import SourceError
from ammon.sources.json_tree import record_text
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded
from ammon.sources.rows import Rows, lines_of


def load(text: str, _kind: Kind) -> Loaded:
    """Return one row a record.

    Raises: SourceError with the code ``malformed``, if not one line is JSON.
    """
    rows, broken = Rows(), 0
    for number, line in enumerate(lines_of(text), 1):
        if line.isspace():
            continue
        try:
            passage = record_text(json.loads(line))
        except (ValueError, RecursionError):
            broken += 1
            passage = line.strip()
        rows.add(passage, (number, number))
    if broken and broken == len(rows):
        raise SourceError("Not one of its lines is JSON.", code="malformed")
    metadata = {"rows": len(rows), "malformed_rows": broken} if broken else {"rows": len(rows)}
    return Loaded(rows, metadata=metadata, parts=rows.parts)
