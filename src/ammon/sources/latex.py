r"""LaTeX: verbatim, with ``\section`` and its kin as parts and ``\title``, ``\author``, ``\date`` as metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, one_line
from ammon.sources.sections import Heading, parts_of

_LEVELS: Final = {"part": 1, "chapter": 2, "section": 3, "subsection": 4, "subsubsection": 5, "paragraph": 6}
_INTERESTING: Final = re.compile(
    r"(?<!\\)%[^\r\n]*"
    r"|\\begin\{(?P<verbatim>verbatim|lstlisting|minted|comment)\*?\}"
    r"|\\(?P<command>part|chapter|section|subsection|subsubsection|paragraph|title|author|date)\*?"
    r"(?:\[[^\]]*\])?\s*\{"
)
_COMMAND: Final = re.compile(r"\\(?:[a-zA-Z]+\*?|.)\s*|[{}~$]")
_LONGEST: Final = 2_000


def load(text: str, _kind: Kind) -> Loaded:
    """Return the text as it is, cut at its sections."""
    metadata: dict[str, str] = {}
    found: list[Heading] = []
    for start, command, argument in _commands(text):
        if command in _LEVELS:
            found.append(Heading(start, _LEVELS[command], argument))
        elif argument:
            metadata.setdefault(command, argument)
    title = metadata.pop("title", "") or (found[0].title if found else "")
    return Loaded(text, title=title, metadata=metadata, parts=parts_of(text, found, "prose"))


def _commands(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (start, command, plain argument) of sections and of what names the document."""
    position = 0
    while found := _INTERESTING.search(text, position):
        position = found.end()
        if found["verbatim"]:
            end = text.find(f"\\end{{{found['verbatim']}", position)
            position = end if end >= 0 else position
        elif found["command"]:
            yield found.start(), found["command"], _plain(_argument(text, position))


def _argument(text: str, start: int) -> str:
    """What stands between the brace before ``start`` and the one that closes it."""
    depth = 1
    for position in range(start, min(start + _LONGEST, len(text))):
        if text[position - 1] != "\\" or text[position - 2 : position] == "\\\\":
            depth += (text[position] == "{") - (text[position] == "}")
        if depth == 0:
            return text[start:position]
    return ""


def _plain(argument: str) -> str:
    return one_line(_COMMAND.sub(lambda found: "" if found[0] in "{}$" else " ", argument))
