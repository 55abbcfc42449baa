"""Runs workloads and checks in processes that cost little to start: everything is imported, then forked for each.

Reads one JSON request a line: ``task`` (run, check), ``place``, and for the shim ``how``, ``at``, ``error``, ``keep``.
Answers with one line: ``status`` (the exit status; minus the signal that ended it; "hung") and ``result``, a list.
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

import numpy  # noqa: ICN001 F401 - imported so that no fork has to
import tantivy  # noqa: F401
import turbovec  # noqa: F401
import watchfiles  # noqa: F401
from faults import oracle, workload

from ammon import indexer, search, sources, split, upkeep  # noqa: F401

LOG, DATA = "calls.log", "calls.data"
PATIENCE = 60.0
TASKS = {"run": workload.run, "check": oracle.violations}


def main() -> None:
    """Answer requests until the input ends."""
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
        status = _wait(child, time.monotonic() + PATIENCE)
        said = pipe.read()
    return {"status": status, "result": json.loads(said) if said else []}


def _wait(child: int, until: float) -> int | str:
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


def _work(request: dict[str, Any], pipe: int) -> None:
    """Never returns. What goes wrong beyond Ammon's own errors is an exit status of 1, with the traceback."""
    status = 1
    with ExitStack() as leaving:
        leaving.callback(lambda: os._exit(status))
        try:
            if "how" in request:
                _break(request)
            said = TASKS[request["task"]](Path(request["place"]))
            status = 0
        except BaseException:
            said = [traceback.format_exc()]
        os.write(pipe, json.dumps(said).encode())


def _break(request: dict[str, Any]) -> None:
    place = Path(request["place"])
    shim = ctypes.CDLL(request["shim"])
    folder, log, data = (os.fsencode(place / name) for name in (workload.BROKEN, LOG, DATA))
    how = ctypes.c_char(request["how"].encode())
    at, error, keep = request.get("at", 0), request.get("error", 0), request.get("keep", False)
    if shim.fault_start(folder, log, data, how, *map(ctypes.c_long, (at, error, keep))):
        raise OSError("this kernel does not let calls be trapped")


if __name__ == "__main__":
    main()
