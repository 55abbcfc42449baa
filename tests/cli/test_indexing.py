"""`ammon index`, `remove`, `status` and `doctor`: a folder is followed, and every outcome is told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from ammon.cli.outcome import Exit

Run = Callable[..., Result]
AMMON = str(Path(sys.executable).with_name("ammon"))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "bees.txt").write_text("Bees dance to tell where the flowers are.", "utf-8")
    (folder / "tea.txt").write_text("绿茶要用八十度的水来泡。", "utf-8")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> str:
    return str(tmp_path / "library")


def done(run: Run, *words: str) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_a_folder_is_followed_through_every_change(run: Run, notes: Path, own: str) -> None:
    first = done(run, "index", str(notes), "-L", own)
    assert (first["added"], first["pending"]) == (2, 0)
    assert first["library"] == own
    again = done(run, "index", str(notes), "-L", own)
    assert (again["unchanged"], again["embedded"]) == (2, 0)
    (notes / "bees.txt").write_text("Wasps build with paper.", "utf-8")
    (notes / "tea.txt").rename(notes / "green tea.txt")
    (notes / "new.txt").write_text("Something new.", "utf-8")
    changed = done(run, "index", "-L", own)
    assert (changed["updated"], changed["renamed"], changed["added"], changed["removed"]) == (1, 1, 1, 0)
    (notes / "new.txt").unlink()
    assert done(run, "index", "-L", own)["removed"] == 1
    listed = json.loads(run("show", "-L", own, "--json").stdout)
    assert [each["uri"] for each in listed] == [str(notes / "bees.txt"), str(notes / "green tea.txt")]


def test_people_see_what_was_done_and_what_was_left_out(run: Run, notes: Path, own: str) -> None:
    (notes / "film.mkv").write_bytes(b"\x1aE\xdf\xa3" + bytes(100))
    result = run("index", str(notes), "-L", own)
    assert result.exit_code == Exit.OK
    assert "Files: 2 added" in result.stdout
    assert "Skipped: 1 binary" in result.stdout
    shown = run("status", "--failed", "-L", own).stdout
    assert "Documents  2" in shown
    assert "film.mkv: " in shown
    assert f"Follows    {notes}" in shown
    assert "multilingual-e5-small, 384 dimensions" in shown


def test_a_file_that_cannot_be_read_costs_one_file_and_is_told(run: Run, notes: Path, own: str) -> None:
    (notes / "broken\nname.txt").write_bytes(b"\xff\xfe\x00\xd8" * 9 + b"\x81")
    result = run("index", str(notes), "-L", own)
    assert result.exit_code == Exit.FILES
    assert "Files: 2 added" in result.stdout
    assert "Failed: 1 undecodable" in result.stdout
    assert "broken\\nname.txt: " in result.stdout
    as_json = run("index", str(notes), "-L", own, "--json")
    assert as_json.exit_code == Exit.FILES
    assert json.loads(as_json.stdout)["failed"][0]["code"] == "undecodable"


def test_only_what_the_globs_name_is_read(run: Run, notes: Path, own: str) -> None:
    (notes / "odd.neat").write_text("An extension that nobody knows.", "utf-8")
    assert done(run, "index", str(notes), "--glob", "**/*.neat", "-L", own)["added"] == 1
    assert json.loads(run("show", "-L", own, "--json").stdout)[0]["uri"] == str(notes / "odd.neat")


@pytest.mark.parametrize(("path", "told"), [("nowhere", "nowhere"), ("", "")])
def test_a_missing_path_is_told(run: Run, tmp_path: Path, own: str, path: str, told: str) -> None:
    result = run("index", str(tmp_path / path / "x y"), "-L", own)
    assert result.exit_code == Exit.USAGE
    assert told in result.stderr


def test_an_empty_folder_is_no_error_and_a_search_in_it_says_so(run: Run, tmp_path: Path, own: str) -> None:
    (tmp_path / "empty").mkdir()
    result = run("index", str(tmp_path / "empty"), "-L", own)
    assert result.exit_code == Exit.OK
    assert "none found" in result.stdout
    asked = run("search", "anything", "-L", own)
    assert asked.exit_code == Exit.LIBRARY
    assert "ammon index PATH" in asked.stderr


def test_what_is_removed_is_gone_and_an_unknown_name_is_told(run: Run, notes: Path, own: str) -> None:
    done(run, "index", str(notes), "-L", own)
    assert done(run, "remove", str(notes / "tea.txt"), "-L", own) == {"removed": 1}
    result = run("remove", str(notes / "tea.txt"), "-L", own)
    assert result.exit_code == Exit.USAGE
    assert "tea.txt" in result.stderr


def test_another_model_than_the_librarys_is_refused(run: Run, notes: Path, own: str) -> None:
    done(run, "index", str(notes), "-L", own)
    result = run("search", "bees", "--model", "all-MiniLM-L6-v2", "-L", own)
    assert result.exit_code == Exit.MODEL
    assert "multilingual-e5-small" in result.stderr


def test_doctor_finds_damage_and_repairs_what_is_derived(run: Run, notes: Path, own: str) -> None:
    done(run, "index", str(notes), "-L", own)
    assert "is sound" in run("doctor", "-L", own).stdout
    for path in Path(own).glob("vectors*"):
        path.write_bytes(b"nonsense")
    found = run("doctor", "-L", own)
    assert found.exit_code == Exit.CHECK
    assert "ammon doctor --repair" in found.stdout
    repaired = run("doctor", "--repair", "-L", own)
    assert repaired.exit_code == Exit.OK
    assert "; repaired" in repaired.stdout
    assert json.loads(run("doctor", "-L", own, "--json").stdout) == []
    assert json.loads(run("search", "bees", "-k", "1", "-L", own, "--json").stdout)


def test_with_json_stdout_holds_json_and_nothing_else(notes: Path, own: str) -> None:
    command = [AMMON, "index", str(notes), "-L", own, "--json"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout)["added"] == 2
    assert len(shown.stdout.splitlines()) == 1


def test_an_interrupted_run_says_what_is_stored_and_the_next_one_goes_on(run: Run, tmp_path: Path, own: str) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(3000):
        text = " ".join(f"word{number}x{place}" for place in range(40))
        (folder / f"{number}.txt").write_text(f"Text number {number}. {text}", "utf-8")
    command = [AMMON, "index", str(folder), "-L", own]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        _wait_for_passages(own)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
    assert running.returncode == Exit.INTERRUPTED, told
    assert "are stored" in told
    assert "Traceback" not in told
    status = json.loads(run("status", "-L", own, "--json").stdout)
    assert 0 < status["documents"] <= 3000
    assert run("search", "Text number 0", "--mode", "lexical", "-L", own).exit_code == Exit.OK


def _wait_for_passages(library: str) -> None:
    """Until the run has committed something."""
    import apsw

    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(0.1)
        if not (Path(library) / "catalog.db").exists():
            continue
        connection = apsw.Connection(str(Path(library) / "catalog.db"), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(5_000)  # the run may be just making it
        try:
            if connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'chunk'").get and (
                connection.execute("SELECT 1 FROM chunk LIMIT 1").get
            ):
                return
        finally:
            connection.close()
    raise AssertionError("nothing was stored in a minute")


def test_watching_follows_changes_until_interrupted(notes: Path, own: str) -> None:
    command = [AMMON, "index", str(notes), "-L", own, "--watch", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert json.loads(running.stdout.readline())["added"] == 2
        time.sleep(1)
        (notes / "later.txt").write_text("Added while watching.", "utf-8")
        for line in running.stdout:
            if json.loads(line)["added"] == 1:
                break
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=30)
    assert running.returncode == Exit.INTERRUPTED, told
    assert "Traceback" not in told


def test_progress_goes_to_stderr_at_most_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    from ammon.cli.progress import line, shown_progress
    from ammon.progress import Progress

    with shown_progress() as show:
        for number in range(1000):
            show(Progress("text", number, 1000, number * 3))
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) <= 1
    shown = line(Progress("vectors", 5, 5, 9, 1200, 5000, 6400.4, 90.0, f"{Path.cwd()}/a/b.txt"), 200)
    assert shown == "Embedding: 1,200 of 5,000 texts, 6,400 tokens/s, 1 min 30 s left  a/b.txt"
