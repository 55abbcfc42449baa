"""The vector index: exact enough after rescoring, faithful through removal and reload, and never trusted if damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ammon.store.local.derived.vectors import VectorIndex, saved_sequence
from ammon.types import Ids, Vectors


def unit_rows(count: int, dim: int, seed: int = 0) -> Vectors:
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def filled(count: int, dim: int = 64, seed: int = 0) -> tuple[VectorIndex, Ids, Vectors]:
    index, ids, rows = VectorIndex(dim), np.arange(1, count + 1) * 3, unit_rows(count, dim, seed)
    index.add(ids, ids + 1, rows)
    return index, ids, rows


@pytest.mark.parametrize("dim", [5, 64, 384])
def test_forty_candidates_hold_the_true_ten(dim: int) -> None:
    index, ids, rows = filled(5_000, dim)
    found = kept = 0
    for query in unit_rows(20, dim, seed=1):
        true = set(ids[np.argsort(-(rows @ query))[:10]].tolist())
        kept += len(true & set(index.search(query, 40).tolist()))
        found += 10
    assert kept / found >= 0.99


def test_adding_an_id_twice_keeps_the_first_vector() -> None:
    index, ids, rows = filled(10)
    index.add(ids, ids, -rows)
    assert len(index) == 10
    assert index.search(rows[3], 1).tolist() == [ids[3]]


@given(st.lists(st.integers(1, 40)), st.integers(0, 3))
@settings(max_examples=50, deadline=None)
def test_removal_leaves_exactly_the_rest(gone: list[int], seed: int) -> None:
    index, ids, rows = filled(40, 16, seed)
    index.remove(np.array(gone, np.int64) * 3)
    left = [chunk_id for chunk_id in ids.tolist() if chunk_id // 3 not in gone]
    assert sorted(index.ids.tolist()) == left
    assert index.rows_of(ids).tolist() == [chunk_id + 1 if chunk_id in left else 0 for chunk_id in ids.tolist()]
    for chunk_id in left[:5]:
        assert index.search(rows[chunk_id // 3 - 1], 1).tolist() == [chunk_id]


@given(st.sets(st.integers(0, 150), max_size=100), st.integers(1, 130))
@settings(max_examples=50, deadline=None)
def test_a_mask_gives_as_many_as_match_and_nothing_else(allowed: set[int], k: int) -> None:
    index, ids, rows = filled(40, 16)
    mask = np.zeros(100, bool)
    mask[[number for number in allowed if number < 100]] = True
    found = index.search(rows[0], k, mask).tolist()
    matching = {chunk_id for chunk_id in ids.tolist() if chunk_id < 100 and chunk_id in allowed}
    assert len(found) == min(k, len(matching))
    assert set(found) <= matching


def test_an_empty_index_finds_nothing() -> None:
    assert VectorIndex(8).search(unit_rows(1, 8)[0], 5).tolist() == []


def saved(folder: Path) -> tuple[Path, VectorIndex, Vectors]:
    index, ids, rows = filled(50, 20)
    index.remove(ids[:7])
    index.sequence = 12
    path = folder / "vectors-1.idx"
    index.save(path, library="a", space=1)
    return path, index, rows


def test_a_saved_index_comes_back_the_same(tmp_path: Path) -> None:
    path, index, rows = saved(tmp_path)
    again = VectorIndex.load(path, library="a", space=1, dim=20)
    assert again is not None
    assert again.sequence == 12
    for query in rows:
        assert again.search(query, 10).tolist() == index.search(query, 10).tolist()
    again.remove(again.ids[:3].copy())
    again.add(np.array([999]), np.array([5]), rows[:1])
    assert again.rows_of(np.array([999, 7, *again.ids[:9]])).tolist() == [5, 0, *(again.ids[:9] + 1)]
    assert again.search(rows[0], 1).tolist() == [999]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_index_of_another_library_space_or_width_is_not_taken(tmp_path: Path) -> None:
    path, _, _ = saved(tmp_path)
    assert VectorIndex.load(path, library="b", space=1, dim=20) is None
    assert VectorIndex.load(path, library="a", space=2, dim=20) is None
    assert VectorIndex.load(path, library="a", space=1, dim=24) is None
    assert VectorIndex.load(tmp_path / "none", library="a", space=1, dim=20) is None


def test_no_flipped_byte_and_no_truncation_is_taken(tmp_path: Path) -> None:
    path, _, _ = saved(tmp_path)
    sound = path.read_bytes()
    for position in range(0, len(sound), 41):
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 0x20]) + sound[position + 1 :])
        assert VectorIndex.load(path, library="a", space=1, dim=20) is None
        path.write_bytes(sound[:position])
        assert VectorIndex.load(path, library="a", space=1, dim=20) is None


def test_a_file_tells_how_far_it_has_come_without_being_loaded(tmp_path: Path) -> None:
    index, _, _ = filled(10)
    index.sequence = 7
    path = tmp_path / "vectors"
    index.save(path, library="a", space=1)
    assert saved_sequence(path, library="a", space=1) == 7
    assert saved_sequence(path, library="b", space=1) is None
    assert saved_sequence(path, library="a", space=2) is None
    assert saved_sequence(tmp_path / "none", library="a", space=1) is None
    for damage in (b"", b"\x00" * 99, b"[1]\n", b"{}\n", b'{"library": "a", "space": 1, "sequence": null}\n'):
        path.write_bytes(damage)
        assert saved_sequence(path, library="a", space=1) is None
