"""Many writers and readers of one library: nobody fails, nobody sees half a document, and nothing is lost."""

from __future__ import annotations

from functools import partial

from faults.oracle import violations
from faults.workload import clear
from processes.apart import at_once, quick_place
from processes.traffic import fill, read, write, write_journal

WRITERS, READERS = 4, 4
SECONDS = 10.0


def test_four_writers_and_four_readers_share_a_library() -> None:
    with quick_place() as place:
        clear(place)
        fill(place)
        given = at_once(
            [partial(write, place, seed, SECONDS) for seed in range(WRITERS)],
            [partial(read, place, seed) for seed in range(READERS)],
            place,
        )
        written, seen = given[:WRITERS], given[WRITERS:]
        assert [set(each) <= {"put", "removed"} and each["put"] >= 3 for each in written] == [True] * WRITERS, written
        assert [set(each) == {"looks"} and each["looks"] >= 10 for each in seen] == [True] * READERS, seen
        write_journal(place)
        assert violations(place) == []
