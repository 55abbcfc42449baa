"""What `pip install ammon` brings: no training framework, not much of a disk, and a quick start."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path

import install_size
import pytest
from packaging.requirements import Requirement

BROUGHT_BYTES = 450 * install_size.MIB
"""Of the files that the wheels bring."""

COMPILED_BYTES = 490 * install_size.MIB
"""With the bytecode that Python has written for them: all of it after `pip install`, less with `--no-compile`."""

IMPORT_SECONDS = 0.05
TRIES = 7
HEAVY = {"torch", "tensorflow", "jax", "transformers", "sentence-transformers", "onnxruntime"}
TRACKERS = {"posthog", "sentry-sdk", "segment-analytics-python", "scarf-sdk"}


@cache
def closure() -> dict[str, Distribution]:
    """Everything that the default install consists of, by canonical name, as installed here."""
    return {name: installed for name, (installed, _) in install_size.closure().items()}


def test_the_default_install_has_no_training_framework_and_no_tracker() -> None:
    assert sorted(closure().keys() & (HEAVY | TRACKERS)) == []
    assert not [name for name in closure() if name.startswith(("nvidia-", "triton"))]


def test_the_default_install_stays_within_its_budget() -> None:
    """Counted: the files of all these packages in blocks of 4 KiB, as `du` does; pip itself is not among them."""
    parts = install_size.parts()
    assert {"openvino", "numpy", "ammon"} <= {each.name for each in parts if each.files > 100_000}, (
        "the measure is broken"
    )
    largest = [(each.name, each.files) for each in parts[:5]]
    assert sum(each.files for each in parts) <= BROUGHT_BYTES, largest
    assert sum(each.files + each.bytecode for each in parts) <= COMPILED_BYTES, largest


def test_the_page_of_dependencies_names_each_that_ammon_asks_for() -> None:
    page = (Path(__file__).parents[1] / "docs" / "dependencies.md").read_text("utf-8")
    asked = {Requirement(line).name for line in distribution("ammon").requires or []}
    assert len(asked) > 30
    assert sorted(name for name in asked if name not in page) == []


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
    """Seconds of processor time that a statement takes in a fresh Python, at best of several tries, and the modules it loads."""
    program = (
        "import sys, time\nbefore = set(sys.modules)\nstart = time.process_time()\n"
        f"{statement}\nprint(time.process_time() - start)\nprint(*(set(sys.modules) - before))"
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
