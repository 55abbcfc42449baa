"""Hits name the place at which their words stand, in every format that has places."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from located import LABELS, Label, labels_in, made, wrong

from ammon import Library
from toy_embedder import TrigramEmbedder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = tmp_path / "files"
    files.mkdir()
    return files


def test_every_word_is_found_at_its_place(tmp_path: Path, folder: Path) -> None:
    labels = made(folder, 3, 1)
    with closing(Library(tmp_path / "library", embedder=TrigramEmbedder())) as library:
        assert library.index(folder).failed == ()
        assert list(wrong(library, folder, labels)) == []


def test_a_wrong_place_and_a_word_that_is_not_there_are_told(tmp_path: Path, folder: Path) -> None:
    first, second, *_ = made(folder, 2, 1)
    swapped = [Label(first.path, first.text, second.place), Label(first.path, "absent", first.place)]
    with closing(Library(tmp_path / "library", embedder=TrigramEmbedder())) as library:
        library.index(folder)
        told = [said for _, said in wrong(library, folder, swapped)]
    assert told == [first.place, "not found"]


def test_the_labels_of_real_files_are_whole() -> None:
    labels = labels_in(LABELS)
    assert len(labels) >= 60
    assert len(set(labels)) == len(labels)
    assert all(label.path and label.text and label.place for label in labels)
