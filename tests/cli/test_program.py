"""The program as a whole: how it starts, helps, fails, and what it writes where."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from ammon._version import __version__
from ammon.cli import reference
from ammon.cli.outcome import MEANING, Exit
from ammon.settings import explain

Run = Callable[..., Result]
Program = Callable[..., "subprocess.CompletedProcess[str]"]
VERBS = ["index", "remove", "search", "ask", "similar", "show", "status", "doctor", "models", "eval"]
AMMON = Path(sys.executable).with_name("ammon")
PAGES = Path(__file__).parents[2] / "docs" / "reference"


def test_alone_it_shows_what_to_do_first(run: Run) -> None:
    shown = run().stdout
    assert len(re.findall(r"^  ammon ", shown, re.MULTILINE)) == 4
    assert len(shown.splitlines()) < 12


def test_the_version_names_the_parts_that_decide_what_is_found(run: Run) -> None:
    shown = run("--version").stdout
    assert shown.startswith(f"ammon {__version__} (")
    assert re.search(r"SQLite \d.*OpenVINO \d.*turbovec \d.*tantivy \d", shown)


def test_help_lists_every_verb(run: Run) -> None:
    shown = run("--help").stdout
    assert all(re.search(rf"^  {verb}\b", shown, re.MULTILINE) for verb in VERBS)
    assert "--install-completion" in shown


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_json_and_a_library_to_name(run: Run, verb: str) -> None:
    shown = run(verb, "--help").stdout
    assert "--json" in shown
    assert "--library" in shown


@pytest.mark.parametrize(("typed", "meant"), [("serch", "search"), ("idnex", "index"), ("statsu", "status")])
def test_a_mistyped_verb_is_answered_with_the_one_that_was_meant(run: Run, typed: str, meant: str) -> None:
    result = run(typed)
    assert result.exit_code == Exit.USAGE
    assert f"'{meant}'" in result.stderr


@pytest.mark.parametrize("verb", ["search x", "similar x", "status", "doctor", "show", "remove x", "index"])
def test_without_a_library_every_verb_says_how_to_make_one(run: Run, tmp_path: Path, verb: str) -> None:
    result = run(*verb.split(), "--library", str(tmp_path / "none"))
    assert result.exit_code == Exit.LIBRARY
    assert "ammon index PATH" in result.stderr
    assert not (tmp_path / "none").exists()


def test_a_bad_setting_is_told_with_its_place(program: Program) -> None:
    done = program("models", AMMON_THREADS="many")
    assert done.returncode == Exit.USAGE
    assert "AMMON_THREADS" in done.stderr


def test_starting_is_quick(program: Program) -> None:
    """Measured in processor time, as the least of several: the machine may be busy, the program is not."""

    def helped() -> None:
        assert program("--help").returncode == 0

    def bare() -> None:
        subprocess.run([sys.executable, "-c", "import typer"], check=True)

    least = min(_processor_seconds(bare) for _ in range(3))  # a machine that is slow at this is slow at all
    assert min(_processor_seconds(helped) for _ in range(5)) <= max(0.3, 2.5 * least)


def _processor_seconds(run: Callable[[], None]) -> float:
    """What the programs that are run take of the processor."""
    before = os.times()
    run()
    after = os.times()
    return after.children_user - before.children_user + after.children_system - before.children_system


def test_a_mistake_in_ammon_itself_is_told_without_a_traceback(tmp_path: Path) -> None:
    broken = "import sys, ammon.cli.app as a\na.versions = lambda: 1 / 0\nfrom ammon.cli import main\nmain()"
    environ = {key: value for key, value in os.environ.items() if key != "AMMON_DEBUG"}
    command = [sys.executable, "-c", broken, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=tmp_path, check=False)
    assert done.returncode == Exit.MISTAKE
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    asked = subprocess.run(
        command, capture_output=True, text=True, env={**environ, "AMMON_DEBUG": "1"}, cwd=tmp_path, check=False
    )
    assert asked.returncode == Exit.MISTAKE
    assert "Traceback" in asked.stderr


def test_an_error_shows_its_traceback_when_asked(program: Program, tmp_path: Path) -> None:
    done = program("status", "-L", str(tmp_path / "none"), AMMON_DEBUG="1")
    assert "Traceback" in done.stderr
    assert "LibraryNotFound" in done.stderr


def test_a_reader_that_goes_away_is_no_error(indexed: tuple[Path, Path]) -> None:
    command = f"{AMMON} show --json -L {indexed[1]} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_models_lists_what_is_there(run: Run) -> None:
    listed = json.loads(run("models", "--json").stdout)
    assert listed[0]["name"] == "multilingual-e5-small"
    assert listed[0]["dim"] == 384
    assert all(model["licence"] for model in listed if model["state"] == "installed")
    assert "multilingual-e5-small" in run("models").stdout


def test_every_exit_code_is_explained() -> None:
    assert set(MEANING) == set(Exit)


@pytest.mark.parametrize("name", sorted(reference.pages()))
def test_the_reference_is_what_the_code_says(name: str) -> None:
    assert (PAGES / name).read_text("utf-8") == reference.pages()[name], "Run: make docs"


def test_the_reference_knows_every_setting_and_verb() -> None:
    pages = reference.pages()
    assert all(f"`{setting.variable}`" in pages["settings.md"] for setting in explain())
    assert all(f"## ammon {verb}\n" in pages["cli.md"] for verb in VERBS)


def test_colour_is_for_terminals_and_can_be_refused(indexed: tuple[Path, Path]) -> None:
    words = ["search", "colza oil", "-k", "1", "-L", str(indexed[1])]
    coloured, refused = _on_a_terminal(words, {}), _on_a_terminal(words, {"NO_COLOR": "1"})
    assert "\x1b[" in coloured
    assert "colza" in refused
    assert not re.search(r"\x1b\[[0-9;]*3\dm", refused)


def _on_a_terminal(words: list[str], variables: dict[str, str]) -> str:
    """What the program writes to a terminal."""
    import pty

    ours, theirs = pty.openpty()
    plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    environ = {**plain, "TERM": "xterm-256color", "COLUMNS": "80", **variables}
    command = [str(AMMON), *words]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environ) as running:
        os.close(theirs)
        pieces = []
        try:
            while piece := os.read(ours, 65536):
                pieces.append(piece)
        except OSError:  # Linux says so when the other side is gone
            pass
        assert running.wait(60) == 0
    os.close(ours)
    return b"".join(pieces).decode()
