"""An export holds all there is, and an import puts it where it belongs: nothing lost, nothing embedded again."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ammon import Document, Library
from ammon.errors import InputError, LibraryDamaged, LibraryNewer, ModelMismatch, PathNotFound
from ammon.store.local.moving import exporting, importing, portable
from ammon.store.local.moving.contents import Contents
from ammon.types import Vectors
from ammon.upkeep import export
from moving.conftest import Open, found, held
from toy_embedder import TrigramEmbedder


class OtherModel(TrigramEmbedder):
    """The same sums in other places: another space."""

    name = fingerprint = "backwards"

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return super().embed_passages([text[::-1] for text in texts])


@pytest.fixture
def file(library: Library, tmp_path: Path) -> Path:
    """An export of the filled library."""
    library.upkeep.export(tmp_path / "export.zip")
    return tmp_path / "export.zip"


@pytest.fixture
def other(tmp_path: Path, open_library: Open) -> Library:
    """An empty library, which may not embed."""
    return open_library(tmp_path / "other")


def write(path: Path, documents: Sequence[dict[str, Any]], **manifest: Any) -> Path:
    """An export as another program writes it."""
    content = {
        "kind": "ammon export",
        "format": 1,
        "documents": [{"member": "documents/0.jsonl", "rows": len(documents)}],
        **manifest,
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("documents/0.jsonl", "".join(json.dumps(each) + "\n" for each in documents))
        archive.writestr("manifest.json", json.dumps(content))
    return path


def test_the_round_trip_loses_nothing_and_embeds_nothing(library: Library, file: Path, other: Library) -> None:
    imported = other.upkeep.import_file(file)
    assert held(other) == held(library)
    assert found(other) == found(library)
    assert (imported.added, imported.pending) == (len(held(library)["documents"]), 0)
    assert other.doctor() == []


def test_the_report_says_what_the_file_holds(library: Library, tmp_path: Path) -> None:
    exported = library.upkeep.export(tmp_path / "export.zip")
    kept = held(library)
    assert (exported.documents, exported.chunks, exported.vectors) == tuple(
        len(kept[name]) for name in ("documents", "chunks", "vectors")
    )
    assert exported.size == (tmp_path / "export.zip").stat().st_size
    assert exported.losses == ()


def test_many_small_members_hold_the_same(
    library: Library, tmp_path: Path, other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "SHARD_BYTES", 2000)
    monkeypatch.setattr(exporting, "SHARD_VECTORS", 7)
    monkeypatch.setattr(importing, "BATCH_DOCUMENTS", 40)
    library.upkeep.export(tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert len(archive.namelist()) > 60
    other.upkeep.import_file(tmp_path / "export.zip")
    assert held(other) == held(library)
    assert found(other) == found(library)


def test_an_imported_library_goes_on_mirroring(library: Library, file: Path, other: Library) -> None:
    other.upkeep.import_file(file)
    report = other.index()
    assert (report.added, report.updated, report.removed, report.embedded) == (0, 0, 0, 0)
    assert report.unchanged == library.index().unchanged > 0
    assert other.status().failed == library.status().failed != ()
    assert other.status().skipped == library.status().skipped != ()


def test_settings_go_with_a_library_but_not_those_of_a_machine(file: Path, other: Library) -> None:
    other.upkeep.import_file(file)
    assert (other.path / "ammon.toml").read_text() == "chunk_tokens = 96\n"


def test_a_library_keeps_its_own_settings(file: Path, other: Library) -> None:
    (other.path / "ammon.toml").write_text("chunk_tokens = 128\n")
    other.upkeep.import_file(file)
    assert (other.path / "ammon.toml").read_text() == "chunk_tokens = 128\n"


def test_an_import_merges_by_uri(library: Library, file: Path, tmp_path: Path, open_library: Open) -> None:
    other = open_library(tmp_path / "other", embeds=True)
    other.add(
        [
            Document("sentence:0", "An older text of the same name."),
            Document("sentence:3", "Of a name that the file does not have."),
            Document("kept", "Nobody else has this one."),
        ]
    )
    imported = other.upkeep.import_file(file)
    total = len(held(library)["documents"])
    assert (imported.documents, imported.added, imported.updated, imported.unchanged) == (total, total - 1, 1, 0)
    assert {row[0] for row in held(other)["documents"]} == {
        *(row[0] for row in held(library)["documents"]),
        "sentence:3",
        "kept",
    }
    assert other.search("older text of the same name", mode="lexical")[0].uri != "sentence:0"
    assert other.doctor() == []
    again = other.upkeep.import_file(file)
    assert (again.added, again.updated, again.unchanged, again.vectors) == (0, 0, total, 0)


def test_an_import_that_ended_early_goes_on(
    library: Library, file: Path, other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH_DOCUMENTS", 10)

    def stop(progress: Any) -> None:
        if progress.phase == "copy" and progress.files_done == 57:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        other.upkeep.import_file(file, progress=stop)
    kept = other.store.catalog.value("SELECT count(*) FROM document")
    assert kept == 50
    report = other.upkeep.import_file(file)
    assert (report.unchanged, report.pending) == (kept, 0)
    assert held(other) == held(library)


def test_what_cannot_be_read_elsewhere_takes_nothing_from_what_is_here(tmp_path: Path, open_library: Open) -> None:
    other = open_library(tmp_path / "other", embeds=True)
    other.add([Document("a", "The text is here.")])
    failed = {"uri": "a", "text": "", "state": "failed", "code": "unreadable", "reason": "It was locked."}
    report = other.upkeep.import_file(write(tmp_path / "f.zip", [failed]))
    assert (report.unchanged, report.updated) == (1, 0)
    assert other.search("text here", mode="lexical")


def test_vectors_of_another_model_are_refused(file: Path, tmp_path: Path, open_library: Open) -> None:
    other = open_library(tmp_path / "other", embedder=OtherModel())
    other.add([Document("a", "Embedded with the other model.")])
    with pytest.raises(ModelMismatch, match=r"trigrams.*backwards") as raised:
        other.upkeep.import_file(file)
    assert "--without-vectors" in raised.value.hint
    assert len(held(other)["documents"]) == 1


def test_text_alone_waits_to_be_embedded(library: Library, file: Path, tmp_path: Path, open_library: Open) -> None:
    other = open_library(tmp_path / "other", embedder=OtherModel())
    other.add([Document("a", "Embedded with the other model.")])
    imported = other.upkeep.import_file(file, vectors=False)
    texts = len({row[10] for row in held(library)["chunks"]})
    assert (imported.vectors, imported.pending) == (0, texts)
    assert other.search("泡绿茶", mode="lexical")
    assert other.index().embedded == texts
    assert other.search("泡绿茶用多热的水？", mode="dense")[0].uri.endswith("泡茶.md") or other.status().pending == 0


def test_documents_of_another_program_are_cut_and_embedded_here(tmp_path: Path, open_library: Open) -> None:
    other = open_library(tmp_path / "other", embeds=True)
    file = write(tmp_path / "poems.zip", [{"uri": "poem", "text": "Tyger Tyger, burning bright. " * 40, "title": "T"}])
    imported = other.upkeep.import_file(file)
    assert imported.chunks >= imported.pending > 1
    assert other.index().embedded == imported.pending
    assert other.search("tyger", mode="dense")[0].title == "T"
    assert other.doctor() == []
    assert other.upkeep.import_file(file).unchanged == 1


def test_an_export_is_of_one_moment(library: Library, tmp_path: Path, open_library: Open) -> None:
    wanted = held(library)

    def meanwhile(progress: Any) -> None:
        if progress.files_done == 1:
            with Library(library.path, embedder=TrigramEmbedder()) as writer:
                writer.remove("sentence:190", "sentence:191")
                writer.add([Document("new", "Not there when the export began.")])

    library.upkeep.export(tmp_path / "export.zip", meanwhile)
    other = open_library(tmp_path / "other")
    other.upkeep.import_file(tmp_path / "export.zip")
    assert held(other) == wanted
    assert held(library) != wanted


def test_an_empty_library_makes_an_empty_file(tmp_path: Path, other: Library, open_library: Open) -> None:
    exported = other.upkeep.export(tmp_path / "empty.zip")
    assert (exported.documents, exported.vectors, exported.losses) == (0, 0, ())
    assert open_library(tmp_path / "third").upkeep.import_file(tmp_path / "empty.zip").documents == 0


def test_an_export_goes_only_where_nothing_is(library: Library, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("kept")
    with pytest.raises(InputError, match="already there"):
        library.upkeep.export(tmp_path / "there")
    assert (tmp_path / "there").read_text() == "kept"


def test_what_is_no_export_is_refused(library: Library, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no zip")
    with pytest.raises(InputError, match="is no export"):
        library.upkeep.import_file(tmp_path / "text")
    with pytest.raises(PathNotFound):
        library.upkeep.import_file(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"manifest\.json: it is missing"):
        with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
            archive.writestr("a.txt", "text")
        library.upkeep.import_file(tmp_path / "other.zip")
    with pytest.raises(LibraryNewer):
        library.upkeep.import_file(write(tmp_path / "new.zip", [], format=2))


def test_texts_of_every_kind_come_through(tmp_path: Path, open_library: Open) -> None:
    texts = [
        "nul \0 and \x1b",
        "line\u2028separator\r\n\x85next",
        "𝒜 astral 😀 text",
        "lone \ud800 surrogate",
        "\ufeffmark",
    ]
    documents = [
        Document(f"odd:{number}", text, metadata={"deep": {"list": [1, 2.5, None, True, "文"]}, "nan": float("nan")})
        for number, text in enumerate(texts)
    ]
    first = open_library(tmp_path / "first", embeds=True)
    first.add(documents)
    first.upkeep.export(tmp_path / "odd.zip")
    other = open_library(tmp_path / "other")
    other.upkeep.import_file(tmp_path / "odd.zip")
    assert held(other) == held(first)
    assert other.upkeep.import_file(tmp_path / "odd.zip").unchanged == len(texts)


def test_a_line_says_all_that_the_catalog_holds(library: Library) -> None:
    for each in Contents(library.store.catalog).documents():
        root = each.entry.root
        again = portable.held_of(portable.line_of(each, {} if root is None else {root: 0}), {0: root or 0})
        assert again == replace(each, entry=replace(each.entry, document=replace(each.entry.document, parts=())))


class CountsWords(TrigramEmbedder):
    """Makes few and long passages."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [text.count(" ") + 1 for text in texts]


