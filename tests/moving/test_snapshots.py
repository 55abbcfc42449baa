"""Snapshots are consistent, whole or absent, and become libraries that go on where the first one was."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ammon import Document, Library
from ammon.errors import InputError, LibraryBusy, LibraryDamaged, LibraryNewer, PathNotFound
from ammon.progress import Progress
from ammon.store.local.moving import snapshots
from ammon.upkeep import restore
from moving.conftest import Open, found, held
from toy_embedder import TrigramEmbedder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def flip(path: Path, at: int = -100) -> None:
    """Change one byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[at if abs(at) < len(content) else len(content) // 2] ^= 0x40
    path.write_bytes(content)


def test_a_snapshot_is_a_library_with_the_same_hits(library: Library, tmp_path: Path, open_library: Open) -> None:
    taken = library.upkeep.snapshot(tmp_path / "snapshot")
    copy = open_library(tmp_path / "snapshot")
    status = copy.status()
    assert (status.documents, status.chunks, status.vectors) == (taken.documents, taken.chunks, taken.vectors)
    assert (taken.library, taken.sequence) == (library.store.catalog.uuid, library.store.catalog.sequence())
    assert held(copy) == held(library)
    assert found(copy) == found(library)
    assert copy.doctor() == []


def test_a_snapshot_carries_settings_and_indexes(library: Library, tmp_path: Path) -> None:
    files = library.upkeep.snapshot(tmp_path / "snapshot").files
    assert {"catalog.db", "ammon.toml", "vectors-1.idx", "lexical/meta.json"} <= files.keys()
    assert {name: (tmp_path / "snapshot" / name).stat().st_size for name in files} == {
        name: each.size for name, each in files.items()
    }


def test_a_restored_library_goes_on_without_embedding(library: Library, tmp_path: Path, open_library: Open) -> None:
    library.upkeep.snapshot(tmp_path / "snapshot")
    restored = restore(tmp_path / "snapshot", tmp_path / "restored")
    assert restored.aside is None
    again = open_library(tmp_path / "restored")
    assert names(tmp_path / "restored").count("snapshot.json") == 0
    assert found(again) == found(library)
    assert held(again) == held(library)
    assert again.index().embedded == 0


@contextmanager
def writing(folder: Path, longest: list[float]) -> Iterator[None]:
    """Have another writer add numbered documents, one at a time, until the block ends."""
    stop = threading.Event()

    def write() -> None:
        with Library(folder, embedder=TrigramEmbedder()) as library:
            number = 0
            while not stop.is_set():
                started = time.perf_counter()
                library.add([Document(f"new:{number}", f"The note of number {number}. " * 20)])
                longest.append(time.perf_counter() - started)
                number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        while not longest:
            time.sleep(0.01)
        yield
    finally:
        stop.set()
        thread.join()


def test_a_busy_writer_neither_waits_for_a_snapshot_nor_tears_it(
    library: Library, tmp_path: Path, open_library: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "PAGES", 64)
    writes: list[float] = []

    def wait_for_a_write(_: Progress) -> None:
        """Between two pieces of the copy, let the writer finish something: it must be able to."""
        before, started = len(writes), time.monotonic()
        while len(writes) == before:
            assert time.monotonic() - started < 20, "the writer stands still"
            time.sleep(0.001)

    with writing(library.path, writes):
        for number in range(2):
            library.upkeep.snapshot(tmp_path / f"snapshot{number}", wait_for_a_write)
    assert max(writes) < 5
    for number in range(2):
        copy = open_library(tmp_path / f"snapshot{number}", embeds=True)
        numbers = {int(each.uri.partition(":")[2]) for each in copy.documents("uri >= 'new:' and uri < 'new;'")}
        assert numbers == set(range(len(numbers))), "a later document without an earlier one"
        assert numbers
        assert copy.doctor() == []


@pytest.mark.parametrize("target", ["there", "library/inside", "library"])
def test_a_snapshot_goes_only_where_nothing_is(library: Library, tmp_path: Path, target: str) -> None:
    (tmp_path / "there").mkdir()
    before = names(tmp_path)
    with pytest.raises(InputError, match=r"already there|inside the library"):
        library.upkeep.snapshot(tmp_path / target)
    assert names(tmp_path) == before


def test_a_damaged_page_ends_a_snapshot_and_leaves_nothing(filled: Path, tmp_path: Path, open_library: Open) -> None:
    folder = shutil.copytree(filled, tmp_path / "library")
    content = bytearray((folder / "catalog.db").read_bytes())
    content[-2000:] = bytes(2000)
    (folder / "catalog.db").write_bytes(content)
    with pytest.raises(LibraryDamaged):
        open_library(folder).upkeep.snapshot(tmp_path / "snapshot")
    assert names(tmp_path) == ["library"]


@pytest.fixture
def snapshot(library: Library, tmp_path: Path) -> Path:
    library.upkeep.snapshot(tmp_path / "snapshot")
    return tmp_path / "snapshot"


def test_restoring_does_not_touch_a_library_unless_told_to(
    library: Library, snapshot: Path, tmp_path: Path, open_library: Open
) -> None:
    library.remove("sentence:1")
    with pytest.raises(InputError, match="already there"):
        restore(snapshot, library.path)
    with pytest.raises(LibraryBusy, match="open"):
        restore(snapshot, library.path, replace=True)
    assert names(tmp_path) == ["library", "snapshot"]
    wanted, kept = held(open_library(snapshot)), held(library)
    library.close()
    restored = restore(snapshot, library.path, replace=True)
    assert restored.aside == tmp_path / "library.replaced-1"
    assert held(open_library(library.path)) == wanted
    assert held(open_library(restored.aside)) == kept


def test_restoring_replaces_a_library_that_nobody_can_open(
    library: Library, snapshot: Path, open_library: Open
) -> None:
    wanted = held(library)
    library.close()
    (library.path / "catalog.db").write_bytes(b"no database at all" * 1000)
    aside = restore(snapshot, library.path, replace=True).aside
    assert aside is not None
    assert (aside / "catalog.db").read_bytes().startswith(b"no database")
    assert held(open_library(library.path)) == wanted


def test_an_empty_folder_is_no_library_to_protect(snapshot: Path, tmp_path: Path, open_library: Open) -> None:
    (tmp_path / "empty").mkdir()
    restore(snapshot, tmp_path / "empty")
    assert open_library(tmp_path / "empty").status().documents


@pytest.mark.parametrize("name", ["catalog.db", "ammon.toml"])
@pytest.mark.parametrize("how", ["flipped", "cut", "missing"])
def test_a_snapshot_that_was_damaged_is_not_restored(snapshot: Path, tmp_path: Path, name: str, how: str) -> None:
    path = snapshot / name
    match how:
        case "flipped":
            flip(path)
        case "cut":
            path.write_bytes(path.read_bytes()[:-1])
        case _:
            path.unlink()
    with pytest.raises(LibraryDamaged, match=name):
        restore(snapshot, tmp_path / "restored")
    assert "restored" not in names(tmp_path)


@pytest.mark.parametrize("name", ["vectors-1.idx", "lexical/meta.json"])
def test_what_is_derived_may_be_damaged(
    library: Library, snapshot: Path, tmp_path: Path, open_library: Open, name: str
) -> None:
    flip(snapshot / name)
    restore(snapshot, tmp_path / "restored")
    restored = open_library(tmp_path / "restored")
    assert found(restored) == found(library)
    assert restored.doctor() == []


def test_a_snapshot_that_was_written_to_is_one_no_more(snapshot: Path, tmp_path: Path, open_library: Open) -> None:
    with open_library(snapshot, embeds=True) as copy:
        copy.add([Document("new", "Something else.")])
    with pytest.raises(LibraryDamaged, match="written to since"):
        restore(snapshot, tmp_path / "restored")


def rewrite(snapshot: Path, **changes: object) -> None:
    """Change fields of a manifest."""
    path = snapshot / "snapshot.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_manifest_cannot_have_files_written_elsewhere(snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("kept")
    for name in ("../outside", "/etc/hostname", "lexical/../../outside", "other.db"):
        rewrite(snapshot, files={name: {"size": 4, "sha256": ""}})
        with pytest.raises(LibraryDamaged):
            restore(snapshot, tmp_path / "restored")
    assert names(tmp_path) == ["library", "outside", "snapshot"]
    assert (tmp_path / "outside").read_text() == "kept"


@pytest.mark.parametrize("field", ["format", "schema"])
def test_a_snapshot_of_a_later_version_is_refused(snapshot: Path, tmp_path: Path, field: str) -> None:
    rewrite(snapshot, **{field: 99})
    with pytest.raises(LibraryNewer):
        restore(snapshot, tmp_path / "restored")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', "\xff"])
def test_a_manifest_that_cannot_be_read_is_damage(snapshot: Path, tmp_path: Path, content: str) -> None:
    (snapshot / "snapshot.json").write_text(content, "latin-1")
    with pytest.raises(LibraryDamaged, match=r"snapshot\.json"):
        restore(snapshot, tmp_path / "restored")


def test_only_a_snapshot_is_restored(library: Library, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no snapshot"):
        restore(library.path, tmp_path / "restored")
    with pytest.raises(PathNotFound):
        restore(tmp_path / "nothing", tmp_path / "restored")
