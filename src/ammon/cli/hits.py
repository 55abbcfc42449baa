"""Hits as people read them: rank, score, citation, heading, and the part of the passage that answers, highlighted."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from textwrap import dedent
from typing import TYPE_CHECKING

from ammon.cli.output import console, near, plain, visible

if TYPE_CHECKING:
    from rich.text import Text

    from ammon.types import Hit

SNIPPET_LINES = 4
INDENT = 6
"""Cells that a snippet stands in from the left."""

_WORD = re.compile(r"\w+(?:['’.]\w+)*[+#]*")


def show_hits(hits: Iterable[Hit], *, explain: bool = False) -> None:
    """Write the hits to stdout, coloured where it is a terminal."""
    screen = console()
    for rank, hit in enumerate(hits, 1):
        if rank > 1:
            screen.print()
        for line in hit_lines(rank, hit, screen.width, explain=explain):
            # The lines are cut to the width already; a long citation is to stay whole, so that it can be copied.
            screen.print(line, soft_wrap=True)


def hit_lines(rank: int, hit: Hit, width: int, *, explain: bool = False) -> Iterator[Text]:
    """A hit as lines of at most ``width`` cells, except that a citation is never cut."""
    from rich.text import Text

    yield _headline(rank, hit)
    below = list(snippet(hit.text, hit.why.matched, width - INDENT).split("\n"))
    if (hit.heading or hit.title) and not _begins_with_its_heading(hit, below[0].plain):
        below.insert(0, _context(hit, width - INDENT))
    if explain:
        below += _reasons(hit, width - INDENT)
    for line in below:
        yield Text(" " * INDENT) + line


def hit_json(hit: Hit, rank: int) -> dict[str, object]:
    """A hit as JSON holds it: its fields, its rank and its citation."""
    return {"rank": rank, "citation": hit.citation, **plain(hit)}


def _headline(rank: int, hit: Hit) -> Text:
    from rich.text import Text

    line = Text(f"{rank:>3}  ", style="dim")
    line.append(f"{hit.score:.2f}  ", style="cyan")
    line.append(near(hit.citation), style="bold green")
    if hit.freshness in ("changed", "missing"):
        line.append(f"  ({hit.freshness} since it was indexed)", style="yellow")
    return line


def _begins_with_its_heading(hit: Hit, first_line: str) -> bool:
    """Whether the text itself says what would stand over it, and nothing more is to be said."""
    said = hit.heading or (hit.title,)
    return len(said) == 1 and first_line.strip(" #=*") == said[0].strip()


def _context(hit: Hit, width: int) -> Text:
    from rich.text import Text

    path = Text(visible(" › ".join(hit.heading) or hit.title, one_line=True), style="italic")
    path.truncate(width, overflow="ellipsis")
    return path


def _reasons(hit: Hit, width: int) -> list[Text]:
    from ammon.search.explain import explain

    return _wrapped(visible(explain(hit), one_line=True), width, "dim")


def _wrapped(text: str, width: int, style: str = "") -> list[Text]:
    from rich.console import Console
    from rich.text import Text

    lines = Text(text, style=style).wrap(Console(width=width), width)
    for line in lines:
        line.rstrip()
    return list(lines)


def snippet(text: str, matched: Collection[str], width: int) -> Text:
    """The lines of a passage that hold most of the matched terms, at most `SNIPPET_LINES` of them, highlighted.

    ``matched`` are terms as the keyword index holds them; ``width`` is in cells.
    """
    from rich.text import Text

    kept_lines = [line.rstrip() for line in visible(text).expandtabs(4).splitlines() if line.strip()]
    # Two cells are left for the dots that say that there is more.
    lines = _wrapped(dedent("\n".join(kept_lines)), max(width - 2, 10))
    for line in lines:
        for start, end in matches(line.plain, matched):
            line.stylize("bold yellow", start, end)
    best = _densest(lines)
    shown = Text("\n").join(lines[best : best + SNIPPET_LINES])
    if best:
        shown = Text("… ") + shown
    if best + SNIPPET_LINES < len(lines):
        shown = shown + Text(" …")
    return shown


def _densest(lines: list[Text]) -> int:
    """The line to start at so that most highlights are seen; the earliest of equal ones."""
    marks = [len(line.spans) for line in lines]
    starts = range(max(len(lines) - SNIPPET_LINES, 0) + 1)
    return max(starts, key=lambda start: (sum(marks[start : start + SNIPPET_LINES]), -start))


def matches(text: str, matched: Collection[str]) -> Iterator[tuple[int, int]]:
    """Where ``text`` holds the matched terms, as ``[start, end)``.

    A word is marked whole when any of its terms matched. In scripts without spaces the pairs are marked; single
    characters only when no pair matched, or every 的 would be.
    """
    from ammon.store.local.derived.terms import terms

    wanted = frozenset(matched)
    pairs = {term for term in wanted if len(term) > 1 and not term.isascii()}
    for found in _WORD.finditer(text):
        word = found.group()
        if _spaceless(word):
            yield from _marked(word, pairs or wanted, found.start())
        elif wanted.intersection(terms(word)):
            yield found.span()


def _spaceless(word: str) -> bool:
    """Whether the word is a run of a script that has no spaces, Thai and later: read as pairs by the keyword index."""
    return any(
        "\u0e00" <= letter <= "\u0eff" or "\u1000" <= letter <= "\u11ff" or letter >= "\u2e80" for letter in word
    )


def _marked(run: str, wanted: Collection[str], offset: int) -> Iterator[tuple[int, int]]:
    start = None
    for at in range(len(run) + 1):
        here = any(run.startswith(term, at) for term in wanted)
        before = at > 0 and any(run.startswith(term, at - 1) and len(term) > 1 for term in wanted)
        inside = at < len(run) and (here or before)
        if inside and start is None:
            start = at
        elif not inside and start is not None:
            yield offset + start, offset + at
            start = None
