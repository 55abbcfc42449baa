"""Points at which a workload can be broken, and what came of breaking it there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from faults.server import DATA, LOG
from faults.workload import BROKEN

TESTS = Path(__file__).parents[1]

Point = TypeVar("Point")

ROLES = (
    (r"/lexical\.[0-9a-f]{32}(?=/|$)", "/lexical.*"),
    (r"/\.(\w+)\.\d+\.part(?=/|$)", r"/.\1.*.part"),
    (r"/\.tmp\w+$", "/.tmp*"),
    (r"/\.snapshot\.\*\.part/lexical/.+", "/.snapshot.*.part/lexical/*"),
    (r"/lexical\.\*/[0-9a-f]{32}(?:\.\d+)?\.\w+$", "/lexical.*/[0-9a-f]*.*"),
    (r"/[0-9a-f]{32}(?:\.\d+)?(\.\w+)$", r"/*\1"),
    (r"/vectors-\d+\.idx\.part$", "/vectors-*.part"),
    (r"/vectors-\d+\.idx$", "/vectors-*.idx"),
)
"""What a file is to the library, whatever name it was given this time: a pattern of such names."""


@dataclass(frozen=True)
class Call:
    """One call that changes files: the operation, the role of the file, and how often there was one such before."""

    operation: str
    role: str
    turn: int

    @property
    def pair(self) -> tuple[str, str]:
        """What it is counted by."""
        return self.operation, self.role


def role(path: str, place: Path) -> str:
    """What the file at ``path`` is to the library."""
    inside = path.removeprefix(str(place / BROKEN))
    for pattern, name in ROLES:
        inside = re.sub(pattern, name, inside)
    return inside


def logged(place: Path) -> list[Call]:
    """The calls in the shim's log, in order."""
    calls = []
    seen: Counter[tuple[str, str]] = Counter()
    for line in (place / LOG).read_text("utf-8", "surrogateescape").splitlines():
        _, operation, *rest = line.split("\t")
        if operation != "=":
            pair = operation, role(rest[0], place)
            calls.append(Call(*pair, seen[pair]))
            seen[pair] += 1
    return calls


class Server:
    """A process that runs tasks in forks of itself; see `faults.server`."""

    def __init__(self, shim: Path) -> None:
        self._shim = shim
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])},
        )

    def ask(self, task: str, place: Path, **breaking: Any) -> dict[str, Any]:
        """Do a task in a process of its own; with ``how``, under the shim. The log is made anew."""
        if breaking:
            for name in (LOG, DATA):
                (place / name).unlink(missing_ok=True)
            breaking["shim"] = str(self._shim)
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"task": task, "place": str(place), **breaking}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@contextmanager
def served(shim: Path) -> Iterator[Server]:
    """A server that ends with the block."""
    server = Server(shim)
    try:
        yield server
    finally:
        server.close()


@dataclass
class Tally:
    """Points tried by kind, pairs hit, and what went wrong. Threads may share one."""

    tried: Counter[str] = field(default_factory=Counter)
    hit: set[tuple[str, str]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def check(self, bench: Bench, point: str) -> None:
        """Look at what a fault has left behind."""
        started = time.monotonic()
        found = bench.ask("check")
        self.slowest = max(self.slowest, time.monotonic() - started)
        self.judge(found, [], point)

    def judge(self, ended: dict[str, Any], wanted: list[str], point: str) -> None:
        """Note an end other than the one wanted."""
        if ended != {"status": 0, "result": wanted}:
            self.wrong.append(f"{point}: {ended['status']} {' | '.join(ended['result'])[-2000:]}")

    def counts(self) -> dict[str, Any]:
        """What was tried, and what came of it. The slowest check is of opening, looking at everything and writing."""
        return {
            **self.tried,
            "pairs of call and file": len(self.hit),
            "slowest check in seconds": round(self.slowest, 1),
            "wrong": len(self.wrong),
        }


@dataclass(frozen=True)
class Bench:
    """A server with a place of its own."""

    server: Server
    place: Path

    def ask(self, task: str, **breaking: Any) -> dict[str, Any]:
        """See `Server.ask`."""
        return self.server.ask(task, self.place, **breaking)

    def break_at(self, task: str, how: str, call: Call, **breaking: Any) -> dict[str, Any]:
        """Do a task that is broken at one call."""
        pattern = f"{self.place / BROKEN}{call.role}"
        return self.ask(task, how=how, operation=call.operation, pattern=pattern, at=call.turn + 1, **breaking)

    def logged(self) -> list[Call]:
        """The calls of the last task under the shim."""
        return logged(self.place)

    def has_reached(self, call: Call) -> bool:
        """Whether the task that is now under the shim has come to a call."""
        return (self.place / LOG).exists() and call in self.logged()


def at_each(benches: list[Bench], points: Iterable[Point], work: Callable[[Bench, Point], object]) -> None:
    """Do the work at each point, on all benches at once."""
    waiting = iter(list(points))
    turn = Lock()

    def go_on(bench: Bench) -> None:
        while True:
            with turn:
                point = next(waiting, None)
            if point is None:
                return
            work(bench, point)

    with ThreadPoolExecutor(len(benches)) as pool:
        for each in [pool.submit(go_on, bench) for bench in benches]:
            each.result()


def one_of_each_pair(calls: list[Call]) -> list[Call]:
    """One call of each pair of operation and role: a late one, as the most is there to lose."""
    of_pair: dict[tuple[str, str], list[Call]] = {}
    for call in calls:
        of_pair.setdefault(call.pair, []).append(call)
    # not the last: runs differ by a few calls
    return [some[len(some) * 3 // 4 - (len(some) > 2)] for some in of_pair.values()]


def spread(calls: list[Call], count: int) -> list[Call]:
    """About ``count`` calls at even distances."""
    return calls[:: max(1, len(calls) // count)]
