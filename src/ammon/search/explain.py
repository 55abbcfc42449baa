"""A hit's reasons as text for people."""

from __future__ import annotations

from ammon.types import Hit


def explain(hit: Hit) -> str:
    """One line: where each leg ranked the passage, which of the query's terms it holds, and what came of both.

    For example ``meaning: rank 2 (cosine 0.871); words: rank 1 (BM25 14.2; run, fast); fused 0.97; score 0.91``.
    """
    why = hit.why
    parts = [_leg("meaning", why.dense_rank, why.dense_score, "cosine", ".3f")]
    parts.append(_leg("words", why.lexical_rank, why.lexical_score, "BM25", ".1f", "; " + ", ".join(why.matched)))
    parts.append(f"fused {why.fused:.2f}")
    if why.reranked is not None:
        parts.append(f"reranked {why.reranked:.2f}")
    parts.append(f"score {hit.score:.2f}")
    if hit.freshness in {"changed", "missing"}:
        parts.append(f"the source is {hit.freshness} since it was indexed")
    return "; ".join(parts)


def _leg(name: str, rank: int | None, score: float | None, unit: str, form: str, more: str = "") -> str:
    if rank is None or score is None:
        return f"{name}: not found"
    return f"{name}: rank {rank} ({unit} {score:{form}}{more if len(more) > 2 else ''})"
