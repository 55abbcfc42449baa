"""What styles and numberings of a Word document mean for its paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ammon.sources.documents.package import Package, attribute, local_name, whole_number

_HEADING: Final = re.compile(r"heading (\d)")
DEEPEST_LIST: Final = 8
"""The level of the deepest lists that Word has, the first being 0."""

_BODY_TEXT: Final = 9
"""The outline level that says that a paragraph is no heading."""


@dataclass(frozen=True, slots=True)
class Style:
    """A paragraph's: its level as a heading (0 for none), and its numbering's id and level where it is in a list."""

    level: int = 0
    numbering: tuple[str, int] | None = None


class Styles:
    """The styles and numberings of one document."""

    def __init__(self, package: Package, related: dict[str, tuple[str, str]]) -> None:
        by_kind = dict(reversed(related.values()))
        self._styles = {attribute(each, "styleId"): each for each in _children(package, by_kind.get("styles"), "style")}
        self._formats = dict(_formats(package, by_kind.get("numbering")))

    def of(self, paragraph: Any) -> Style:
        """What a paragraph is, by itself or by its style."""
        own = next((each for each in paragraph if local_name(each) == "pPr"), None)
        named = _value(own, "pStyle")
        level = _outline(own)
        numbering = _numbering(own)
        for style in self._chain(named):
            said = next((each for each in style if local_name(each) == "pPr"), None)
            name = _value(style, "name").lower()
            found = _HEADING.fullmatch(name)
            if level is None:
                level = int(found[1]) if found else 1 if name == "title" else _outline(said)
            numbering = numbering or _numbering(said)
        return Style(level or 0, None if level else numbering)

    def is_bullet(self, number: str, level: int) -> bool:
        """Whether a list's items have a sign rather than a number."""
        return self._formats.get((number, level), "bullet") in ("bullet", "none")

    def _chain(self, named: str) -> Iterator[Any]:
        """A style and those that it is based on."""
        seen: set[str] = set()
        while named in self._styles and named not in seen:
            seen.add(named)
            yield self._styles[named]
            named = _value(self._styles[named], "basedOn")


def _children(package: Package, name: str | None, wanted: str) -> Iterator[Any]:
    root = package.xml(name) if name else None
    return (each for each in (root if root is not None else ()) if local_name(each) == wanted)


def _value(element: Any, name: str) -> str:
    """The value of a child of this name; empty where there is none."""
    for each in element if element is not None else ():
        if local_name(each) == name:
            return attribute(each, "val")
    return ""


def _outline(properties: Any) -> int | None:
    said = _value(properties, "outlineLvl")
    if not said:
        return None
    return (whole_number(said, _BODY_TEXT, _BODY_TEXT) + 1) % (_BODY_TEXT + 1)


def _numbering(properties: Any) -> tuple[str, int] | None:
    for each in properties if properties is not None else ():
        if local_name(each) == "numPr":
            number, level = _value(each, "numId"), _value(each, "ilvl")
            return (number, whole_number(level, DEEPEST_LIST)) if number not in ("", "0") else None
    return None


def _formats(package: Package, name: str | None) -> Iterator[tuple[tuple[str, int], str]]:
    """The format of each level of each numbering."""
    abstract: dict[str, dict[int, str]] = {}
    for each in _children(package, name, "abstractNum"):
        levels = [level for level in each if local_name(level) == "lvl"]
        abstract[attribute(each, "abstractNumId")] = {
            whole_number(attribute(level, "ilvl"), DEEPEST_LIST): _value(level, "numFmt") for level in levels
        }
    for each in _children(package, name, "num"):
        for level, form in abstract.get(_value(each, "abstractNumId"), {}).items():
            yield (attribute(each, "numId"), level), form
