"""Headings found in a text → parts that know their heading path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ammon.types import Part, PartKind


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that begins at ``start`` (0-based character). ``level`` 1 is the highest."""

    start: int
    level: int
    title: str


def parts_of(text: str, headings: Iterable[Heading], kind: PartKind) -> tuple[Part, ...]:
    r"""Return parts that cover the text, one a heading, each with the path of headings that it stands under.

    >>> parts_of("# A\n## B\nx", [Heading(0, 1, "A"), Heading(4, 2, "B")], "markdown")[1].heading
    ('A', 'B')
    """
    starts: list[tuple[int, tuple[str, ...]]] = [(0, ())]
    path: list[tuple[int, str]] = []
    for heading in headings:
        while path and path[-1][0] >= heading.level:
            path.pop()
        path.append((heading.level, heading.title))
        starts.append((heading.start, tuple(title for _, title in path)))
    ends = [start for start, _ in starts[1:]] + [len(text)]
    return tuple(
        Part(start, end, kind, heading=titles) for (start, titles), end in zip(starts, ends, strict=True) if start < end
    )
