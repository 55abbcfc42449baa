"""What crosses from the sandbox to its keeper comes out as it went in, or is an error of that one file."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ammon.errors import SourceError
from ammon.sources.reading import Found
from ammon.sources.sandbox import frames
from ammon.types import Box, Document, Part, Source

HERE = Source(Path("heron.csv"), "heron.csv", 0, 0)
ROWS = 100_000
LARGE = Document(
    "member.csv",
    "A heron, 鹭. \n" * ROWS,
    "text/csv",
    parts=[Part(at * 13, at * 13 + 11, "row", page=1, lines=(at + 1, at + 1)) for at in range(ROWS)],
    boxes=(Box(0, 5, 1, 10.0, 20.0, 30.0, 40.0, 0.5),),
)


def told(whole: bytes) -> tuple[dict[str, Any], memoryview]:
    """The value of a frame, and the bytes behind it."""
    length, behind = frames.HEADER.unpack_from(whole)
    middle = frames.HEADER.size + length
    assert len(whole) == middle + behind
    return json.loads(whole[frames.HEADER.size : middle]), memoryview(whole)[middle:]


@pytest.mark.parametrize("document", [LARGE, Document("member.csv", "A heron.")], ids=["large", "small"])
def test_a_document_comes_out_as_it_went_in(document: Document) -> None:
    found = frames.read(*told(frames.written(Found("member.csv", document))))
    assert found.of(HERE) == Document(**{**_fields(document), "uri": "heron.csv!/member.csv"})


def _fields(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in document.__slots__}


def test_a_large_document_waits_in_little_room() -> None:
    value, behind = told(frames.written(Found("", LARGE)))
    waiting = bytes(behind)
    tracemalloc.start()
    found = frames.read(value, memoryview(waiting))
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held + len(waiting) < len(LARGE.text) / 2
    assert len(found.of(HERE).text) == len(LARGE.text)


LIES: Mapping[str, Mapping[str, object]] = {
    "another length": {"packed": 2_000_000},
    "more than is taken": {"packed": frames.LONGEST[1] + 1},
    "no length": {"packed": "much"},
    "less than none": {"packed": -1},
    "more text than there is": {"text": 10**9},
    "a box outside": {"boxes": [[0, 10**9, 1, 0, 0, 1, 1, 1]]},
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_large_document_that_is_none_is_an_error_of_its_file(lie: Mapping[str, object]) -> None:
    value, behind = told(frames.written(Found("", LARGE)))
    value["document"] |= lie
    with pytest.raises(SourceError) as caught:
        frames.read(value, behind).of(HERE)
    assert caught.value.code == "parser-failed"


def test_bytes_that_were_never_packed_are_an_error_of_their_file() -> None:
    value, behind = told(frames.written(Found("", LARGE)))
    with pytest.raises(SourceError) as caught:
        frames.read(value, memoryview(bytes(len(behind)))).of(HERE)
    assert caught.value.code == "parser-failed"
