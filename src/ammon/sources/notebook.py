"""Jupyter notebooks: cells in order. Markdown cells with their headings, code in the kernel's language, outputs' text.

Lines are those of the text shown here, since nobody reads a notebook by the lines of its JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, Final

from ammon.errors import SourceError
from ammon.sources.kinds import Kind
from ammon.sources.loaded import Loaded, storable
from ammon.sources.markdown import headings
from ammon.sources.sections import Heading, parts_of
from ammon.types import Part, PartKind

_LONGEST_OUTPUT: Final = 10_000
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_GRAMMARS: Final = {"python": "python", "javascript": "javascript", "typescript": "typescript", "java": "java",
                    "c++": "cpp", "c#": "c_sharp", "bash": "bash", "go": "go", "rust": "rust", "scala": "scala",
                    "kotlin": "kotlin", "ruby": "ruby", "sql": "sql", "php": "php", "haskell": "haskell"}  # fmt: skip
_KINDS: Final[dict[str, PartKind]] = {"markdown": "markdown", "code": "code"}


def load(text: str, _kind: Kind) -> Loaded:
    """Return the cells' text.

    Raises: SourceError with the code ``malformed``, if it is no notebook.
    """
    try:
        notebook = json.loads(text)
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise SourceError(f"It is no notebook: {type(error).__name__}: {error}.", code="malformed") from error
    cells = [cell for cell in cells if isinstance(cell, dict)] if isinstance(cells, list) else []
    about = notebook.get("metadata") if isinstance(notebook.get("metadata"), dict) else {}
    language = _language(about)
    pieces: list[str] = []
    parts: list[Part] = []
    found: list[Heading] = []
    length = 0
    for cell in cells:
        for piece, kind in _pieces(cell):
            if kind == "markdown":
                found.extend(replace(heading, start=heading.start + length) for heading in headings(piece))
            grammar = _GRAMMARS.get(language, "") if kind == "code" else ""
            parts.append(Part(length, length + len(piece), kind, grammar))
            pieces.append(piece)
            length += len(piece) + 2
    whole = "\n\n".join(pieces)
    metadata = {"kernel_language": language} if language else {}
    title = str(about.get("title") or "") or (found[0].title if found else "")
    return Loaded(whole, title=storable(title), metadata=metadata, parts=_under_headings(whole, parts, found))


def _language(about: dict[str, Any]) -> str:
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        value = about.get(key)
        if isinstance(value, dict) and isinstance(value.get(name), str):
            return str(value[name]).lower()
    return ""


def _pieces(cell: dict[str, Any]) -> list[tuple[str, PartKind]]:
    """The cell's own text and that of its outputs, with their kinds; what is blank is left out."""
    kind = _KINDS.get(str(cell.get("cell_type")), "prose")
    pieces: list[tuple[str, PartKind]] = [(_joined(cell.get("source", cell.get("input", ""))), kind)]
    outputs = cell.get("outputs")
    shown = outputs if isinstance(outputs, list) else []
    pieces.extend((_output(output), "prose") for output in shown if isinstance(output, dict))
    return [(piece, kind) for piece, kind in pieces if piece.strip()]


def _output(output: dict[str, Any]) -> str:
    data = output.get("data")
    text = output.get("text") or (data.get("text/plain") if isinstance(data, dict) else None)
    if text is None and output.get("output_type") == "error":
        text = f"{output.get('ename', '')}: {output.get('evalue', '')}"
    return _COLOURS.sub("", _joined(text or ""))[:_LONGEST_OUTPUT]


def _joined(source: Any) -> str:
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    return storable(source) if isinstance(source, str) else ""


def _under_headings(text: str, parts: list[Part], found: list[Heading]) -> tuple[Part, ...]:
    """The parts, cut at the headings in them, each with the path of headings it stands under."""
    sections = parts_of(text, found, "markdown")
    cut: list[Part] = []
    first = 0
    for part in parts:
        while sections[first].end <= part.start:
            first += 1
        for section in sections[first:]:
            if section.start >= part.end:
                break
            start, end = max(section.start, part.start), min(section.end, part.end)
            cut.append(replace(part, start=start, end=end, heading=section.heading))
    return tuple(cut)
