"""A keyword index that one process commits to without pause, and others reload."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ammon.store.local.derived.lexical import LexicalIndex, find_index
from processes.apart import has_ended

NAME, COMMITTED = "index", "committed"


def committed(place: Path) -> NDArray[np.int64]:
    """The number of the last commit, shape ``(1,)``, shared by all processes."""
    path = place / COMMITTED
    return np.memmap(path, np.int64, "r+" if path.exists() else "w+", shape=(1,))


def commit(place: Path, seconds: float) -> Counter[str]:
    """Add a text and remove another, again and again. Returns how often."""
    last, until = committed(place), time.monotonic() + seconds
    index = LexicalIndex.open(place / NAME, library="one")
    while time.monotonic() < until:
        step = index.sequence + 1
        index.apply([(step, f"word{step}")], [step - 20], step)
        last[0] = step
    return Counter(commits=index.sequence)


def reload(place: Path) -> Counter[str]:
    """Reload until the other has ended. Returns how often, and how often what was committed before was not there."""
    last, counts = committed(place), Counter[str]()
    index = None
    while not has_ended(place):
        step = int(last[0])
        index = index or find_index(place / NAME, library="one")
        if index is not None and step:
            index.reload()
            counts["reloads"] += 1
            counts["behind"] += index.sequence < step
            # Opened anew now and then, too: a process has to begin with something.
            index = index if counts["reloads"] % 5 else None
    return +counts
