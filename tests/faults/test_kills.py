"""A library whose process dies at any call that changes a file: nothing acknowledged is lost, doubled or left dangling."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from faults.points import Bench, Call, Tally, at_each, one_of_each_pair, spread
from faults.workload import clear

Report = Callable[[str, Tally], None]


def kill(bench: Bench, call: Call, how: str, tally: Tally) -> bool:
    """Kill a run before a call (``k``), or half-way through it (``t``). Whether it came so far."""
    clear(bench.place)
    ended = bench.break_at("run", how, call)
    if ended["status"] == -signal.SIGKILL:
        tally.hit.add(bench.logged()[-1].pair)
        return True
    # runs differ by a few calls; one that has too few of these is a whole run
    tally.judge(ended, [], f"a whole run instead of {how} {call}")
    return False


def test_nothing_is_lost_when_the_process_dies(
    benches: list[Bench], calls: list[Call], full: bool, report: Report
) -> None:
    tally = Tally()
    points = [(call, "kt"[at % 2]) for at, call in enumerate(one_of_each_pair(calls))]
    more = 2_000 if full else max(10, 150 - len(points))
    points += [(call, how) for call in spread(calls, more // 2) for how in "kt"]

    def die(bench: Bench, point: tuple[Call, str]) -> None:
        call, how = point
        if kill(bench, call, how, tally):
            tally.tried["killed" if how == "k" else "torn"] += 1
            tally.check(bench, f"{how} {call}")

    at_each(benches, points, die)
    report("process killed", tally)
    assert {call.pair for call in calls} - tally.hit == set()
    assert tally.tried.total() >= (2_000 if full else 150)


def test_nothing_is_lost_when_the_recovery_dies_too(
    benches: list[Bench], calls: list[Call], full: bool, report: Report
) -> None:
    tally = Tally()

    def die_twice(bench: Bench, call: Call) -> None:
        if not kill(bench, call, "k", tally):
            return
        for at in (1, 3, 8, 20, 50) if full else (2, 15):
            ended = bench.ask("check", how="t", at=at)
            if ended["status"] == -signal.SIGKILL:
                tally.tried["killed in recovery"] += 1
            else:
                tally.judge(ended, [], f"recovery of {call}, to be killed at {at}")
        tally.check(bench, f"{call}, then in recovery")

    at_each(benches, spread(calls, 200 if full else 10), die_twice)
    report("killed twice", tally)
    assert tally.tried["killed in recovery"] >= (400 if full else 10)


@pytest.mark.parametrize(
    ("operation", "role"),
    [
        ("write", "/library/catalog.db-wal"),
        ("rename", "/library/lexical/.tmp*"),
        ("fsync", "/library/vectors-*.part"),
    ],
)
def test_a_writer_that_dies_with_the_lock_holds_nobody_up(
    benches: list[Bench], calls: list[Call], operation: str, role: str
) -> None:
    (late,) = one_of_each_pair([call for call in calls if call.pair == (operation, role)])
    dying, waiting = benches[0], Bench(benches[1].server, benches[0].place)
    clear(dying.place)
    kill = dying.place / "kill"
    with ThreadPoolExecutor(2) as pool:
        killed = pool.submit(lambda: (dying.break_at("run", "h", late, kill_at=str(kill)), time.monotonic()))
        while not dying.has_reached(late):
            assert not killed.done()
            time.sleep(0.05)
        succeeded = pool.submit(lambda: (waiting.ask("succeed"), time.monotonic()))
        time.sleep(1)
        assert not succeeded.done()
        kill.touch()
        (ended, of_death), (found, of_writing) = killed.result(), succeeded.result()
    assert ended["status"] == -signal.SIGKILL
    assert found == {"status": 0, "result": []}
    assert 0 < of_writing - of_death < 2.0
    assert waiting.ask("check") == {"status": 0, "result": []}
