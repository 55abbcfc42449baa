"""A library works with few open files, and leaves none open."""

from __future__ import annotations

from pathlib import Path

import pytest

from processes.apart import alone, quick_place
from processes.descriptors import OPEN, counted_over_cycles, work_with_few

if not OPEN.is_dir():
    pytest.skip("this system does not tell which descriptors are open (/proc/self/fd)", allow_module_level=True)


def test_everything_works_with_64_descriptors(tmp_path: Path) -> None:
    found = alone(work_with_few, tmp_path)
    assert found.pop("changes") > 0
    assert found == {
        "added": 120,
        "searches": 20,
        "in threads": 46,
        "watched": 1,
        "snapshot": 121,
        "exported": 121,
        "problems": 0,
    }


def test_no_descriptor_is_left_open() -> None:
    with quick_place() as place:
        assert alone(counted_over_cycles, place) == {"opened": 0, "indexed": 0}
