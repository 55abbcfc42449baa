"""Who opens a library while another writes it sees no damage that is not there, and all that was written before."""

from __future__ import annotations

from functools import partial

from ammon.store.local.catalog import Catalog
from processes.apart import at_once, quick_place
from processes.indexing import commit, committed, reload
from processes.opening import open_again, rewrite

SECONDS = 4.0


def test_a_catalog_opens_while_another_process_rewrites_it() -> None:
    with quick_place() as place:
        Catalog(place / "library").close()
        rewriting, *opening = at_once([partial(rewrite, place, SECONDS)], [partial(open_again, place)] * 3, place)
    assert rewriting["rewritten"] >= 10
    assert [set(each) for each in opening] == [{"opened"}] * 3
    assert sum(each["opened"] for each in opening) >= 30


def test_a_reload_of_the_keyword_index_sees_every_commit_before_it() -> None:
    with quick_place() as place:
        committed(place)
        committing, *reloading = at_once([partial(commit, place, SECONDS)], [partial(reload, place)] * 3, place)
    assert committing["commits"] >= 10
    assert [set(each) for each in reloading] == [{"reloads"}] * 3, reloading
