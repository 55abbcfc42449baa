"""Bad input through the real command: each gives a clear error or a correct result, and nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import apsw
import pytest

from ammon.cli.outcome import Exit

Program = Callable[..., "subprocess.CompletedProcess[str]"]
AMMON = str(Path(sys.executable).with_name("ammon"))


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "bees.txt").write_text("Bees dance to tell where the flowers are.", "utf-8")
    return folder


def indexed_as(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a run of ``index --json`` tells, which held nothing unforeseen."""
    assert "Traceback" not in done.stderr
    assert "mistake" not in done.stderr
    return dict(json.loads(done.stdout))


def codes(report: dict[str, Any], kind: str) -> dict[str, str]:
    """The code of each file that was left out, by name."""
    return {Path(each["uri"]).name: each["code"] for each in report[kind]}


def test_odd_files_cost_themselves_only(program: Program, notes: Path) -> None:
    (notes / "nul.txt").write_bytes(b"text with \x00\x00 bytes of nothing" * 50)
    (notes / "broken.txt").write_bytes("Ein schöner Tag, ".encode() * 40 + b"\xff\xfe\x81\x00\x9d" * 9)
    (notes / "two\nlines.txt").write_text("A name of two lines.", "utf-8")
    (notes / "large.txt").write_text("much " * 400, "utf-8")
    os.mkfifo(notes / "pipe.txt")
    done = program("index", str(notes), "-L", "library", "--json", AMMON_MAX_FILE_BYTES="1900")
    report = indexed_as(done)
    assert report["added"] == 2
    left_out = {**codes(report, "skipped"), **codes(report, "failed")}
    assert sorted(left_out) == ["broken.txt", "large.txt", "nul.txt", "pipe.txt"]
    assert left_out["nul.txt"] == "binary"
    assert left_out["pipe.txt"] == "not-regular"
    assert left_out["large.txt"] == "too-large"
    assert "1,900" in next(each["reason"] for each in report["skipped"] if each["code"] == "too-large")
    found = program("search", "two lines", "-k", "1", "-L", "library", "--where", "name = 'two\nlines.txt'")
    assert found.returncode == Exit.OK
    assert "two\\nlines.txt:1" in found.stdout.splitlines()[0]
    shown = program("index", str(notes), "-L", "library", AMMON_MAX_FILE_BYTES="1900").stdout
    assert "  notes/large.txt has 2,000 bytes; the limit (max_file_bytes) is 1,900. [too-large]" in shown
    assert "  notes/pipe.txt: It is a pipe. [not-regular]" in shown
    told = program("status", "--failed", "-L", "library").stdout
    assert "  notes/nul.txt: It holds NUL bytes" in told
    assert "  notes/broken.txt: " in told


def test_a_file_with_a_name_that_is_no_text_is_found_and_shown(program: Program, notes: Path) -> None:
    raw = os.fsencode(notes) + b"/caf\xe9.txt"
    Path(os.fsdecode(raw)).write_text("A name from another age.", "utf-8")
    assert indexed_as(program("index", str(notes), "-L", "library", "--json"))["added"] == 2
    found = program("search", "another age", "-k", "1", "-L", "library")
    assert (found.returncode, found.stderr) == (Exit.OK, "")
    assert "caf" in found.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_costs_itself_only(program: Program, notes: Path) -> None:
    secret = notes / "secret.txt"
    secret.write_text("Nobody may read this.", "utf-8")
    secret.chmod(0)
    done = program("index", str(notes), "-L", "library", "--json")
    assert done.returncode == Exit.FILES
    report = indexed_as(done)
    assert report["added"] == 1
    assert codes(report, "failed") == {"secret.txt": "unreadable"}


def test_a_link_out_of_the_folder_is_not_followed_unless_asked(program: Program, notes: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.txt").write_text("Somewhere else.", "utf-8")
    (notes / "link.txt").symlink_to(tmp_path / "elsewhere.txt")
    kept = indexed_as(program("index", str(notes), "-L", "library", "--json"))
    assert kept["added"] == 1
    assert list(codes(kept, "skipped")) == ["link.txt"]
    assert indexed_as(program("index", str(notes), "--follow-links", "-L", "library", "--json"))["added"] == 1


def test_an_empty_folder_holds_nothing_and_is_no_error(program: Program, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = program("index", "empty", "-L", "library")
    assert done.returncode == Exit.OK
    assert "none found" in done.stdout
    asked = program("search", "anything", "-L", "library")
    assert asked.returncode == Exit.LIBRARY
    assert "Hint: " in asked.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["index", "nowhere"], Exit.USAGE, "There is nothing at"),
        (["search", ""], Exit.USAGE, "The query is empty."),
        (["search", " ", "\t"], Exit.USAGE, "The query is empty."),
        (["search", "bees", "-k", "0"], Exit.USAGE, "k is 0"),
        (["search", "bees", "-k", "-3"], Exit.USAGE, "k is -3"),
        (["search", "bees", "--where", "lang = 'en' and and year = 1"], Exit.USAGE, "\n                  ^\n"),
        (["search", "bees", "--where", "lang ="], Exit.USAGE, "the filter ends"),
        (["search", "bees", "--where", '{"year": {"$near": 3}}'], Exit.USAGE, "$near"),
        (["search", "bees", "--where", "langauge = 'en'"], Exit.USAGE, "Did you mean 'language'?"),
        (["search", "bees", "--where", "colour = 'red'"], Exit.USAGE, "No document has a field 'colour'."),
    ],
)
def test_a_mistake_is_told_with_a_hint_and_costs_nothing(
    program: Program, indexed: tuple[Path, Path], words: list[str], code: Exit, told: str
) -> None:
    done = program(*words, "-L", str(indexed[1]))
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "Hint: " in done.stderr


