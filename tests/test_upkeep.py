"""Deleted means gone: no byte of what was deleted stays in any file. And a library stays small by itself."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from ammon import Document, Library
from ammon.store.local.derived.kept_vectors import vector_file
from ammon.store.local.derived.terms import terms
from ammon.store.local.derived.vectors import VectorIndex
from ammon.store.local.documents import text_hash
from ammon.types import embedded_text
from bilingual import texts
from toy_embedder import TrigramEmbedder

SECRET = "Zanzibarine Quokkas réjouissent 秘密的袋鼠 beside xylographers"
LATIN = "Zanzibarine Quokkas réjouissent beside xylographers"
MODEL = TrigramEmbedder()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library", embedder=MODEL) as opened:
        yield opened


def note(number: int, extra: str = "") -> str:
    """A note of some paragraphs, unlike all others."""
    sentences = texts()
    lines = [f"{sentences[(7 * number + line) % len(sentences)]} n{number}l{line}" for line in range(6)]
    return "\n\n".join([f"# note {number}", *lines, extra])


def fill(folder: Path, count: int = 60) -> None:
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"note{number}.md").write_text(note(number), "utf-8")


def traces(text: str) -> set[bytes]:
    """What of a text could be left: itself in several encodings and normal forms, its terms, its vector, its hash."""
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    found = {form.encode(code) for form in forms for code in ("utf-8", "utf-16-le", "utf-16-be")}
    found |= {word.encode() for word in LATIN.split() if len(word) > 6}
    found |= {term.encode() for term in terms(text) if len(term) > 6 or term in {"秘密", "袋鼠"}}
    vector = MODEL.embed_passages([text])
    return found | {vector.tobytes(), vector.astype("<f2").tobytes(), text_hash(text)}


def vector_file_is_as_if_new(library: Library) -> bool:
    """Whether the codes in the vector index's file are, byte for byte, those of an index that never held any others."""
    path = vector_file(library.path, 1)
    saved = VectorIndex.load(path, library=library.store.catalog.uuid, space=1, dim=MODEL.dim)
    assert saved is not None
    assert len(saved) == library.status().chunks
    ids, vectors = library.store.nearest.vectors_of(saved.ids)
    assert ids.tolist() == saved.ids.tolist()
    fresh = VectorIndex(MODEL.dim)
    fresh.add(ids, ids, vectors)
    return bool(fresh._codes.to_bytes() == saved._codes.to_bytes())


def files_of(folder: Path) -> dict[Path, bytes]:
    """Every file with its content, but for the index of the log, which is memory that has a name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in files if not path.name.endswith("-shm")}


def left(folder: Path, wanted: set[bytes]) -> set[tuple[str, bytes]]:
    """Which of ``wanted`` stand in which file."""
    held = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {(name, each) for name, content in held.items() for each in wanted if each in content}


def secret_note(folder: Path) -> Path:
    path = folder / "zanzibarine-quokkas.md"
    path.write_text(SECRET, "utf-8")
    return path


def test_a_deleted_file_leaves_no_byte(library: Library, tmp_path: Path) -> None:
    fill(tmp_path / "notes")
    secret = secret_note(tmp_path / "notes")
    library.index(tmp_path / "notes")
    half = MODEL.embed_passages([SECRET]).astype("<f2").tobytes()
    wanted = traces(SECRET) | {secret.name.encode()}
    assert {each for _, each in left(library.path, wanted)} >= {SECRET.encode(), half, secret.name.encode()}
    secret.unlink()
    library.index(tmp_path / "notes")
    library.upkeep.compact()
    assert left(library.path, wanted) == set()
    assert vector_file_is_as_if_new(library)


def test_a_removed_document_leaves_no_byte_of_its_title_and_metadata(library: Library) -> None:
    library.add([Document(f"made:{number}", note(number)) for number in range(60)])
    secret = Document(
        "made:kakapo", "plain text", title="Kakapos unveiled", metadata={"key": "wombatish", "n": 7.25e31}
    )
    library.add([secret])
    wanted = {b"made:kakapo", b"Kakapos", b"kakapos", b"wombatish", b"7.25e+31"}
    assert {name for name, _ in left(library.path, wanted)} == {"catalog.db"}
    assert library.remove("made:kakapo") == 1
    library.upkeep.compact()
    assert left(library.path, wanted) == set()


def test_an_edit_that_takes_a_paragraph_out_leaves_no_byte_of_it(library: Library, tmp_path: Path) -> None:
    fill(tmp_path / "notes")
    edited = tmp_path / "notes" / "note7.md"
    edited.write_text(note(7, SECRET), "utf-8")
    library.index(tmp_path / "notes")
    assert left(library.path, {SECRET.encode()})
    edited.write_text(note(7), "utf-8")
    library.index(tmp_path / "notes")
    library.upkeep.compact()
    whole = embedded_text(("note 7",), SECRET)
    assert left(library.path, traces(SECRET) | {text_hash(whole)}) == set()


def test_many_names_that_went_leave_none(library: Library) -> None:
    uris = [f"made:{(number * 7919) % 100_003:06}-name" for number in range(3000)]
    library.add([Document(uri, f"text {number}", title=uri) for number, uri in enumerate(uris)])
    library.remove(*uris[::3])
    library.upkeep.compact()
    assert left(library.path, {uri.encode() for uri in uris[::3]}) == set()
    assert len(list(library.documents())) == 2000


def test_what_was_deleted_is_gone_from_the_catalog_without_compaction(library: Library, tmp_path: Path) -> None:
    fill(tmp_path / "notes", 5)
    secret = secret_note(tmp_path / "notes")
    library.index(tmp_path / "notes")
    secret.unlink()
    library.index(tmp_path / "notes")
    names = {name for name, _ in left(library.path, {SECRET.encode(), *traces(SECRET)})}
    assert not {name for name in names if name.startswith("catalog")}


def test_compaction_done_again_does_nothing(library: Library, tmp_path: Path) -> None:
    fill(tmp_path / "notes")
    library.index(tmp_path / "notes")
    shutil.rmtree(tmp_path / "notes")
    fill(tmp_path / "notes", 20)
    library.index(tmp_path / "notes")
    first = library.upkeep.compact()
    content = files_of(library.path)
    second = library.upkeep.compact()
    assert first.freed > 0
    assert first.note == second.note == ""
    assert (second.freed, second.changes, second.leftovers) == (0, 0, ())
    assert files_of(library.path) == content
    assert len(library.search("n3l2", mode="lexical")) == 1
    assert library.doctor() == []


def test_the_size_is_stable_over_fifty_rewrites(library: Library, tmp_path: Path) -> None:
    sizes = []
    for cycle in range(50):
        (tmp_path / "notes").mkdir(exist_ok=True)
        for number in range(30):
            (tmp_path / "notes" / f"note{number}.md").write_text(note(number + 100 * cycle, f"cycle {cycle}"), "utf-8")
        report = library.index(tmp_path / "notes")
        assert report.added + report.updated == 30
        sizes.append(sum(library.status().files.values()))
    assert max(sizes[5:]) <= 1.15 * sizes[4]
    assert library.store.catalog.value("SELECT count(*) FROM change") < 100
    assert library.doctor() == []
