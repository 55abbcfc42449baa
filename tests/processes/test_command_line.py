"""A process that searches without pause, while the command line changes what there is to find."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest

from ammon import Library
from ammon.sources import uri_of
from ammon.types import Mode
from faults.workload import mark, written
from reembedding import Models, write_models

AMMON = Path(sys.executable).with_name("ammon")
MODES: tuple[Mode, ...] = ("hybrid", "lexical", "dense")
FILES = 12
SOON = 5.0
"""Seconds after `ammon index` has ended within which a long-lived process gives what is new."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_models(tmp_path_factory.mktemp("models"))


@dataclass
class Searching:
    """A thread that searches one library until it is told to stop: how often, and what went wrong."""

    library: Library
    counts: Counter[str] = field(default_factory=Counter)
    _stop: Event = field(default_factory=Event)

    def run(self) -> None:
        while not self._stop.is_set():
            for mode in MODES:
                self._ask(mode)

    def _ask(self, mode: Mode) -> None:
        self.counts["asked"] += 1
        try:
            hits = self.library.search("two kinds of memory", k=5, mode=mode)
        # every error is what this looks for
        except Exception as error:  # noqa: BLE001
            self.counts[f"{mode}: {error!r}"] += 1
            return
        if mode == "dense":
            self.counts["nothing found"] += not hits

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Search in a thread during the block."""
        thread = Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


def put(folder: Path, name: str, version: int) -> None:
    (folder / name).write_text(written(name, version), "utf-8")


def index(folder: Path, library: Path, models: Models) -> None:
    """What ``ammon index`` does, in a process of its own."""
    environ = {**os.environ, "AMMON_CACHE": models.cache, "AMMON_THREADS": "1", "AMMON_MODEL": models.wide}
    command: list[str | Path] = [AMMON, "index", folder, "--library", library]
    ended = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)
    assert ended.returncode == 0, ended.stderr


def holders(library: Library, name: str, version: int) -> list[set[str]]:
    """The documents that hold the word of a version, as each way to search finds them; all there are are asked for."""
    word = mark(name, version)
    found = [library.search(word, k=1_000, mode=mode) for mode in MODES]
    return [{hit.uri for hit in hits if word in hit.text} for hits in found]


def test_a_searching_process_follows_what_the_command_line_does(models: Models, tmp_path: Path) -> None:
    folder, place = tmp_path / "notes", tmp_path / "library"
    folder.mkdir()
    for number in range(FILES):
        put(folder, f"note{number}.md", 1)
    index(folder, place, models)
    with models.open(place) as library:
        searching = Searching(library)
        with searching.going_on():
            for turn in range(2, 4):
                edited, removed, new = f"note{turn}.md", f"note{turn + 6}.md", f"new{turn}.md"
                put(folder, edited, turn)
                put(folder, new, 1)
                (folder / removed).unlink()
                index(folder, place, models)
                ended = time.monotonic()
                assert holders(library, edited, turn) == [{uri_of(folder / edited)}] * 3
                assert holders(library, new, 1) == [{uri_of(folder / new)}] * 3
                assert time.monotonic() - ended < SOON
                assert holders(library, removed, 1) == [set()] * 3
                assert holders(library, edited, 1) == [set()] * 3
        asked = searching.counts.pop("asked")
        assert +searching.counts == {}
        assert asked > 50
        assert library.doctor() == []
