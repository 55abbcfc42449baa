"""A disk that fails or is full: an error that says so, and nothing acknowledged is lost, doubled or left dangling."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults.points import Bench, Call, Tally, at_each, one_of_each_pair, served
from faults.workload import BROKEN, clear

Report = Callable[[str, Tally], None]

ONCE, SAME, ALL = 0, 2, 3
"""What fails: one call; all of its operation from then on; all that change anything from then on."""

KINDS = ((errno.EIO, ONCE), (errno.ENOSPC, ONCE), (errno.EIO, SAME), (errno.ENOSPC, ALL), (errno.EIO, ALL))


def fail(bench: Bench, call: Call, code: int, keep: int, tally: Tally) -> list[str]:
    """Fail one call, or also those that follow; then look, with a disk that works again. Returns what was told."""
    clear(bench.place)
    ended = bench.break_at("survive", "f", call, error=code, keep=keep)
    point = f"{errno.errorcode[code]} ({keep}) at {call}"
    tally.tried[f"{errno.errorcode[code]}{' for good' if keep else ''}"] += 1
    tally.tried["passed over" if ended["result"] == [] else "told"] += 1
    tally.hit.add(call.pair)
    if ended["status"] != 0:
        tally.judge(ended, [], point)
    tally.check(bench, point)
    told: list[str] = ended["result"]
    return told


def test_a_failing_disk_is_told_and_loses_nothing(
    benches: list[Bench], calls: list[Call], full: bool, report: Report
) -> None:
    tally = Tally()
    pairs = one_of_each_pair(calls)
    some = [(call, KINDS[at % len(KINDS)]) for at, call in enumerate(pairs)]
    every = [(call, KINDS[call.turn % len(KINDS)]) for call in calls] + [
        (call, kind) for call in pairs for kind in KINDS
    ]
    at_each(benches, every if full else some, lambda bench, point: fail(bench, point[0], *point[1], tally))
    report("disk failing", tally)
    assert {call.pair for call in calls} - tally.hit == set()


def test_nothing_is_acknowledged_that_was_not_synced(
    benches: list[Bench], calls: list[Call], full: bool, report: Report
) -> None:
    tally = Tally()
    synced = [call for call in calls if call.operation == "fsync" and call.role.startswith("/library/catalog.db-")]
    # the last is of the log's way into the catalog as it is closed: all in it was synced before
    points = synced[:-1] if full else [*synced[:3], *synced[3:-1:8]]

    def unsynced(bench: Bench, call: Call) -> None:
        if not fail(bench, call, errno.EIO, ONCE, tally):
            tally.wrong.append(f"{call} failed, and nobody was told")

    at_each(benches, points, unsynced)
    report("sync of the catalog failing", tally)


@pytest.fixture
def small_disk(shim: Path, tmp_path: Path) -> Iterator[Callable[[int], Bench]]:
    """Makes a place whose library lies on a disk of its own, of so many KiB."""
    with ExitStack() as stack:

        def make(size: int) -> Bench:
            place = tmp_path / f"place{size}"
            clear(place)
            mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(place / BROKEN)]
            if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
                pytest.skip("a small disk cannot be mounted here; it takes the rights of root")
            stack.callback(subprocess.run, ["umount", str(place / BROKEN)], check=True)
            return Bench(stack.enter_context(served(shim)), place)

        yield make


@pytest.mark.parametrize("size", [16, 100, 200, 300, 500, 700])
def test_a_disk_that_is_truly_full_loses_nothing(small_disk: Callable[[int], Bench], size: int) -> None:
    bench = small_disk(size)
    ended = bench.ask("run")
    assert ended["status"] == 0
    assert ended["result"] == [] or any("full" in said for said in ended["result"])
    subprocess.run(["mount", "-o", "remount,size=50m", str(bench.place / BROKEN)], check=True)
    assert bench.ask("check") == {"status": 0, "result": []}
