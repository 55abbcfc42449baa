"""One process of the sandbox, from outside: started when it is needed, given a file, ended when it takes too long."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.reading import Found
from ammon.sources.recognising import Row
from ammon.sources.sandbox import frames

SECONDS: Final = 30.0
SECONDS_A_PAGE: Final = 0.1
SECONDS_TO_RECOGNISE: Final = 60.0
"""The time that loading the recogniser, or reading the picture of a page, may take."""

MOST_FILES: Final = 200
"""A process that has read so many files makes room for a new one: what parsers leak goes with it."""

_BLOCK: Final = 1 << 18
_START: Final = (
    "import sys; sys.path[:] = {path!r}; from ammon.sources.sandbox.worker import main; main(recognise={recognise})"
)
_KEPT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "TZ")
"""What the process is told of the environment; keys and passwords stay outside."""


def _unheard(_place: str, _lines: Sequence[Row]) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A file to be read. To ``recognise`` is to read pictures, too: but for pages that are ``known``, by their place
    in the file; ``on_page`` hears of each other one as soon as it is read.
    """

    name: str
    data: bytes
    as_text: bool = False
    recognise: bool = False
    known: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    on_page: Callable[[str, Sequence[Row]], None] = _unheard

    def frame(self) -> bytes:
        """What the process is told before the bytes."""
        said = {"name": self.name, "size": len(self.data), "as_text": self.as_text}
        return frames.frame({**said, "recognise": self.recognise, "known": dict(self.known)})


class Worker:
    """A process that reads files one after another."""

    def __init__(self, *, recognise: bool = False) -> None:
        """Of those that are to ``recognise``, one is enough: it has memory, and threads of its own."""
        self.lacking: list[str] = []
        """The limits that could not be put in force; known once it runs."""
        self._recognise = recognise
        self._process: subprocess.Popen[bytes] | None = None
        self._files = 0

    def read(self, asked: Asked) -> list[Found]:
        """What the file holds, itself first. Raises: SourceError with the code ``parser-failed`` or ``too-slow``."""
        process = self._running()
        self._files += 1
        try:
            return self._exchange(process, asked)
        except SourceError:
            self.close()
            raise
        finally:
            if self._files >= MOST_FILES:
                self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process, self._files = self._process, None, 0
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-E",
                    "-c",
                    _START.format(path=list(filter(None, sys.path)), recognise=self._recognise),
                ],
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
            )
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], asked: Asked) -> list[Found]:
        found: list[Found] = []
        reason = ""
        try:
            for value, behind in _frames(process, asked):
                if "end" in value:
                    return found
                if "lacking" in value:
                    self.lacking = [str(each) for each in value["lacking"]]
                elif "recognised" in value:
                    asked.on_page(str(value["recognised"]), [_row(row) for row in value["lines"]])
                elif "failed" in value:
                    reason = str(value["failed"])
                else:
                    found.append(frames.read(value, behind))
        except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError) as error:
            raise SourceError("Its reader gave an answer that is none.", code="parser-failed") from error
        ended = reason or _ending(process.wait())
        raise SourceError(f"Its reader broke down ({ended}).", code="parser-failed")


def _row(row: Sequence[object]) -> Row:
    """A recognised line, if it is one. Raises: ValueError, TypeError."""
    text, left, top, right, bottom, confidence = row
    if not isinstance(text, str):
        raise TypeError("Text was expected.")
    return (text, *(float(str(number)) for number in (left, top, right, bottom, confidence)))


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _frames(process: subprocess.Popen[bytes], asked: Asked) -> Iterator[tuple[dict[str, Any], memoryview]]:
    """Frames as they come, while the file is written; ends where the process ends. Raises: SourceError, ValueError."""
    into, out = (pipe.fileno() for pipe in (process.stdin, process.stdout) if pipe is not None)
    os.set_blocking(into, False)
    os.set_blocking(out, False)
    waiting, received = [memoryview(asked.frame()), *([memoryview(asked.data)] if asked.data else [])], bytearray()
    ends = time.monotonic() + SECONDS + (SECONDS_TO_RECOGNISE if asked.recognise else 0)
    with selectors.DefaultSelector() as ready:
        ready.register(out, selectors.EVENT_READ)
        ready.register(into, selectors.EVENT_WRITE)
        while True:
            left = ends - time.monotonic()
            if left <= 0:
                raise SourceError("Reading it took too long.", code="too-slow")
            for key, _ in ready.select(left):
                if key.fd == into:
                    _send(into, waiting)
                    if not waiting:
                        ready.unregister(into)
                    continue
                block = os.read(out, _BLOCK)
                if not block:
                    return
                received += block
                for value, behind in _complete(received):
                    if "pages" in value:
                        ends += SECONDS_A_PAGE * int(value["pages"][1]) if value["pages"][0] == 0 else 0
                    else:
                        ends += SECONDS_TO_RECOGNISE if "recognised" in value else 0
                        yield value, behind


def _send(into: int, waiting: list[memoryview]) -> None:
    try:
        sent = os.write(into, waiting[0][:_BLOCK])
    except BlockingIOError:
        return
    except BrokenPipeError:
        waiting.clear()
        return
    waiting[0] = waiting[0][sent:]
    if not waiting[0]:
        del waiting[0]


def _complete(received: bytearray) -> Iterator[tuple[dict[str, Any], memoryview]]:
    """Whole frames, taken off what was received."""
    while len(received) >= frames.HEADER.size:
        lengths = frames.HEADER.unpack_from(received)
        if any(length > most for length, most in zip(lengths, frames.LONGEST, strict=True)):
            raise SourceError("It holds more text than is taken.", code="too-large")
        middle = frames.HEADER.size + lengths[0]
        end = middle + lengths[1]
        if len(received) < end:
            return
        value = frames.value_of(bytes(received[frames.HEADER.size : middle]))
        whole = memoryview(bytes(received[middle:end]))
        del received[:end]
        yield value, whole
