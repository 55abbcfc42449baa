"""Damage to any file is named, mended or read around; it never comes out as a wrong answer, and never as a signal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from faults.damage import CRASHED, SETTLED, WHOLE_FILE, Trial, campaign, files_of, flips, make_libraries, role

FEW_FLIPS, SOME_FLIPS, MANY_FLIPS = 6, 40, 400
"""Random bits flipped in each file: in a sampled run; in a full one; in a full one, in a catalog and its log."""

LEFT_BY_A_KILL = ("catalog.db", "catalog.db-shm", "catalog.db-wal", "catalog.witness")


@pytest.fixture(scope="module")
def libraries() -> Iterator[Path]:
    """The folder with the three libraries, in memory where the system has such a folder."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as place:
        make_libraries(Path(place))
        yield Path(place)


def trials(place: Path, random: Random, *, full: bool) -> list[Trial]:
    """Every damage to every file of a closed library, and to those that one which was killed leaves; and random flips.

    Not in full: of the many files of the keyword index, one of each kind.
    """
    settled = files_of(place / SETTLED)
    names = settled if full else sorted({role(name): name for name in settled}.values())
    found: list[Trial] = []
    for state, name in [*((SETTLED, name) for name in names), *((CRASHED, name) for name in LEFT_BY_A_KILL)]:
        found += [(state, name, damage) for damage in WHOLE_FILE]
        found += flips_of(place, state, name, random, full=full)
    return found


def flips_of(place: Path, state: str, name: str, random: Random, *, full: bool) -> list[Trial]:
    """Random flips in one file: in a full run as many more in a catalog, where there is most to get wrong."""
    count = FEW_FLIPS if not full else MANY_FLIPS if name.startswith("catalog.db") else SOME_FLIPS
    return [(state, name, damage) for damage in flips(place / state, name, count, random)]


def test_damage_to_any_file_is_named_mended_or_harmless(
    libraries: Path, full: bool, figures: Callable[[str], None]
) -> None:
    outcomes = campaign(libraries, trials(libraries, Random(7), full=full))
    counts = Counter(outcome.split()[0] for _, outcome in outcomes.elements())
    figures(f"damage: {sum(counts.values())} tried, {dict(counts)}")
    assert [outcome for _, outcome in outcomes if outcome.startswith("WRONG")] == []
