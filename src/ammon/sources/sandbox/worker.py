"""The process that reads: takes files from its standard input, one after another, and says what they hold."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from ammon.sources.reading import Account, Reading
from ammon.sources.sandbox.frames import HEADER, frame, value_of, written

if TYPE_CHECKING:
    from ammon.sources.recognising import Recogniser, Row


def main() -> None:
    """Serve until the input ends."""
    taken, given = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # What a parser prints must not come between the frames.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    while asked := _received(taken):
        _answer(value_of(asked), taken, given)


def _received(taken: BinaryIO) -> bytes:
    head = taken.read(HEADER.size)
    return taken.read(HEADER.unpack(head)[0]) if len(head) == HEADER.size else b""


def _answer(asked: Mapping[str, Any], taken: BinaryIO, given: BinaryIO) -> None:
    data = taken.read(asked["size"])

    def tell(value: Mapping[str, Any]) -> None:
        given.write(frame(value))
        given.flush()

    def pages(done: int, total: int) -> None:
        """Ask for the time that so many pages may take."""
        tell({"pages": [done, total]})

    def recognised(place: str, lines: list[Row]) -> None:
        """Give a page away as soon as it is read."""
        tell({"recognised": place, "lines": lines})

    reading = Reading(
        asked["name"],
        Account(len(data)),
        as_text=asked["as_text"],
        pages=pages,
        recogniser=_recogniser() if asked["recognise"] else None,
        known=asked["known"],
        read=recognised,
    )
    given.writelines(frame(written(found)) for found in reading.run(data))
    tell({"end": True})


@cache
def _recogniser() -> Recogniser:
    from ammon.sources.recognition import Recogniser

    return Recogniser()


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, struct.error):
        sys.exit(1)
