"""Derived indexes: whatever happens to their files, the next search is right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ammon.store.local.checking.doctor import diagnose
from ammon.store.local.checking.examining import examine
from ammon.store.local.spaces import claim_space
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry, Vectors

DIM = 16


def entry(number: int) -> Entry:
    text = f"word{number} common"
    return Entry(Document(f"{number}", text), [Chunk(0, 0, len(text), text, 1, 1)], "x")


def unit_rows(count: int) -> Vectors:
    rows = np.eye(count, DIM, dtype=np.float32) + 0.01
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def filled(folder: Path) -> LocalStore:
    store = LocalStore(folder)
    store.put([entry(number) for number in range(30)])
    claim_space(store.catalog, "test", "test", DIM)
    pending = store.pending(100)
    store.put_vectors([text.text_hash for text in pending], unit_rows(30))
    store.settle()
    store.nearest.save(always=True)
    return store


def check(store: LocalStore) -> None:
    assert len(store.lexical("common", 100)) == 30
    assert [record.uri for record in store.records(store.lexical("word7", 1).ids)] == ["7"]
    assert len(store.dense(np.full(DIM, 0.25, np.float32), 100)) == 30


def overwrite(path: Path) -> None:
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            file.write_bytes(b"\x00" * max(1, file.stat().st_size))


def empty(path: Path) -> None:
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file():
            file.write_bytes(b"")


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.mark.parametrize("name", ["lexical", "vectors-1.idx"])
@pytest.mark.parametrize("damage", [overwrite, empty, remove])
def test_a_damaged_or_missing_file_is_rebuilt_on_opening(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    filled(tmp_path).close()
    damage(tmp_path / name)
    store = LocalStore(tmp_path, create=False)
    check(store)
    store.close()


@pytest.mark.parametrize("damage", [overwrite, empty, remove])
def test_damage_under_an_open_library_is_survived(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    store = filled(tmp_path)
    check(store)
    damage(tmp_path / "lexical")
    store.put([Entry(Document("new", "fresh common"), [Chunk(0, 0, 12, "fresh common", 1, 1)], "y")])
    assert len(store.lexical("common", 100)) == 31
    store.close()


def test_the_doctor_names_damage_and_mends_it(tmp_path: Path) -> None:
    filled(tmp_path).close()
    overwrite(tmp_path / "vectors-1.idx")
    store = LocalStore(tmp_path, create=False)
    assert {finding.file for finding in examine(store)} == {"vectors-1.idx"}
    assert all(finding.repaired for finding in diagnose(tmp_path, repair=True))
    assert examine(store) == []
    check(store)
    store.close()


def test_an_older_copy_of_a_derived_file_catches_up(tmp_path: Path) -> None:
    store = filled(tmp_path / "a")
    shutil.copy(tmp_path / "a" / "vectors-1.idx", tmp_path / "older")
    store.remove([str(number) for number in range(10)])
    store.settle()
    store.nearest.save(always=True)
    store.close()
    shutil.copy(tmp_path / "older", tmp_path / "a" / "vectors-1.idx")
    again = LocalStore(tmp_path / "a", create=False)
    assert len(again.dense(np.full(DIM, 0.25, np.float32), 100)) == 20
    again.close()


def test_a_lexical_index_of_mostly_removed_text_is_built_anew(tmp_path: Path) -> None:
    store = filled(tmp_path)
    for _ in range(4):
        for number in range(30):
            store.remove([str(number)])
        store.put([entry(number) for number in range(30)])
    store.settle()
    assert store.words.current().waste() <= 1.0
    assert len(store.lexical("common", 100)) == 30
    store.close()
