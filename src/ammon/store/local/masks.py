"""Filters as masks: which chunk ids satisfy one, as a boolean array that both legs search under."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ammon.errors import BadFilter
from ammon.store.local import filters
from ammon.store.local.catalog import Catalog

Where: TypeAlias = str | Mapping[str, Any] | None
Mask: TypeAlias = NDArray[np.bool_]

KEPT = 16


class Masks:
    """Masks of one catalog, the last few of them kept until something in the catalog changes."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._kept: dict[tuple[str, int], Mask] = {}
        self._guard = threading.Lock()

    def allowed(self, where: Where) -> Mask | None:
        """A boolean array by chunk id; ``None`` when there is no filter.

        Raises: BadFilter when the filter cannot be read or names a field that no document has.
        """
        node = filters.parse(where)
        if node is None:
            return None
        key = (filters.render(node), self._catalog.sequence())
        with self._guard:
            mask = self._kept.get(key)
        if mask is None:
            mask = self._select(node)
            with self._guard:
                while len(self._kept) >= KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = mask
        return mask

    def _select(self, node: filters.Node) -> Mask:
        condition, bindings = filters.compile_sql(node)
        with self._catalog.reading():
            size = 1 + int(self._catalog.value("SELECT max(id) FROM chunk") or 0)
            rows = self._catalog.run(
                f"SELECT c.id FROM chunk AS c JOIN document AS d ON d.id = c.document WHERE {condition}", bindings
            )
            ids = np.fromiter((row[0] for row in rows), np.int64)
        mask = np.zeros(size, bool)
        mask[ids] = True
        if not len(ids):
            self._check_fields(node)
        return mask

    def _check_fields(self, node: filters.Node) -> None:
        """Raise BadFilter when nothing matched because a field is in no document."""
        keys = self._catalog.rows("SELECT DISTINCT j.key FROM document AS d, json_each(d.metadata) AS j")
        for field, near in filters.unknown_fields(node, [key for (key,) in keys]):
            meant = f"; did you mean '{near}'?" if near else "."
            raise BadFilter(f"No document has a field '{field}'{meant}", source=filters.render(node))


