"""One process of the sandbox, from outside: started when it is needed, given a file, ended when it takes too long."""

from __future__ import annotations

import math
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

MOST_PAGES: Final = 10_000
BYTES_A_PAGE: Final = 8
"""The pages of a file that buy time: no file has more than its bytes allow, whatever it claims."""

MOST_FILES: Final = 200
MOST_RESIDENT: Final = 768 * 1024 * 1024
"""A process that has read so many files, or held so many bytes, makes room for a new one: what parsers leak goes."""

SECONDS_TO_END: Final = 2.0
OUT_OF_TIME: Final = "signal 24"
"""How a process ends that has used up its processor time: SIGXCPU, on every system that has it."""

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
        seconds = {"seconds": self.most_seconds()}
        return frames.frame({**said, **seconds, "recognise": self.recognise, "known": dict(self.known)})

    def most_seconds(self) -> int:
        """Processor time that reading it could ever take. What its pages are worth, the clock decides."""
        pages, cores = self.most_pages(), os.cpu_count() or 1
        if self.recognise:
            return math.ceil(SECONDS + SECONDS_TO_RECOGNISE * (pages + 1)) * cores
        return math.ceil(SECONDS + SECONDS_A_PAGE * pages)

    def most_pages(self) -> int:
        """How many pages it may claim."""
        return min(MOST_PAGES, len(self.data) // BYTES_A_PAGE)


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
            found = self._exchange(process, asked)
        except BaseException:
            # Whatever happened, what this process says next is no answer to the next file.
            self.close()
            raise
        if self._files >= MOST_FILES:
            self.close()
        return found

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
                    "-I",
                    "-c",
                    _START.format(path=_places(), recognise=self._recognise),
                ],
                cwd=os.sep,
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
                    if int(value["end"]) > MOST_RESIDENT and not self._recognise:
                        self.close()
                    return found
                if "lacking" in value:
                    self.lacking = [str(each) for each in value["lacking"]]
                elif "recognised" in value:
                    asked.on_page(str(value["recognised"]), [_row(row) for row in value["lines"]])
                elif "failed" in value:
                    reason = str(value["failed"])
                else:
                    found.append(frames.read(value, behind))
        except frames.WRONG as error:
            raise frames.no_answer() from error
        ended = reason or _ending(process)
        if ended == OUT_OF_TIME:
            raise SourceError("Reading it took too long.", code="too-slow")
        raise SourceError(f"Its reader broke down ({ended}).", code="parser-failed")


def _row(row: Sequence[object]) -> Row:
    """A recognised line, if it is one. Raises: ValueError, TypeError."""
    text, left, top, right, bottom, confidence = row
    if not isinstance(text, str):
        raise TypeError("Text was expected.")
    return (text, *(float(str(number)) for number in (left, top, right, bottom, confidence)))


def _places() -> list[str]:
    """Where modules are looked for: not where Ammon was started, for the files there are the user's."""
    here = os.getcwd()
    return [each for each in sys.path if os.path.isabs(each) and each != here]


def _ending(process: subprocess.Popen[bytes]) -> str:
    """How the process ended, which has stopped talking: should it go on in silence, it is ended."""
    try:
        code = process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _frames(process: subprocess.Popen[bytes], asked: Asked) -> Iterator[tuple[dict[str, Any], memoryview]]:
    """Frames as they come, while the file is written; ends where the process ends. Raises: SourceError, ValueError."""
    into, out = (pipe.fileno() for pipe in (process.stdin, process.stdout) if pipe is not None)
    os.set_blocking(into, False)
    os.set_blocking(out, False)
    waiting, received = [memoryview(asked.frame()), *([memoryview(asked.data)] if asked.data else [])], bytearray()
    ends = time.monotonic() + SECONDS + (SECONDS_TO_RECOGNISE if asked.recognise else 0)
    pages, taken = asked.most_pages(), 0
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
                taken += len(block)
                if taken > frames.MOST_BYTES:
                    raise SourceError("It holds more text than is taken.", code="too-large")
                for value, behind in _complete(received):
                    claimed, seconds = _claim(value)
                    bought = max(0, min(claimed, pages))
                    pages -= bought
                    ends += seconds * bought
                    if "pages" not in value:
                        yield value, behind


def _claim(value: Mapping[str, Any]) -> tuple[int, float]:
    """For how many pages a frame asks for time, and for how much each."""
    if "recognised" in value:
        return 1, SECONDS_TO_RECOGNISE
    done, total = map(int, value.get("pages", (1, 0)))
    return (total if done == 0 else 0), SECONDS_A_PAGE


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
        with memoryview(received) as view:
            body, behind = bytes(view[frames.HEADER.size : middle]), bytes(view[middle:end])
        del received[:end]
        yield frames.value_of(body), memoryview(behind)
