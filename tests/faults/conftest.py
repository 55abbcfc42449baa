"""How libraries are broken: sampled in every run, at every point with ``AMMON_FAULTS=full``."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from faults.points import Bench, Call, Tally, served
from faults.workload import clear

FULL = os.environ.get("AMMON_FAULTS") == "full"
BENCHES = 2
SHIM = Path(__file__).with_name("shim.c")
REPORTS = Path(__file__).parents[2] / "build" / "faults"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Campaigns take as long as they take."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(4 * 3600 if FULL else 600))


@pytest.fixture(scope="session")
def full() -> bool:
    """Whether every point is to be tried, rather than some."""
    return FULL


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled shim."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip("calls are trapped by seccomp, with code for Linux on x86-64")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler (cc) to make the shim with")
    made = tmp_path_factory.mktemp("shim") / "shim.so"
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", made, SHIM], check=True)
    return made


@pytest.fixture(scope="session")
def benches(shim: Path) -> Iterator[list[Bench]]:
    """Servers with their places, in memory where the system has such a folder: what is synced is not the point."""
    memory = Path("/dev/shm")
    with ExitStack() as stack:
        made = []
        for _ in range(BENCHES):
            folder = stack.enter_context(tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None))
            made.append(Bench(stack.enter_context(served(shim)), Path(folder) / "place"))
        yield made


@pytest.fixture(scope="session")
def calls(benches: list[Bench]) -> list[Call]:
    """The calls of a whole run that nothing breaks."""
    bench = benches[0]
    clear(bench.place)
    assert bench.ask("run", how="c") == {"status": 0, "result": []}
    calls = bench.logged()
    assert bench.ask("check") == {"status": 0, "result": []}
    return calls


@pytest.fixture
def report(figures: Callable[[str], None]) -> Callable[[str, Tally], None]:
    """Says what came of a campaign, and fails where something went wrong; a full one is written down."""

    started = time.monotonic()

    def say(name: str, tally: Tally) -> None:
        counts = tally.counts() | {"seconds": round(time.monotonic() - started)}
        line = f"{name}: {counts}"
        figures(line)
        if FULL:
            REPORTS.mkdir(parents=True, exist_ok=True)
            (REPORTS / f"{name.replace(' ', '-')}.json").write_text(json.dumps(counts, indent=1) + "\n", "utf-8")
        assert tally.wrong == [], "\n".join([line, *tally.wrong[:10]])

    return say
