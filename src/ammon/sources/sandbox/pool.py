"""Several processes of the sandbox at work side by side, and one that recognises text in pictures."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from queue import SimpleQueue
from threading import Lock

from ammon.closing import Closing
from ammon.errors import SourceError
from ammon.sources.reading import Found
from ammon.sources.recognition import is_installed
from ammon.sources.sandbox.process import Asked, Worker

NEEDS_RECOGNITION = "needs-ocr"


class Sandbox(Closing):
    """Reads files in processes of its own, which are started when they are first needed."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or min(os.cpu_count() or 1, 8)
        self.recognises = is_installed()
        """Whether text in pictures can be recognised."""
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="ammon-read")
        self._free: SimpleQueue[Worker] = SimpleQueue()
        self._all = [Worker() for _ in range(self.workers)]
        for worker in self._all:
            self._free.put(worker)
        # One for all: recognition uses every core by itself, and its models take memory.
        self._recogniser = Worker(recognise=True)
        self._recognising = Lock()

    def submit(self, asked: Asked) -> Future[list[Found]]:
        """What the file holds, once it is read: itself first, then what is in it.

        Where its reader broke down or took too long, there is that error, ``parser-failed`` or ``too-slow``. Pictures
        are read where text recognition is installed, whether or not that was ``asked``.
        """
        return self._threads.submit(self._read, asked)

    @property
    def lacking(self) -> tuple[str, ...]:
        """The limits that this system cannot put in force, as far as is known: of the processes that ran so far."""
        return tuple(dict.fromkeys(each for worker in (*self._all, self._recogniser) for each in worker.lacking))

    def close(self) -> None:
        """End all processes; what is being read is given up."""
        for worker in (*self._all, self._recogniser):
            worker.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _read(self, asked: Asked) -> list[Found]:
        worker = self._free.get()
        try:
            found = _read(worker, asked)
        finally:
            self._free.put(worker)
        if not self.recognises or not any(map(_needs_recognition, found)):
            return found
        with self._recognising:
            return _read(self._recogniser, replace(asked, recognise=True))


def _read(worker: Worker, asked: Asked) -> list[Found]:
    try:
        return worker.read(asked)
    except SourceError as error:
        return [Found("", error=error)]


def _needs_recognition(found: Found) -> bool:
    """Whether there is more in a file than could be read without recognition."""
    if found.error is not None:
        return found.error.code == NEEDS_RECOGNITION
    remarks = found.document.remarks if found.document is not None else ()
    return any(remark.code == NEEDS_RECOGNITION for remark in remarks)