@pytest.mark.parametrize("way", ["export", "import"])
def test_memory_does_not_grow_with_the_library(
    way: str, tmp_path: Path, open_library: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "SHARD_BYTES", 100_000)
    monkeypatch.setattr(exporting, "SHARD_VECTORS", 100)
    monkeypatch.setattr(importing, "BATCH_CHARACTERS", 100_000)
    peaks = []
    for size in (20, 80):
        library = open_library(tmp_path / f"library{size}", embedder=CountsWords())
        library.add(
            Document(f"d:{number}", f"{number} lives in a hole in the ground. " * 400) for number in range(size)
        )
        file = tmp_path / f"{size}.zip"
        if way == "import":
            library.upkeep.export(file)
            library = open_library(tmp_path / f"other{size}")
        tracemalloc.start()
        library.upkeep.export(file) if way == "export" else library.upkeep.import_file(file)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0], peaks


WORDS = {"chunk": b"brought in yellow pollen", "document": b"notes/bees.txt", "vector": b""}


def damage(library: Library, table: str) -> None:
    """Close a library, and overwrite the page of the catalog on which a row of ``table`` stands."""
    wanted = WORDS[table] or library.store.catalog.value("SELECT data FROM vector ORDER BY id LIMIT 1 OFFSET 100")
    library.close()
    path = library.path / "catalog.db"
    content = bytearray(path.read_bytes())
    at = content.find(wanted)
    assert at > 0
    content[at : at + len(wanted)] = b"x" * len(wanted)
    path.write_bytes(content)


