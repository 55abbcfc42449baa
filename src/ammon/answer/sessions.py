"""Conversations by name, each a file of JSON lines in the library's folder; durable turn by turn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ammon.answer.history import Turn
from ammon.errors import InputError
from ammon.store.local.files.disk import sync_folder, written
from ammon.store.local.files.lines import append_line, read_lines

FOLDER_NAME: Final = "sessions"
"""The folder of conversations, within the library's."""

_NAME: Final = re.compile(r"\w(?:[\w .-]{0,46}\w)?")
_SUFFIX: Final = ".jsonl"


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation: its name, its turns in order, and what of its file could not be read, for people."""

    name: str
    turns: tuple[Turn, ...] = ()
    remarks: tuple[str, ...] = ()


class Sessions:
    """The conversations of a library. Programs may use one at a time; each turn is added as a whole."""

    def __init__(self, library: Path) -> None:
        """``library`` is the library's folder. Nothing is made there until something is said."""
        self._folder = library / FOLDER_NAME

    def names(self) -> list[str]:
        """Those there are, in alphabetical order."""
        return sorted(each.stem for each in self._folder.glob(f"*{_SUFFIX}") if _NAME.fullmatch(each.stem))

    def read(self, name: str) -> Session:
        """The conversation of this name; one without turns where there is none. Raises: InputError, LibraryError."""
        lines = read_lines(self._path(name))
        turns, remarks = list[Turn](), [f"Line {number} could not be read." for number in lines.unreadable]
        for value in lines.values:
            turn = _turn(value)
            if turn is None:
                remarks.append("A line is no turn.")
            else:
                turns.append(turn)
        return Session(name, tuple(turns), tuple(remarks))

    def find(self, name: str) -> Session:
        """As `read`. Raises: InputError when there is none of this name; LibraryError."""
        self._require(name)
        return self.read(name)

    def all(self) -> Iterator[Session]:
        """Every conversation, by name."""
        return (self.read(name) for name in self.names())

    def append(self, name: str, turn: Turn) -> None:
        """Add a turn; it is on disk when this returns. Raises: InputError, LibraryError."""
        append_line(self._path(name), asdict(turn))

    def remove(self, name: str) -> None:
        """Forget a conversation, for good. Raises: InputError when there is none; LibraryError."""
        path = self._require(name)
        with written(path):
            path.unlink()
            sync_folder(self._folder)

    def _require(self, name: str) -> Path:
        path = self._path(name)
        if not path.exists():
            raise InputError(f"There is no session '{name}'.", hint="`ammon sessions` lists those there are.")
        return path

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{name!r} cannot name a session.",
                hint="Use letters, digits, and between them spaces, dots or hyphens; at most 48 characters.",
            )
        return self._folder / f"{name}{_SUFFIX}"


def _turn(value: Any) -> Turn | None:
    """The turn that a line holds, if it does."""
    try:
        places = tuple(str(place) for place in value.get("places", ()))
        return Turn(str(value["question"]), str(value["answer"]), places, str(value.get("time", "")))
    except (AttributeError, KeyError, TypeError):
        return None
