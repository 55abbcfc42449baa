"""Who opens a library while another makes it smaller is never told of damage that is not there."""

from __future__ import annotations

from functools import partial

from ammon.store.local.catalog import Catalog
from processes.apart import at_once, quick_place
from processes.opening import open_again, rewrite

SECONDS = 5.0


def test_a_catalog_opens_while_another_process_rewrites_it() -> None:
    with quick_place() as place:
        Catalog(place / "library").close()
        rewriting, *opening = at_once([partial(rewrite, place, SECONDS)], [partial(open_again, place)] * 3, place)
    assert rewriting["rewritten"] >= 10
    assert [set(each) for each in opening] == [{"opened"}] * 3
    assert sum(each["opened"] for each in opening) >= 30
