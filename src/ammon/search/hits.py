"""Records → hits: the one place where a hit is made, its reasons are gathered and its source is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ammon.store.local.derived.terms import matching
from ammon.types import Candidates, Freshness, Hit, Record, Span, Why


def make_hit(record: Record, score: float, why: Why) -> Hit:
    """The hit of ``record``; ``score`` is cut to [0, 1]. Its source is looked at now."""
    chunk = record.chunk
    return Hit(
        text=chunk.text,
        score=min(1.0, max(0.0, score)),
        uri=record.uri,
        span=Span(chunk.start, chunk.end),
        first_line=chunk.first_line,
        last_line=chunk.last_line,
        page=chunk.page,
        heading=chunk.heading,
        title=record.title,
        media_type=record.media_type,
        metadata=record.metadata,
        chunk_id=record.chunk_id,
        document_id=record.document_id,
        why=why,
        freshness=freshness(record),
        boxes=record.boxes,
    )


def freshness(record: Record) -> Freshness:
    """Whether the source still has the size and the time that it had when it was indexed; one `stat`.

    Of what is in a file, the file is looked at. ``unknown`` for what is no file: its uri is not an absolute path.
    """
    path = Path(record.container or record.uri)
    if not path.is_absolute():
        return "unknown"
    try:
        state = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, ValueError):
        return "unknown"
    return "fresh" if (state.st_size, state.st_mtime_ns) == (record.size, record.modified) else "changed"


class Reasons:
    """Looks up, for each chunk, where each leg had it."""

    def __init__(self, dense: Candidates, lexical: Candidates, fused: Candidates) -> None:
        self._dense = _places(dense)
        self._lexical = _places(lexical)
        self._fused = _places(fused)

    def why(self, chunk_id: int) -> Why:
        """How the chunk was found, but for the terms it holds: those are looked for in the hits that are shown."""
        dense_rank, dense_score = self._dense.get(chunk_id, (None, None))
        lexical_rank, lexical_score = self._lexical.get(chunk_id, (None, None))
        return Why(
            dense_rank=dense_rank,
            dense_score=dense_score,
            lexical_rank=lexical_rank,
            lexical_score=lexical_score,
            fused=self._fused[chunk_id][1],
        )


def with_matched(hit: Hit, distinct: Sequence[str]) -> Hit:
    """The hit, told which of the query's ``distinct`` terms its text, its title or its headings hold."""
    found = matching(distinct, "\n".join((hit.title, *hit.heading, hit.text)))
    return replace(hit, why=replace(hit.why, matched=found))


def share_held(distinct: Sequence[str], record: Record) -> float:
    """The share of the query's ``distinct`` terms that the chunk, its title or its headings hold, in [0, 1]."""
    text = "\n".join((record.title, *record.chunk.heading, record.chunk.text))
    return len(matching(distinct, text)) / len(distinct) if distinct else 0.0


def _places(leg: Candidates) -> dict[int, tuple[int, float]]:
    found = zip(leg.ids.tolist(), leg.scores.tolist(), strict=True)
    return {chunk_id: (rank, score) for rank, (chunk_id, score) in enumerate(found, 1)}
