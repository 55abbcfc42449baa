"""A power cut at any moment: whatever of the unsynced is left, nothing acknowledged is lost, doubled or dangling."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

from ammon.sources import path_of
from faults.disks import Disk, Folder, Image, Recorded, fingerprint, on_disk, put, recorded
from faults.points import Bench, Call, Tally, at_each, spread
from faults.workload import BROKEN, JOURNAL, NOTES, clear

Report = Callable[[str, Tally], None]


def record(bench: Bench) -> list[str]:
    """Record a run, so that it can be cut anywhere. Returns the journal's lines."""
    clear(bench.place)
    assert bench.ask("record", how="r") == {"status": 0, "result": []}
    return (bench.place / JOURNAL).read_text("utf-8").splitlines()


def cuts(calls: list[Recorded], disk: Disk, at: Callable[[int], bool]) -> Iterator[tuple[str, Image, int]]:
    """What power cuts leave before some of the calls: when and what, the disk, and how long the journal is."""
    for number, call in enumerate(calls):
        if at(number):
            for what, image in disk.images():
                yield f"before call {number}, {call.operation} {call.path}: {what}", image, call.said
        disk.do(call.operation, call.path, call.second, call.offset, call.data, call.length)


def restore(place: Path, image: Image, journal: list[str]) -> None:
    """Make a place what it was before a power cut, with the notes that were to be indexed."""
    clear(place)
    put(image, place / BROKEN)
    (place / JOURNAL).write_text("".join(f"{line}\n" for line in journal), "utf-8")
    documents = json.loads(journal[-1])["documents"] if journal else {}
    notes = {path_of(uri): text for uri, text in documents.items() if NOTES in path_of(uri).parts}
    for path, text in notes.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


class Cutter:
    """Looks at each distinct disk that power cuts leave, with what had been promised by then."""

    def __init__(self, kind: str, *, whole_journal: bool = False) -> None:
        self._whole_journal = whole_journal
        self.tally = Tally()
        self._kind = kind
        self._seen: set[bytes] = set()
        self._guard = Lock()

    def cut(self, bench: Bench, journal: list[str], disk: Disk, at: Callable[[int], bool]) -> None:
        """Cut the recorded task of a bench at some of its calls."""
        for when, image, said in cuts(list(recorded(bench.place)), disk, at):
            promised = journal if self._whole_journal else journal[:said]
            if self._is_new(fingerprint(image, promised)):
                restore(bench.place, image, promised)
                self.tally.tried[self._kind] += 1
                self.tally.check(bench, when)

    def _is_new(self, image: bytes) -> bool:
        with self._guard:
            fresh = image not in self._seen
            self._seen.add(image)
            return fresh


def test_nothing_is_lost_in_a_power_cut(benches: list[Bench], full: bool, report: Report) -> None:
    cutter, every = Cutter("disks after a power cut"), 10 if full else 600

    def work(bench: Bench, turn: int) -> None:
        journal = record(bench)
        first = every * turn // len(benches)
        cutter.cut(bench, journal, Disk(bench.place / BROKEN, Folder()), lambda number: number % every == first)

    at_each(benches, range(len(benches)), work)
    report("power cut", cutter.tally)
    assert cutter.tally.tried.total() >= (1_000 if full else 50)


def test_nothing_is_lost_when_the_recovery_is_cut_too(
    benches: list[Bench], calls: list[Call], full: bool, report: Report
) -> None:
    cutter = Cutter("disks after a power cut in the recovery", whole_journal=True)

    def work(bench: Bench, call: Call) -> None:
        clear(bench.place)
        if bench.break_at("run", "k", call)["status"] != -signal.SIGKILL:
            return
        said = bench.place / JOURNAL
        journal = said.read_text("utf-8").splitlines() if said.exists() else []
        disk = Disk(bench.place / BROKEN, on_disk(bench.place / BROKEN))
        assert bench.ask("recover", how="r") == {"status": 0, "result": []}
        some = max(1, sum(1 for _ in recorded(bench.place)) // (20 if full else 4))
        cutter.cut(bench, journal, disk, lambda number: number % some == 0)

    at_each(benches, spread(calls, 30 if full else 3)[1:], work)
    report("power cut in the recovery", cutter.tally)
    assert cutter.tally.tried.total() >= (200 if full else 5)
