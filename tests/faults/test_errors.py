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

KINDS = tuple((code, keep) for code in (errno.EIO, errno.ENOSPC) for keep in (False, True))
"""An error of the disk or a full disk, once or from then on."""


def fail(bench: Bench, call: Call, code: int, keep: bool, tally: Tally) -> None:
    """Fail one call, or it and all that follow; then look, with a disk that works again."""
    clear(bench.place)
    ended = bench.break_at("run", "f", call, error=code, keep=keep)
    point = f"{errno.errorcode[code]} {'from' if keep else 'at'} {call}"
    tally.tried[f"{errno.errorcode[code]}{' for good' if keep else ''}"] += 1
    tally.tried["passed over" if ended["result"] == [] else "told"] += 1
    tally.hit.add(call.pair)
    if ended["status"] != 0:
        tally.judge(ended, [], point)
    tally.check(bench, point)


def test_a_failing_disk_is_told_and_loses_nothing(
    benches: list[Bench], calls: list[Call], full: bool, report: Report
) -> None:
    tally = Tally()
    some = [(call, KINDS[at % len(KINDS)]) for at, call in enumerate(one_of_each_pair(calls))]
    every = [(call, kind) for call in calls for kind in KINDS]
    at_each(benches, every if full else some, lambda bench, point: fail(bench, point[0], *point[1], tally))
    report("disk failing", tally)
    assert {call.pair for call in calls} - tally.hit == set()


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
