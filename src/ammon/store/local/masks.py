"""Filters as masks: which chunk ids satisfy one, as a boolean array that both legs search under."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

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
        if where is None or node is None:
            return None
        key = (filters.render(node), self._catalog.sequence())
        with self._guard:
            mask = self._kept.get(key)
        if mask is None:
            check_fields(self._catalog, where, node)
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
                f"SELECT c.id FROM document AS d CROSS JOIN chunk AS c ON c.document = d.id WHERE {condition}", bindings
            )
            ids = np.fromiter((row[0] for row in rows), np.int64)
        mask = np.zeros(size, bool)
        mask[ids] = True
        return mask


def check_fields(catalog: Catalog, where: str | Mapping[str, Any], node: filters.Node) -> None:
    """Refuse a filter that names a field of the metadata that no document has; a typing error, most likely.

    Raises: BadFilter.
    """
    for field in filters.metadata_fields(node):
        condition, bindings = filters.compile_sql(filters.Exists(field))
        if catalog.value(f"SELECT 1 FROM document AS d WHERE {condition} LIMIT 1", bindings) is None:
            documents = catalog.run("SELECT DISTINCT metadata FROM document")
            names = {filters.Field("metadata", path).text for (text,) in documents for path in _paths(json.loads(text))}
            # The field may be in every document with no value but null: then the filter is right, if idle.
            filters.refuse_unknown(where, node, names)


def _paths(value: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, inner in value.items():
        yield (*above, key)
        if isinstance(inner, Mapping):
            yield from _paths(inner, (*above, key))
