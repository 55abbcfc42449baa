"""What a library is put through while it is broken: every kind of write there is, each promised in a journal.

The journal has one JSON line for each step begun and one for each step done, with the documents (uri → text) that the
library holds after it. It lies outside the library and survives whatever happens to it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from ammon import AmmonError, Document, Library, Report
from ammon.sources import uri_of
from ammon.store.local.spaces import active_space
from bilingual import texts
from toy_embedder import TrigramEmbedder

SENTENCES = texts()
BROKEN = "disk"
"""The folder in which calls are broken: what is the library's own, and nothing else."""

LIBRARY, EXPORT, SNAPSHOT = f"{BROKEN}/library", f"{BROKEN}/export", f"{BROKEN}/snapshot"
NOTES, JOURNAL = "notes", "journal.jsonl"


class SecondEmbedder(TrigramEmbedder):
    """The model that the library is given in its course."""

    name = fingerprint = "second"
    dim = 48


def mark(name: str, version: int) -> str:
    """A word that stands in one version of one document only."""
    return "w" + hashlib.blake2b(f"{name} {version}".encode(), digest_size=6).hexdigest()


def written(name: str, version: int, paragraphs: int = 3) -> str:
    """The text of a document, in English and Chinese, with its own word in each paragraph."""
    first = int(mark(name, version)[1:5], 16)
    lines = [SENTENCES[(first + 13 * number) % len(SENTENCES)] for number in range(paragraphs)]
    return f"# {name}\n\n" + "\n\n".join(f"{line} {mark(name, version)}" for line in lines) + "\n"


class World:
    """A folder of notes, the library that mirrors it, and what has been promised so far."""

    def __init__(self, place: Path, library: Library) -> None:
        self.place = place
        self.notes = place / NOTES
        self.library = library
        self.promised: dict[str, str] = {}
        self._journal = place / JOURNAL

    def write(self, name: str, version: int, paragraphs: int = 3) -> None:
        """Write a note, and expect it."""
        self.notes.mkdir(exist_ok=True)
        text = written(name, version, paragraphs)
        (self.notes / name).write_text(text, "utf-8")
        self.promised[uri_of(self.notes / name)] = text

    def delete(self, name: str) -> None:
        """Delete a note."""
        (self.notes / name).unlink()
        del self.promised[uri_of(self.notes / name)]

    def rename(self, old: str, new: str) -> None:
        """Give a note another name; what had that name is gone."""
        (self.notes / old).rename(self.notes / new)
        self.promised[uri_of(self.notes / new)] = self.promised.pop(uri_of(self.notes / old))

    def say(self, word: str, step: str) -> None:
        """Write to the journal that a step was begun, or is done."""
        with self._journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"word": word, "step": step, "documents": self.promised}) + "\n")

    def mirror(self) -> None:
        """Index the notes."""
        _complete(self.library.index(self.notes))

    def export(self) -> None:
        """Write the library into one file."""
        self.library.upkeep.export(self.place / EXPORT)

    def take_in(self) -> None:
        """Bring back what the file holds."""
        self.library.upkeep.import_file(self.place / EXPORT)

    def reembed(self) -> None:
        """Give the library another model."""
        self.library.upkeep.reembed(SecondEmbedder())

    def compact(self) -> None:
        """Make the library small."""
        self.library.upkeep.compact()

    def snapshot(self) -> None:
        """Copy the library."""
        self.library.upkeep.snapshot(self.place / SNAPSHOT)


def _complete(report: Report) -> None:
    if report.failed or report.pending:
        raise AssertionError(f"not all was indexed: {report}")


Step = tuple[Callable[[World], None], Callable[[World], None]]
"""What is changed, as far as it can be said beforehand, and the calls that bring it into the library."""


def _first_notes(world: World) -> None:
    for number in range(8):
        world.write(f"note{number}.md", 1)


def _edits(world: World) -> None:
    world.write("note0.md", 2)
    world.write("note1.md", 2, paragraphs=1)
    world.delete("note2.md")
    world.rename("note3.md", "moved.md")
    world.rename("note4.md", "between.md")
    world.rename("note5.md", "note4.md")
    world.rename("between.md", "note5.md")
    world.write("新的.txt", 1)


def _made(world: World) -> None:
    for number in range(3):
        world.promised[f"made:{number}"] = written(f"made:{number}", 1)


def _add(world: World) -> None:
    made = {uri: text for uri, text in world.promised.items() if uri.startswith("made:")}
    _complete(world.library.add([Document(uri, text, "text/markdown") for uri, text in made.items()]))


def _unmade(world: World) -> None:
    del world.promised["made:1"]


def _remove(world: World) -> None:
    world.library.remove("made:1")


def _made_again(world: World) -> None:
    world.promised["made:1"] = written("made:1", 1)


def _nothing(world: World) -> None:
    """What comes leaves every document as it is."""


def _seen(world: World) -> None:
    world.write("note6.md", 2)


def _watch(world: World) -> None:
    for report in world.library.watch(world.notes):
        _complete(report)
        return


def _long(world: World) -> None:
    world.write("long.md", 1, paragraphs=60)


def _shrunk(world: World) -> None:
    world.write("long.md", 2, paragraphs=2)
    world.delete("note7.md")


STEPS: dict[str, Step] = {
    "index": (_first_notes, World.mirror),
    "edit": (_edits, World.mirror),
    "add": (_made, _add),
    "export": (_nothing, World.export),
    "remove": (_unmade, _remove),
    "import": (_made_again, World.take_in),
    "reembed": (_nothing, World.reembed),
    "grow": (_long, World.mirror),
    "shrink": (_shrunk, World.mirror),
    "compact": (_nothing, World.compact),
    "snapshot": (_nothing, World.snapshot),
    "watch": (_seen, _watch),  # last, because it waits most
}


def open_library(place: Path) -> Library:
    """The library of a place, with the model of its vectors, which needs no start."""
    library = Library(place / LIBRARY, embedder=TrigramEmbedder())
    space = active_space(library.store.catalog)
    if space is not None and space.fingerprint == SecondEmbedder.fingerprint:
        library.encoder.adopt(SecondEmbedder())
    return library


def run(place: Path, said: Callable[[], object] = lambda: False) -> list[str]:
    """Take every step on a new library in ``place``, an empty folder. A call that fails is tried once more.

    ``said`` is called after each line of the journal, and ends the run when it returns true after a step. Returns the
    errors there were; after an error at the second try it stops.
    """
    errors: list[str] = []
    try:
        with open_library(place) as library:
            world = World(place, library)
            for name, (change, call) in STEPS.items():
                change(world)
                world.say("begun", name)
                said()
                _insisted(call, world, errors)
                world.say("done", name)
                if said():
                    break
    except AmmonError as error:
        errors.append(told(error))
    return errors


def _insisted(call: Callable[[World], None], world: World, errors: list[str]) -> None:
    try:
        call(world)
    except AmmonError as error:
        errors.append(told(error))
        call(world)


def told(error: AmmonError) -> str:
    """What an error says; it must say something, and what to do."""
    if not str(error) or not error.hint:
        raise AssertionError(f"{error!r} has no message or no hint")
    return f"{type(error).__name__}: {error}"


def clear(place: Path) -> None:
    """Make ``place`` an empty folder."""
    shutil.rmtree(place, ignore_errors=True)
    (place / BROKEN).mkdir(parents=True)
