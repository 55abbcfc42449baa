"""Runs workloads and checks in processes that cost little to start: everything is imported, then forked for each.

Reads one JSON request a line: ``task`` (a key of `TASKS`), ``place``, for the shim the arguments of ``fault_start``,
and ``kill_at``, the path of a file with whose coming the process is killed.
Answers with one line: ``status`` (the exit status; minus the signal that ended it; "hung" after a minute) and
``result``, a list.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy  # noqa: ICN001
import tantivy  # noqa: F401 - this and others: imported so that no fork has to
import watchfiles  # noqa: F401

from ammon import indexer, search, sources, split, upkeep  # noqa: F401
from ammon.store.local.derived.vectors import VectorIndex
from faults import oracle, workload

LOG, DATA = "calls.log", "calls.data"
PATIENCE = 60.0
SAID = "said"
"""The operation in the log that stands for a line of the journal, which lies where no call is trapped."""


def record(place: Path) -> list[str]:
    """A run that says in the shim's log, too, when something was promised."""

    def said() -> None:
        with (place / LOG).open("a") as log:
            log.write(f"0\t{SAID}\n")

    return workload.run(place, said)


def survive(place: Path) -> list[str]:
    """A run that ends with the first step after the one that its fault was in."""
    reached = ctypes.CDLL(None).fault_reached
    times: list[int] = []

    def said() -> bool:
        times.append(reached())
        return sum(times) > 1

    return workload.run(place, said)


TASKS = {
    "run": workload.run,
    "survive": survive,
    "record": record,
    "recover": oracle.recover,
    "check": oracle.violations,
    "succeed": oracle.succeed,
}


def main() -> None:
    """Answer requests until the input ends."""
    # The first use in a process takes a quarter of a second; what it works out is passed on to forks.
    VectorIndex(64).add(numpy.ones(1, int), numpy.ones(1, int), numpy.ones((1, 64), numpy.float32))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Do one task in a process of its own, and tell how it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(request, writing)
    os.close(writing)
    with open(reading, "rb") as pipe:
        status = _wait(child, request.get("kill_at"))
        said = pipe.read()
    return {"status": status, "result": json.loads(said) if said else []}


def _wait(child: int, kill_at: str | None) -> int | str:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if kill_at and os.path.exists(kill_at):
            os.kill(child, signal.SIGKILL)
            kill_at = None
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def _work(request: dict[str, Any], pipe: int) -> None:
    """Never returns. What goes wrong beyond Ammon's own errors is an exit status of 1, with the traceback."""
    with ExitStack() as leaving:
        leaving.callback(os._exit, 1)

        def tell(*failure: Any) -> bool:
            os.write(pipe, json.dumps(traceback.format_exception(*failure)).encode())
            return True

        with ExitStack() as failing:
            failing.push(lambda kind, *rest: kind is not None and tell(kind, *rest))
            if "how" in request:
                _break(request)
            os.write(pipe, json.dumps(TASKS[request["task"]](Path(request["place"]))).encode())
            os._exit(0)


def _break(request: dict[str, Any]) -> None:
    place = Path(request["place"])
    shim = ctypes.CDLL(request["shim"], ctypes.RTLD_GLOBAL)
    folder, log, data = (os.fsencode(place / name) for name in (workload.BROKEN, LOG, DATA))
    how = ctypes.c_char(request["how"].encode())
    operation, pattern = request.get("operation", ""), request.get("pattern", "")
    numbers = map(ctypes.c_long, (request.get("at", 0), request.get("error", 0), request.get("keep", False)))
    if shim.fault_start(folder, log, data, how, os.fsencode(operation), os.fsencode(pattern), *numbers):
        raise OSError("this kernel does not let calls be trapped")


if __name__ == "__main__":
    main()
