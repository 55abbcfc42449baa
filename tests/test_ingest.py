"""Mirroring a folder: what is in it is in the library, once, and nothing else; what is broken costs itself only."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ammon.errors import PathNotFound
from ammon.ingest import Rules, mirror
from ammon.progress import Progress
from ammon.split import splitter
from ammon.store.local.store import LocalStore
from ammon.types import Report

SPLIT = splitter(None, max_tokens=200, count=len)
Mirror = Callable[..., Report]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "notes"
    (root / "deep").mkdir(parents=True)
    (root / "a.md").write_text("# Pears\n\nPears ripen off the tree.\n", "utf-8")
    (root / "b.txt").write_text("Quinces are hard and sour.\n", "utf-8")
    (root / "deep" / "c.md").write_text("# 苹果\n\n苹果在秋天成熟。\n", "utf-8")
    return root


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "library")


@pytest.fixture
def run(store: LocalStore, folder: Path) -> Mirror:
    def index(path: Path = folder, *globs: str) -> Report:
        return mirror(store, path, Rules(SPLIT, globs))

    return index


def held(store: LocalStore) -> dict[str, list[str]]:
    """Texts by file name, in order."""
    rows = store.catalog.rows(
        "SELECT d.uri, c.text FROM chunk AS c JOIN document AS d ON d.id = c.document ORDER BY d.uri, c.ordinal"
    )
    found: dict[str, list[str]] = {}
    for uri, text in rows:
        found.setdefault(Path(uri).name, []).append(text)
    return found


def finds(store: LocalStore, words: str) -> list[str]:
    """Names of the files whose passages hold one of the words, sorted."""
    return sorted({Path(record.uri).name for record in store.records(store.lexical(words, 100).ids)})


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return report.added, report.updated, report.renamed, report.removed, report.unchanged


def test_a_new_folder_is_read_and_findable(run: Mirror, store: LocalStore) -> None:
    assert counts(run()) == (3, 0, 0, 0, 0)
    assert finds(store, "pears") == ["a.md"]
    assert finds(store, "成熟") == ["c.md"]


def test_an_unchanged_folder_is_not_read_again(run: Mirror, store: LocalStore, folder: Path) -> None:
    run()
    sequence = store.catalog.sequence()
    for path in folder.rglob("*"):
        os.utime(path, ns=(10**18, 10**18))
    # Beyond the time within which a file counts as changing still.
    time.sleep(0.2)
    run()
    before = store.catalog.sequence()
    assert counts(run()) == (0, 0, 0, 0, 3)
    assert store.catalog.sequence() == before
    assert before - sequence <= 1


def test_an_edit_replaces_what_the_file_said(run: Mirror, store: LocalStore, folder: Path) -> None:
    run()
    (folder / "b.txt").write_text("Medlars are eaten soft.\n", "utf-8")
    assert counts(run()) == (0, 1, 0, 0, 2)
    assert finds(store, "quinces") == []
    assert finds(store, "medlars") == ["b.txt"]


def test_an_edit_that_keeps_size_and_time_is_seen(run: Mirror, store: LocalStore, folder: Path) -> None:
    path = folder / "b.txt"
    run()
    before = path.stat()
    path.write_text(path.read_text("utf-8").replace("hard", "soft"), "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counts(run()) == (0, 1, 0, 0, 2)
    assert finds(store, "soft") == ["b.txt"]


def test_a_renamed_file_keeps_its_chunks(run: Mirror, store: LocalStore, folder: Path) -> None:
    run()
    ids = store.catalog.rows("SELECT id FROM chunk ORDER BY id")
    (folder / "deep").rename(folder / "deeper")
    assert counts(run()) == (0, 0, 1, 0, 2)
    assert store.catalog.rows("SELECT id FROM chunk ORDER BY id") == ids
    assert store.records(store.lexical("苹果", 5).ids)[0].uri == str(folder / "deeper" / "c.md")


def test_two_files_that_swap_names_swap_their_text(run: Mirror, store: LocalStore, folder: Path) -> None:
    (folder / "d.txt").write_text("Damsons make good gin.\n", "utf-8")
    run()
    (folder / "b.txt").rename(folder / "swap")
    (folder / "d.txt").rename(folder / "b.txt")
    (folder / "swap").rename(folder / "d.txt")
    run()
    assert finds(store, "damsons") == ["b.txt"]
    assert finds(store, "quinces") == ["d.txt"]


def test_a_deleted_file_is_gone(run: Mirror, store: LocalStore, folder: Path) -> None:
    run()
    (folder / "a.md").unlink()
    assert counts(run()) == (0, 0, 0, 1, 2)
    assert finds(store, "pears") == []
    assert sorted(held(store)) == ["b.txt", "c.md"]


def test_a_folder_that_is_gone_is_an_error_and_removes_nothing(run: Mirror, store: LocalStore, folder: Path) -> None:
    run()
    shutil.rmtree(folder)
    with pytest.raises(PathNotFound, match="notes"):
        run()
    assert sorted(held(store)) == ["a.md", "b.txt", "c.md"]


def test_a_broken_file_costs_itself_only(run: Mirror, folder: Path) -> None:
    (folder / "broken.txt").write_bytes(b"\x81\x8d\x8f\x90\x9d" * 50)
    (folder / "film.mkv").write_bytes(b"\x1aE\xdf\xa3" + bytes(100))
    report = run()
    assert report.added == 3
    assert [(Path(skip.uri).name, skip.code) for skip in report.failed] == [("broken.txt", "undecodable")]
    assert [(Path(skip.uri).name, skip.code) for skip in report.skipped] == [("film.mkv", "binary")]
    again = run()
    assert (again.failed, again.skipped) == (report.failed, report.skipped)


def test_a_file_that_turns_binary_takes_its_old_text_with_it(run: Mirror, store: LocalStore, folder: Path) -> None:
    run()
    (folder / "b.txt").write_bytes(bytes(range(256)) * 4)
    assert [skip.code for skip in run().skipped] == ["binary"]
    assert finds(store, "quinces") == []


def test_a_folder_that_cannot_be_entered_keeps_what_was_read(run: Mirror, store: LocalStore, folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("the superuser may enter every folder")
    run()
    (folder / "deep").chmod(0)
    try:
        run()
    finally:
        (folder / "deep").chmod(0o755)
    assert finds(store, "苹果") == ["c.md"]


def test_a_glob_reads_any_extension_as_text(run: Mirror, store: LocalStore, folder: Path) -> None:
    (folder / "deep" / "x.neat").write_text("Sloes grow on blackthorn.\n", "utf-8")
    assert counts(run(folder, "**/*.neat")) == (1, 0, 0, 0, 0)
    assert finds(store, "blackthorn") == ["x.neat"]


def test_two_globs_on_one_folder_are_two_mirrors(run: Mirror, store: LocalStore, folder: Path) -> None:
    run(folder, "**/*.txt")
    run(folder, "**/*.md")
    assert sorted(held(store)) == ["a.md", "b.txt", "c.md"]
    (folder / "a.md").unlink()
    run(folder, "**/*.txt")
    run(folder, "**/*.md")
    assert sorted(held(store)) == ["b.txt", "c.md"]


def test_a_file_indexed_alone_and_then_deleted_is_gone_with_its_folder(
    run: Mirror, store: LocalStore, folder: Path
) -> None:
    run(folder / "a.md")
    run()
    (folder / "a.md").unlink()
    run()
    assert sorted(held(store)) == ["b.txt", "c.md"]


def test_the_library_does_not_read_itself(folder: Path) -> None:
    store = LocalStore(folder / "memory")
    mirror(store, folder, Rules(SPLIT))
    report = mirror(store, folder, Rules(SPLIT))
    assert counts(report) == (0, 0, 0, 0, 3)
    assert not report.skipped


def test_progress_counts_up_to_the_files_there_are(store: LocalStore, folder: Path) -> None:
    seen: list[Progress] = []
    mirror(store, folder, Rules(SPLIT), seen.append)
    text = [step for step in seen if step.phase == "text"]
    assert [step.files_done for step in text] == [0, 1, 2, 3]
    assert {step.files_total for step in text} == {3}
    assert text[-1].chunks == 3


@pytest.mark.parametrize("name", ["line\nbreak.txt", "表 格.txt", "q'uote\".txt", "-dash.txt"])
def test_odd_names_are_read_and_removed_like_others(run: Mirror, store: LocalStore, folder: Path, name: str) -> None:
    (folder / name).write_text("Bullaces are small plums.\n", "utf-8")
    run()
    assert finds(store, "bullaces") == [name]
    (folder / name).unlink()
    run()
    assert finds(store, "bullaces") == []


def test_a_name_that_is_not_unicode_is_read_and_removed(run: Mirror, store: LocalStore, folder: Path) -> None:
    path = os.fsencode(folder) + b"/caf\xe9.txt"
    with open(path, "wb") as file:
        file.write(b"Greengages are sweet.\n")
    assert run().added == 4
    assert len(finds(store, "greengages")) == 1
    os.unlink(path)
    assert run().removed == 1
