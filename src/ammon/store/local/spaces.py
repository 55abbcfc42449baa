"""Embedding spaces: which model the library's vectors come from. At most one is active; searches use that one."""

from __future__ import annotations

from dataclasses import dataclass

from ammon.errors import ModelMismatch
from ammon.store.local.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Space:
    """One embedding space. Every chunk with an id up to ``complete_to`` has its vector."""

    id: int
    model: str
    fingerprint: str
    dim: int
    complete_to: int


def active_space(catalog: Catalog) -> Space | None:
    """The space that searches use; ``None`` before anything was embedded."""
    rows = catalog.rows("SELECT id, model, fingerprint, dim, complete_to FROM space WHERE state = 'active'")
    return Space(*rows[0]) if rows else None


def claim_space(catalog: Catalog, model: str, fingerprint: str, dim: int) -> Space:
    """The active space, made for this model when there is none yet.

    Raises: ModelMismatch when the active space belongs to another model.
    """
    with catalog.writing():
        space = active_space(catalog)
        if space is None:
            catalog.rows(
                "INSERT INTO space (model, fingerprint, dim, state) VALUES (?, ?, ?, 'active')",
                (model, fingerprint, dim),
            )
            space = active_space(catalog)
    if space is None or space.fingerprint != fingerprint:
        held = space.model if space else "another model"
        raise ModelMismatch(
            f"The library at {catalog.folder} was embedded with {held}; you asked for {model}"
            + (" with other weights." if held == model else "."),
            hint=f"Ask with --model {held}, or index into a new library with --library.",
        )
    return space


def mark_complete(catalog: Catalog, space: Space, chunk_id: int) -> None:
    """Note that every chunk up to ``chunk_id`` has its vector, so that the next run need not look again."""
    if chunk_id > space.complete_to:
        with catalog.writing():
            catalog.rows("UPDATE space SET complete_to = max(complete_to, ?) WHERE id = ?", (chunk_id, space.id))
