"""Several processes of the sandbox at work side by side."""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

from ammon.closing import Closing
from ammon.errors import SourceError
from ammon.sources.reading import Found
from ammon.sources.sandbox.process import Worker


class Sandbox(Closing):
    """Reads files in processes of its own, which are started when they are first needed."""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or min(os.cpu_count() or 1, 8)
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="ammon-read")
        self._free: SimpleQueue[Worker] = SimpleQueue()
        self._all = [Worker() for _ in range(self.workers)]
        for worker in self._all:
            self._free.put(worker)

    @property
    def recognises(self) -> bool:
        """Whether text in images can be recognised."""
        return False

    def submit(self, name: str, data: bytes, *, as_text: bool = False) -> Future[list[Found]]:
        """What the file holds, once it is read: itself first, then what is in it.

        Where its reader broke down or took too long, there is that error, ``parser-failed`` or ``too-slow``.
        """
        return self._threads.submit(self._read, name, data, as_text)

    def close(self) -> None:
        """End all processes; what is being read is given up."""
        for worker in self._all:
            worker.close()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _read(self, name: str, data: bytes, as_text: bool) -> list[Found]:  # noqa: FBT001 - as submit passes it
        worker = self._free.get()
        try:
            return worker.read(name, data, as_text=as_text)
        except SourceError as error:
            return [Found("", error=error)]
        finally:
            self._free.put(worker)
