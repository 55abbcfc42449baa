"""A process that may hold few files open at once: what it can do, and whether it gives all of them back."""

from __future__ import annotations

import gc
import os
import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from ammon import Library
from reembedding import notes
from toy_embedder import TrigramEmbedder

FEW = 64
CYCLES = 200 if os.environ.get("AMMON_FAULTS") == "full" else 40
OPEN = Path("/proc/self/fd")


def held() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir(OPEN))


@contextmanager
def few_descriptors() -> Iterator[None]:
    """Let this process have no more than a few open at once."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def work_with_few(place: Path) -> dict[str, int]:
    """Everything a library is used for, with few descriptors. Returns what came of it, in counts."""
    folder = place / "folder"
    folder.mkdir()
    for document in notes(120):
        (folder / f"{document.uri[5:]}.md").write_text(document.text, "utf-8")
    with few_descriptors(), Library(place / "library", embedder=TrigramEmbedder()) as library:
        found = {"added": library.index(folder).added}
        found["searches"] = sum(len(library.search("two kinds of memory", k=1)) for _ in range(20))
        found["in threads"] = _searched_in_threads(library)
        found["watched"] = _watched(library, folder)
        found["changes"] = library.upkeep.compact().changes
        found["snapshot"] = library.upkeep.snapshot(place / "snapshot").documents
        found["exported"] = library.upkeep.export(place / "export").documents
        found["problems"] = len(library.doctor())
    return found


def _searched_in_threads(library: Library) -> int:
    """Search in many threads, one after the other, and in some at once. Returns how many found something."""
    found: list[int] = []
    for at_once in (1,) * 40 + (6,):
        threads = [Thread(target=lambda: found.append(len(library.search("memory", k=1)))) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sum(found)


def _watched(library: Library, folder: Path) -> int:
    """How many new files are seen by a watch."""
    stop, added = Event(), 0
    for number, report in enumerate(library.watch(folder, stop=stop)):
        added += report.added
        if number:
            stop.set()
        else:
            (folder / "new.md").write_text("A file that came while others watched.", "utf-8")
    return added


def counted_over_cycles(place: Path) -> Counter[str]:
    """How many descriptors more there are after many cycles than after a few, of each kind."""
    more: Counter[str] = Counter()
    folder = place / "folder"
    folder.mkdir()
    with Library(place / "library", embedder=TrigramEmbedder()) as library:
        library.add(notes(20))
    for name, cycle in {"opened": _open, "indexed": _index}.items():
        for number in range(CYCLES):
            if number == CYCLES // 10:
                gc.collect()
                more[name] = -held()
            cycle(place, number)
        gc.collect()
        more[name] += held()
    return more


def _open(place: Path, number: int) -> None:
    with Library(place / "library", embedder=TrigramEmbedder()) as library:
        library.search(f"memory {number}", k=3)


def _index(place: Path, number: int) -> None:
    (place / "folder" / f"{number % 7}.md").write_text(f"Version {number} of a note.", "utf-8")
    with Library(place / "library", embedder=TrigramEmbedder()) as library:
        library.index(place / "folder")