def test_more_hits_than_there_are_passages_give_every_passage(program: Program, notes: Path) -> None:
    (notes / "tea.txt").write_text("Tea likes hot water.", "utf-8")
    program("index", str(notes), "-L", "library")
    done = program("search", "bees", "-k", "1000000", "-L", "library", "--json")
    assert sorted(Path(hit["uri"]).name for hit in json.loads(done.stdout)) == ["bees.txt", "tea.txt"]


def test_a_library_of_a_later_version_is_refused_and_left_as_it_is(
    program: Program, notes: Path, tmp_path: Path
) -> None:
    program("index", str(notes), "-L", "library")
    catalog = apsw.Connection(str(tmp_path / "library" / "catalog.db"))
    schema = catalog.execute("SELECT value FROM meta WHERE key = 'schema'").get
    catalog.execute("UPDATE meta SET value = '9999' WHERE key = 'schema'")
    for words in (["search", "bees"], ["index"], ["status"], ["doctor", "--repair"]):
        done = program(*words, "-L", "library")
        assert done.returncode == Exit.LIBRARY, words
        assert "has schema 9999" in done.stderr
        assert "Hint: " in done.stderr
    catalog.execute("UPDATE meta SET value = ? WHERE key = 'schema' AND value = '9999'", (schema,))
    assert catalog.changes() == 1
    catalog.close()
    assert "bees.txt" in program("search", "bees", "-L", "library").stdout


def start(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen([AMMON, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_processes_indexing_one_library_lose_nothing(program: Program, tmp_path: Path) -> None:
    for name in ("left", "right"):
        (tmp_path / name).mkdir()
        for number in range(150):
            (tmp_path / name / f"{number}.txt").write_text(f"{name} note about thing{number}", "utf-8")
    library = str(tmp_path / "library")
    both = [start("index", str(tmp_path / name), "-L", library, "--json") for name in ("left", "right")]
    for running in both:
        _, told = running.communicate(timeout=100)
        assert running.returncode == Exit.OK, told
    program("index", "-L", library)
    status = json.loads(program("status", "-L", library, "--json").stdout)
    assert (status["documents"], status["pending"]) == (300, 0)
    assert "is sound" in program("doctor", "-L", library).stdout
    for name in ("left", "right"):
        words = ("search", f"{name} thing149", "-k", "1", "--mode", "lexical", "-L", library, "--json")
        assert json.loads(program(*words).stdout)[0]["uri"] == str(tmp_path / name / "149.txt")


def test_a_run_that_was_interrupted_goes_on_to_the_same_end(program: Program, tmp_path: Path) -> None:
    folder, library = tmp_path / "many", str(tmp_path / "library")
    folder.mkdir()
    for number in range(1200):
        (folder / f"{number}.txt").write_text(f"Note {number} tells of thing{number}.", "utf-8")
    with start("index", str(folder), "-L", library) as running:
        _wait_for_a_vector(Path(library) / "catalog.db", running)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
    assert running.returncode == Exit.INTERRUPTED, told
    assert "goes on from here" in told
    before = json.loads(program("status", "-L", library, "--json").stdout)
    rest = indexed_as(program("index", str(folder), "-L", library, "--json"))
    after = json.loads(program("status", "-L", library, "--json").stdout)
    assert rest["embedded"] == 1200 - before["vectors"] < 1200
    assert (after["documents"], after["vectors"], after["pending"]) == (1200, 1200, 0)
    assert "is sound" in program("doctor", "-L", library).stdout


def _wait_for_a_vector(catalog: Path, running: subprocess.Popen[str]) -> None:
    """Until the run has stored its first vectors."""
    until = time.monotonic() + 60
    while time.monotonic() < until and running.poll() is None:
        time.sleep(0.02)
        if not catalog.exists():
            continue
        connection = apsw.Connection(str(catalog), flags=apsw.SQLITE_OPEN_READONLY)
        connection.set_busy_timeout(5_000)  # the run may be just making it
        try:
            made = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'vector'").get
            if made and connection.execute("SELECT 1 FROM vector LIMIT 1").get:
                return
        finally:
            connection.close()
    raise AssertionError("no vector was stored before the run ended")
