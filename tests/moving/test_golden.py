"""Libraries that released versions wrote are opened, searched and indexed further, for ever.

`tests/golden/make_golden.py` says how they were made. One that is here is never made again.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ammon import Library, Settings
from ammon.embed import load_embedder
from ammon.ports import Embedder
from ammon.store.local.documents import read_document
from ammon.types import Mode
from golden.make_golden import EDITED, HOME, NOTES

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.zip"))
QUESTIONS: tuple[tuple[str, Mode, str], ...] = (
    ("how do bees tell each other where the flowers are?", "dense", "bees.md"),
    ("sourdough starter", "lexical", "bread.md"),
    ("call again after a pause when the network fails", "hybrid", "calls.py"),
    ("泡绿茶用多热的水？", "hybrid", "绿茶.md"),
    ("地震来了应该怎么办？", "dense", "地震.txt"),
    ("护住头部", "lexical", "地震.txt"),
    ("where is the spare key?", "hybrid", "fact:1"),
)
THERE = {"bees.md": NOTES["bees.md"], "bread.md": EDITED, "calls.py": NOTES["retry.py"]} | {
    name: NOTES[name] for name in ("绿茶.md", "地震.txt")
}


@pytest.fixture(scope="module")
def model() -> Embedder:
    return load_embedder("multilingual-e5-small", cache=Settings().cache_folder)


@pytest.fixture(params=GOLDEN, ids=lambda path: path.stem)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A golden library, unpacked."""
    with zipfile.ZipFile(request.param) as archive:
        archive.extractall(tmp_path / "golden")
    return tmp_path / "golden"


@pytest.fixture
def golden(folder: Path, model: Embedder) -> Iterator[Library]:
    with closing(Library(folder, embedder=model)) as library:
        yield library


def answers(library: Library) -> list[str]:
    """The document that answers each question."""
    return [library.search(question, k=1, mode=mode)[0].uri for question, mode, _ in QUESTIONS]


def wanted(notes: Path) -> list[str]:
    return [name if ":" in name else str(notes / name) for _, _, name in QUESTIONS]


def test_there_is_a_library_of_every_schema() -> None:
    assert {"schema-1", "schema-1-without-checksums", "schema-2"} <= {path.stem for path in GOLDEN}


def test_every_question_is_answered(golden: Library) -> None:
    assert answers(golden) == wanted(HOME / "notes")


def test_everything_is_there(golden: Library) -> None:
    status = golden.status()
    assert (status.documents, status.pending, len(status.failed), len(status.skipped)) == (6, 0, 1, 1)
    for name, text in THERE.items():
        document = read_document(golden.store.catalog, str(HOME / "notes" / name))
        assert document is not None
        assert document.text == text
    assert [record.metadata for record in golden.documents({"uri": "fact:1"})] == [{"year": 2024}]
    assert golden.search("deleted", mode="lexical") == []


def test_it_is_sound_once_repaired(golden: Library) -> None:
    golden.doctor(repair=True)
    assert golden.doctor() == []
    assert answers(golden) == wanted(HOME / "notes")


def test_it_goes_on(golden: Library, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for name, text in THERE.items():
        (notes / name).write_text(text, "utf-8")
    golden.remove(*(str(HOME / "notes" / name) for name in THERE))
    golden.add([])  # vectors are dropped with their texts only when a run ends
    report = golden.index(notes)
    assert (report.added, report.embedded) == (len(THERE), report.chunks)
    assert answers(golden) == wanted(notes)
    (notes / "新.md").write_text("海马体把经历变成记忆。\n", "utf-8")
    (notes / "bees.md").unlink()
    report = golden.index(notes)
    assert (report.added, report.removed, report.embedded) == (1, 1, 1)
    assert golden.search("什么把经历变成记忆？", k=1)[0].uri == str(notes / "新.md")
    assert golden.upkeep.compact().note == ""
    assert [each for each in golden.doctor() if each.file != "catalog.db"] == []


def test_equal_texts_are_not_embedded_again(golden: Library, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    for name, text in THERE.items():
        (notes / name).write_text(text, "utf-8")
    assert golden.index(notes).embedded == 0


def test_it_moves(golden: Library, tmp_path: Path, model: Embedder) -> None:
    golden.upkeep.snapshot(tmp_path / "snapshot")
    golden.upkeep.export(tmp_path / "export.zip")
    with closing(Library(tmp_path / "snapshot", embedder=model)) as copy:
        assert answers(copy) == answers(golden)
    with closing(Library(tmp_path / "other", embedder=model)) as other:
        assert other.upkeep.import_file(tmp_path / "export.zip").pending == 0
        assert answers(other) == answers(golden)
