"""The process that reads: takes files from its standard input, one after another, and says what they hold."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from ammon.sources.reading import Account, Reading
from ammon.sources.sandbox.confining import confine
from ammon.sources.sandbox.frames import HEADER, frame, value_of, written
from ammon.sources.sandbox.limits import Memory, allow_seconds, impose

if TYPE_CHECKING:
    from ammon.sources.recognising import Recogniser, Row


def main(*, recognise: bool = False) -> None:
    """Serve until the input ends. Only one that is to ``recognise`` has the memory to."""
    taken, given = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What a parser prints must not come between the frames.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    memory = Memory()
    _give(given, frame({"lacking": [*impose(recognise=recognise), *confine(recognise=recognise)]}))
    while asked := _received(taken):
        _answer(value_of(asked), taken, given, memory)


def _received(taken: BinaryIO) -> bytes:
    head = taken.read(HEADER.size)
    return taken.read(HEADER.unpack(head)[0]) if len(head) == HEADER.size else b""


def _give(given: BinaryIO, whole: bytes) -> None:
    given.write(whole)
    given.flush()


def _answer(asked: Mapping[str, Any], taken: BinaryIO, given: BinaryIO, memory: Memory) -> None:
    data = taken.read(asked["size"])
    allow_seconds(asked["seconds"])

    def pages(done: int, total: int) -> None:
        """Ask for the time that so many pages may take."""
        _give(given, frame({"pages": [done, total]}))

    def recognised(place: str, lines: list[Row]) -> None:
        """Give a page away as soon as it is read."""
        _give(given, frame({"recognised": place, "lines": lines}))

    def failed(kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            _give(given, frame({"failed": kind.__name__}))

    reading = Reading(
        asked["name"],
        Account(len(data)),
        as_text=asked["as_text"],
        pages=pages,
        recogniser=_recogniser() if asked["recognise"] else None,
        known=asked["known"],
        read=recognised,
    )
    with ExitStack() as failing:
        # A parser's error that nobody foresaw ends the process; its keeper is told of which kind it was.
        failing.push(failed)
        given.writelines(written(found) for found in reading.run(data))
        _give(given, frame({"end": memory.held()}))


@cache
def _recogniser() -> Recogniser:
    from ammon.sources.recognition import Recogniser

    return Recogniser()
