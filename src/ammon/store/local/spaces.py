"""Embedding spaces: which model the library's vectors come from.

Searches use the one that is active. Another may be building, to take its place; the one before is kept as retired, to
go back to. A space that is no longer wanted loses its fingerprint at once, and its vectors piece by piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from ammon.errors import ModelChanged, ModelError, ModelMismatch
from ammon.store.local.catalog import Catalog

State: TypeAlias = Literal["active", "building", "retired"]
STATES: tuple[State, ...] = ("active", "building", "retired")

GONE = "gone"
"""What the fingerprint of a space that is no longer wanted begins with; no model has one like that."""

_COLUMNS = "id, model, fingerprint, dim, complete_to, state"
_SPACE = f"SELECT {_COLUMNS} FROM space WHERE fingerprint NOT LIKE '{GONE} %'"


@dataclass(frozen=True, slots=True)
class Space:
    """One embedding space. Every chunk with an id up to ``complete_to`` has its vector."""

    id: int
    model: str
    fingerprint: str
    dim: int
    complete_to: int
    state: State = "active"


def active_space(catalog: Catalog) -> Space | None:
    """The space that searches use; ``None`` before anything was embedded."""
    # Three times in every search, so in the form that SQLite has an index for.
    rows = catalog.rows(f"SELECT {_COLUMNS} FROM space WHERE state = 'active'")
    return Space(*rows[0]) if rows else None


def space_in(catalog: Catalog, state: State) -> Space | None:
    """The space in this state, of which there is one at most; ``None`` when there is none."""
    rows = catalog.rows(f"{_SPACE} AND state = ?", (state,))
    return Space(*rows[0]) if rows else None


def space_of(catalog: Catalog, fingerprint: str) -> Space | None:
    """The space of a model, whatever its state; ``None`` when there is none."""
    rows = catalog.rows(f"{_SPACE} AND fingerprint = ?", (fingerprint,))
    return Space(*rows[0]) if rows else None


def claim_space(catalog: Catalog, model: str, fingerprint: str, dim: int) -> Space:
    """The active space, made for this model when there is none yet.

    Raises: ModelMismatch when the active space belongs to another model.
    """
    with catalog.writing():
        space = active_space(catalog)
        if space is None:
            catalog.rows(
                """INSERT INTO space (model, fingerprint, dim, state) VALUES (?, ?, ?, 'active')
                ON CONFLICT (fingerprint) DO UPDATE SET state = 'active'""",
                (model, fingerprint, dim),
            )
            space = active_space(catalog)
    if space is None or space.fingerprint != fingerprint:
        held = space.model if space else "another model"
        raise mismatch(catalog, held, model)
    return space


def mismatch(catalog: Catalog, held: str, asked: str) -> ModelMismatch:
    """The error to raise when ``asked`` is not the model that the library was embedded with."""
    return ModelMismatch(
        f"The library at {catalog.folder} was embedded with {held}; you asked for {asked}"
        + (" with other weights." if held == asked else "."),
        hint=f"Ask with --model {held}, or change the library's model: ammon reembed --model {asked}",
    )


def check_model(catalog: Catalog, space: Space, fingerprint: str, dim: int) -> None:
    """See that vectors of a model are of this space; a ``fingerprint`` that is empty is any model's.

    Raises: ModelChanged.
    """
    if fingerprint not in ("", space.fingerprint) or dim != space.dim:
        raise ModelChanged(f"The library at {catalog.folder} has gone over to {space.model} meanwhile.")


def begin_space(catalog: Catalog, model: str, fingerprint: str, dim: int) -> Space:
    """The space of this model, whatever its state; it is building when there was none.

    Raises: ModelError when a space of another model is being built.
    """
    with catalog.writing():
        found, building = space_of(catalog, fingerprint), space_in(catalog, "building")
        if found is not None:
            return found
        if building is not None:
            raise ModelError(
                f"Vectors of {building.model} are being made for the library at {catalog.folder}.",
                hint="Go on with `ammon reembed`, or give them up with `ammon reembed --cancel`.",
            )
        made = catalog.rows(
            f"INSERT INTO space (model, fingerprint, dim, state) VALUES (?, ?, ?, 'building') RETURNING {_COLUMNS}",
            (model, fingerprint, dim),
        )
        return Space(*made[0])


def mark_complete(catalog: Catalog, space: Space, chunk_id: int) -> None:
    """Note that every chunk up to ``chunk_id`` has its vector, so that the next run need not look again."""
    if chunk_id > space.complete_to:
        with catalog.writing():
            catalog.rows("UPDATE space SET complete_to = max(complete_to, ?) WHERE id = ?", (chunk_id, space.id))


def mark_gone(catalog: Catalog, space: Space) -> None:
    """Let a space go, inside `Catalog.writing`: nobody finds it any more, and its model may have a new one."""
    catalog.rows("UPDATE space SET state = 'retired', fingerprint = ? WHERE id = ?", (f"{GONE} {space.id}", space.id))


def gone_spaces(catalog: Catalog) -> list[int]:
    """The ids of spaces that were let go and still have a row."""
    return [row[0] for row in catalog.rows(f"SELECT id FROM space WHERE fingerprint LIKE '{GONE} %'")]
