"""The command line, run inside this process and outside it, over a library of the sample folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from typer.testing import CliRunner, Result

from ammon.cli.app import app

SAMPLE = Path(__file__).parents[2] / "examples" / "sample"
AMMON = Path(sys.executable).with_name("ammon")

Run: TypeAlias = Callable[..., Result]
Program: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]


def invoke(*words: str) -> Result:
    """What the words after ``ammon`` give, run in this process. An error that is not Ammon's own is raised."""
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def run() -> Run:
    return invoke


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Runs the real program in a folder of its own."""

    def start(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "COLUMNS": "80", **variables}
        return subprocess.run(
            [AMMON, *words], capture_output=True, text=True, cwd=tmp_path, env=environ, timeout=100, check=False
        )

    return start


@pytest.fixture(scope="session")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A copy of the sample folder and a library that holds it in short passages; to be read only."""
    home = tmp_path_factory.mktemp("indexed")
    folder = Path(shutil.copytree(SAMPLE, home / "sample"))
    (home / "library").mkdir()
    (home / "library" / "ammon.toml").write_text("chunk_tokens = 96\n", "utf-8")
    result = invoke("index", str(folder), "--library", str(home / "library"))
    assert result.exit_code == 0, result.output
    return folder, home / "library"


@pytest.fixture
def folder(indexed: tuple[Path, Path]) -> Path:
    return indexed[0]


@pytest.fixture
def library(indexed: tuple[Path, Path]) -> str:
    return str(indexed[1])
