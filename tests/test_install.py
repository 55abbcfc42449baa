"""What `pip install ammon` brings: no training framework, not much of a disk, and a quick start."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

INSTALL_BYTES = 450 * 1024 * 1024
IMPORT_SECONDS = 0.05
TRIES = 7
HEAVY = {"torch", "tensorflow", "jax", "transformers", "sentence-transformers", "onnxruntime"}
TRACKERS = {"posthog", "sentry-sdk", "segment-analytics-python", "scarf-sdk"}


@cache
def closure() -> dict[str, Distribution]:
    """Everything that the default install consists of, by canonical name, as installed here."""
    found: dict[str, Distribution] = {}
    todo = [Requirement("ammon")]
    while todo:
        wanted = todo.pop()
        name = canonicalize_name(wanted.name)
        if name in found:
            continue
        found[name] = distribution(name)
        for line in found[name].requires or []:
            needed = Requirement(line)
            extras = wanted.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(needed)
    return found


def size(installed: Distribution) -> int:
    """Bytes of what the package brings. Bytecode is written here, not brought, and only when somebody wants it."""
    paths = {Path(str(installed.locate_file(each))) for each in installed.files or []}
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file())


def test_the_default_install_has_no_training_framework_and_no_tracker() -> None:
    assert sorted(closure().keys() & (HEAVY | TRACKERS)) == []
    assert not [name for name in closure() if name.startswith(("nvidia-", "triton"))]


def test_the_default_install_stays_within_its_budget() -> None:
    sizes = {name: size(installed) for name, installed in closure().items()}
    assert sizes["openvino"] > 10_000_000, "the measure itself is broken"
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    assert sum(sizes.values()) <= INSTALL_BYTES, largest


def test_every_default_dependency_states_a_permissive_licence() -> None:
    strict = ("GPL", "AGPL", "SSPL", "BUSL", "Commons Clause")
    found = {}
    for name, installed in closure().items():
        fields = installed.metadata
        stated = " ".join(each for name in ("License-Expression", "License") for each in fields.get_all(name, []))
        classified = " ".join(each for each in fields.get_all("Classifier", []) if "License" in each)
        text = f"{stated[:80]} {classified}"
        if any(each in text.replace("LGPL", "") for each in strict) or not text.strip():
            found[name] = text.strip()
    assert found == {}


def loaded_by(statement: str) -> tuple[float, set[str]]:
    """Seconds that a statement takes in a fresh Python, at best of several tries, and the modules it loads."""
    program = (
        "import sys, time\nbefore = set(sys.modules)\nstart = time.perf_counter()\n"
        f"{statement}\nprint(time.perf_counter() - start)\nprint(*(set(sys.modules) - before))"
    )
    best, names = float("inf"), set[str]()
    for _ in range(TRIES):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        seconds, modules = done.stdout.splitlines()
        best, names = min(best, float(seconds)), set(modules.split())
    return best, names


def test_importing_ammon_is_quick_and_loads_nothing_heavy() -> None:
    seconds, names = loaded_by("import ammon")
    assert seconds <= IMPORT_SECONDS
    assert {"numpy", "openvino", "tokenizers", "tantivy", "apsw", "rich", "typer"} & names == set()


def test_the_command_line_starts_without_the_engine() -> None:
    seconds, names = loaded_by("import ammon.cli.app")
    assert seconds <= 0.5
    assert {"numpy", "openvino", "tokenizers", "tantivy", "apsw", "turbovec", "lxml"} & names == set()


@pytest.mark.parametrize("name", ["openvino", "tantivy", "turbovec", "apsw"])
def test_what_the_version_names_is_in_the_default_install(name: str) -> None:
    assert name in closure()
