"""Points at which a workload can be broken, and what came of breaking it there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faults.server import DATA, LOG
from faults.workload import BROKEN, clear

TESTS = Path(__file__).parents[1]

ROLES = (
    (r"/(lexical)\.[0-9a-f]{32}(?=/|$)", r"/\1.new"),
    (r"/\.tmp\w+$", "/.tmp"),
    (r"/[0-9a-f]{32}((?:\.\d+)?)(\.\w+)$", r"/*\2"),
    (r"/vectors-(\d+)\.idx\.\d+\.part$", r"/vectors.part"),
    (r"/vectors-\d+\.idx$", r"/vectors.idx"),
)
"""What a file is to the library, whatever name it was given this time."""


@dataclass(frozen=True)
class Call:
    """One call that changes files: its number in the run, the operation, and the role of the file."""

    number: int
    operation: str
    role: str

    @property
    def pair(self) -> tuple[str, str]:
        """What it is counted by."""
        return self.operation, self.role


def role(path: str, place: Path) -> str:
    """What the file at ``path`` is to the library."""
    inside = path.removeprefix(str(place / BROKEN)) or "/"
    for pattern, name in ROLES:
        inside = re.sub(pattern, name, inside)
    return inside


def logged(place: Path) -> list[Call]:
    """The calls in the shim's log, in order."""
    calls = []
    for line in (place / LOG).read_text("utf-8", "surrogateescape").splitlines():
        number, operation, *rest = line.split("\t")
        if operation != "=":
            calls.append(Call(int(number), operation, role(rest[0], place)))
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
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )

    def ask(self, task: str, place: Path, **breaking: Any) -> dict[str, Any]:
        """Do a task in a process of its own; with ``how``, under the shim. The log is made anew."""
        if breaking:
            for name in (LOG, DATA):
                (place / name).unlink(missing_ok=True)
            breaking["shim"] = str(self._shim)
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps({"task": task, "place": str(place), **breaking}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin and self._process.stdout
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
    """Points tried by kind, pairs hit, and what went wrong."""

    tried: Counter[str] = field(default_factory=Counter)
    hit: set[tuple[str, str]] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def check(self, server: Server, place: Path, point: str) -> None:
        """Look at what a fault has left behind."""
        found = server.ask("check", place)
        if found["status"] != 0 or found["result"]:
            self.wrong.append(f"{point}: {found['status']} {' | '.join(found['result'])[-2000:]}")


def chosen(calls: list[Call], count: int) -> list[Call]:
    """At least one call of each pair, the last of it, and more at even distances, ``count`` in all or a few more."""
    last = {call.pair: call for call in calls}
    spread = calls[:: max(1, len(calls) // max(1, count - len(last)))]
    return sorted({*last.values(), *spread}, key=lambda call: call.number)


def kill(server: Server, place: Path, call: Call, how: str, tally: Tally) -> None:
    """Kill a run before a call (``k``) or half-way through it (``t``); then look."""
    clear(place)
    ended = server.ask("run", place, how=how, at=call.number)
    seen = logged(place)
    tally.tried["killed" if how == "k" else "torn"] += 1
    if ended["status"] != -9:
        # runs differ by a few calls; one that ended sooner is a whole run, which must be sound as well
        if ended["status"] != 0 or len(seen) >= call.number:
            tally.wrong.append(f"{call} {how}: ended with {ended}")
    else:
        tally.hit.add(seen[-1].pair)
    tally.check(server, place, f"{how} at {seen[-1]}")
