"""How one embedding space takes the place of another, and which one is kept to go back to."""

from __future__ import annotations

from ammon.errors import ModelError
from ammon.store.local.backlog import pending, require_space
from ammon.store.local.catalog import Catalog
from ammon.store.local.spaces import Space, mark_gone, space_in


def take_over(catalog: Catalog, space: Space) -> bool:
    """Make a space the active one, unless a text has no vector in it. Returns whether it is active now.

    The space that was active is kept as the retired one; the one that was kept before it is let go.
    Raises: ModelError when the space was let go meanwhile.
    """
    with catalog.writing():
        held = require_space(catalog, space)
        if held.state == "active":
            return True
        if pending(catalog, 1, space=held):
            return False
        earlier = space_in(catalog, "retired")
        if earlier is not None and earlier.id != held.id:
            mark_gone(catalog, earlier)
        catalog.rows("UPDATE space SET state = 'retired' WHERE state = 'active'")
        last = int(catalog.value("SELECT max(id) FROM chunk") or 0)
        catalog.rows("UPDATE space SET state = 'active', complete_to = ? WHERE id = ?", (last, held.id))
        return True


def give_up(catalog: Catalog) -> Space:
    """Let the space that is being built go. Returns it. Raises: ModelError when there is none."""
    with catalog.writing():
        space = space_in(catalog, "building")
        if space is None:
            raise ModelError(
                f"Nothing is being built for the library at {catalog.folder}.",
                hint="`ammon status` tells which model the library has.",
            )
        mark_gone(catalog, space)
        return space


def forget(catalog: Catalog) -> Space:
    """Let the retired space go. Returns it. Raises: ModelError when there is none."""
    with catalog.writing():
        space = retired_space(catalog)
        mark_gone(catalog, space)
        return space


def retired_space(catalog: Catalog) -> Space:
    """The space that a rollback brings back. Raises: ModelError when there is none."""
    space = space_in(catalog, "retired")
    if space is None:
        raise ModelError(
            f"The library at {catalog.folder} keeps the vectors of no model but its own.",
            hint="To change the model, run: ammon reembed --model NAME",
        )
    return space
