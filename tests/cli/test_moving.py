"""Snapshots and exports from the command line: what is said, in words and as JSON, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cli.conftest import Run


@pytest.fixture
def copy(library: str, tmp_path: Path) -> str:
    """A library that may be written to."""
    return str(shutil.copytree(library, tmp_path / "copy"))


def test_a_snapshot_is_taken_and_restored(run: Run, library: str, tmp_path: Path) -> None:
    taken = run("snapshot", str(tmp_path / "s"), "-L", library)
    assert (taken.exit_code, "18 documents" in taken.output) == (0, True)
    restored = run("restore", str(tmp_path / "s"), "-L", str(tmp_path / "back"))
    assert (restored.exit_code, "18 documents" in restored.output) == (0, True)
    found = [
        run("search", "泡绿茶用多热的水？", "-L", each, "--json").output for each in (library, str(tmp_path / "back"))
    ]
    assert found[0] == found[1] != "[]\n"


def test_json_says_what_was_done(run: Run, library: str, tmp_path: Path) -> None:
    taken = json.loads(run("snapshot", str(tmp_path / "s"), "-L", library, "--json").output)
    restored = json.loads(run("restore", str(tmp_path / "s"), "-L", str(tmp_path / "back"), "--json").output)
    exported = json.loads(run("export", str(tmp_path / "e"), "-L", library, "--json").output)
    imported = json.loads(run("import", str(tmp_path / "e"), "-L", str(tmp_path / "new"), "--json").output)
    assert restored["snapshot"] == taken
    assert (taken["documents"], exported["documents"], imported["added"]) == (18, 18, 18)
    assert taken["files"]["catalog.db"]["size"] > 0
    assert (exported["losses"], imported["pending"], restored["aside"]) == ([], 0, None)


def test_an_export_is_merged(run: Run, library: str, tmp_path: Path) -> None:
    assert "18 documents" in run("export", str(tmp_path / "e"), "-L", library).output
    assert "18 added" in run("import", str(tmp_path / "e"), "-L", str(tmp_path / "new")).output
    assert "18 unchanged" in run("import", str(tmp_path / "e"), "-L", str(tmp_path / "new")).output


def test_text_alone_is_embedded_by_the_next_index(run: Run, library: str, tmp_path: Path) -> None:
    run("export", str(tmp_path / "e"), "-L", library)
    said = run("import", str(tmp_path / "e"), "-L", str(tmp_path / "new"), "--without-vectors").output
    assert "found by words only so far; run `ammon index`" in said
    assert json.loads(run("index", "-L", str(tmp_path / "new"), "--json").output)["pending"] == 0
    assert json.loads(run("status", "-L", str(tmp_path / "new"), "--json").output)["pending"] == 0


def test_a_library_in_the_way_is_moved_aside_when_told_to(run: Run, copy: str, library: str, tmp_path: Path) -> None:
    run("snapshot", str(tmp_path / "s"), "-L", library)
    refused = run("restore", str(tmp_path / "s"), "-L", copy)
    assert (refused.exit_code, "--replace" in refused.stderr) == (2, True)
    replaced = run("restore", str(tmp_path / "s"), "-L", copy, "--replace")
    assert (replaced.exit_code, "copy.replaced-1" in replaced.output) == (0, True)
    assert (tmp_path / "copy.replaced-1" / "catalog.db").exists()


def test_a_damaged_library_is_exported_with_a_warning_code(run: Run, copy: str, tmp_path: Path) -> None:
    path = Path(copy) / "catalog.db"
    content = bytearray(path.read_bytes())
    content[-4096:] = bytes(range(256)) * 16
    path.write_bytes(content)
    exported = run("export", str(tmp_path / "e"), "-L", copy)
    assert (exported.exit_code, "lost:" in exported.output) == (1, True)
    assert run("import", str(tmp_path / "e"), "-L", str(tmp_path / "new")).exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["snapshot", "{here}/there"], 2, "already there"),
        (["export", "{here}/there"], 2, "already there"),
        (["snapshot", "{library}/inside"], 2, "inside the library"),
        (["restore", "{here}/nothing"], 2, "There is no folder"),
        (["restore", "{library}"], 2, "is no snapshot"),
        (["import", "{here}/nothing"], 2, "There is no file"),
        (["import", "{here}/there"], 2, "is no export"),
        (["import", "{here}/half.zip"], 2, "cut short"),
        (["export", "/proc/nothing/here"], 3, "cannot be"),
    ],
)
def test_what_a_person_types_wrong_is_answered(
    words: list[str], code: int, said: str, run: Run, library: str, tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("a file")
    run("export", str(tmp_path / "whole.zip"), "-L", library)
    (tmp_path / "half.zip").write_bytes((tmp_path / "whole.zip").read_bytes()[:500])
    before = sorted(tmp_path.iterdir())
    result = run(*(word.format(here=tmp_path, library=library) for word in words), "-L", library)
    assert (result.exit_code, said in result.stderr, "Hint:" in result.stderr) == (code, True, True), result.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_library_is_not_made_for_a_file_that_is_none(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no export")
    assert run("import", str(tmp_path / "text"), "-L", str(tmp_path / "new")).exit_code == 2
    assert not (tmp_path / "new").exists()


def test_a_library_that_is_not_there_is_not_exported(run: Run, tmp_path: Path) -> None:
    for verb in ("snapshot", "export"):
        assert run(verb, str(tmp_path / "out"), "-L", str(tmp_path / "nothing")).exit_code == 3
    assert list(tmp_path.iterdir()) == []