@pytest.mark.parametrize("table", WORDS)
def test_a_damaged_library_gives_what_survives(
    table: str, library: Library, tmp_path: Path, open_library: Open
) -> None:
    before = held(library)
    damage(library, table)
    exported = export(library.path, tmp_path / "export.zip")
    assert exported.losses
    other = open_library(tmp_path / "other", embeds=True)
    other.upkeep.import_file(tmp_path / "export.zip")
    told = " ".join(exported.losses)
    survived = {row[0] for row in before["documents"] if row in held(other)["documents"]}
    for row in before["documents"]:
        assert row[0] in survived or row[0] in told or "lost" in told, row[0]
    assert len(survived) > len(before["documents"]) / 2
    # Opened again, so that the settings that came with the file are in force.
    other = open_library(tmp_path / "other", embeds=True)
    other.index()
    # Files that were not whole were read again, though they are as they were.
    assert {row for row in before["chunks"] if "sample" in row[0]} <= set(held(other)["chunks"])
    assert other.status().pending == 0


def test_a_library_that_does_not_open_is_exported_all_the_same(
    library: Library, tmp_path: Path, open_library: Open
) -> None:
    before = held(library)
    library.close()
    path = library.path / "catalog.db"
    content = bytearray(path.read_bytes())
    content[-3000:-2000] = bytes(1000)
    path.write_bytes(content[:-4096])
    with pytest.raises(LibraryDamaged):
        open_library(library.path).doctor()
        open_library(library.path).upkeep.snapshot(tmp_path / "snapshot")
    exported = export(library.path, tmp_path / "export.zip")
    assert exported.documents > len(before["documents"]) / 2
    other = open_library(tmp_path / "other", embeds=True)
    assert other.upkeep.import_file(tmp_path / "export.zip").documents == exported.documents


def test_nothing_is_left_of_an_export_of_which_nothing_can_be_read(library: Library, tmp_path: Path) -> None:
    library.close()
    (library.path / "catalog.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(LibraryDamaged):
        export(library.path, tmp_path / "export.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library"]
