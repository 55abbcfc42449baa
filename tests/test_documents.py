"""A folder of documents, from files to hits: read in the sandbox, found, cited at their place, told of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import pytest

from ammon import Library
from ammon.types import Hit, Report
from document_files import docx, epub, mail, packed, paragraph, pdf, pptx, word_table, xlsx
from toy_embedder import TrigramEmbedder

Find: TypeAlias = Callable[[str], tuple[str, Hit]]

PDF = pdf(
    [
        [(72, 700, 11, "Honeybees dance to tell the others where flowers are.")],
        [(72, 700, 11, "In winter the hive lives on the honey of the summer.")],
    ]
)
FILES: dict[str, bytes] = {
    "bees.pdf": PDF,
    "tea.docx": docx(paragraph("Green tea", 1) + paragraph("Water of eighty degrees keeps it from going bitter.")),
    "plan.pptx": pptx([("Second", "The bakery opens in May."), ("First", "The oven arrives in March.")], "Ask Ada."),
    "costs.xlsx": xlsx({"Summary": [["nothing here"]], "Costs": [["item", "price"], ["oven", 2400], ["flour", 31.5]]}),
    "letter.eml": mail("Spare key", "It hangs behind the clock.", {"report.pdf": PDF}),
    "book.epub": epub([("Dawn", "The lighthouse keeper slept."), ("Dusk", "The lamp was lit again.")]),
    "old.zip": packed(
        {"notes/鲸.txt": "鲸鱼用歌声在海里说话。", "inner.zip": packed({"deep.md": "# Deep\n\nA squid."})}
    ),
}


def written(folder: Path) -> Path:
    """The folder, with the files in it."""
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written(tmp_path / "files")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with closing(Library(tmp_path / "library", embedder=TrigramEmbedder())) as library:
        yield library


@pytest.fixture
def indexed(library: Library, folder: Path) -> Report:
    return library.index(folder)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Find]:
    """Gives the best hit for some words, and its citation without the folder."""
    place = tmp_path_factory.mktemp("read")
    folder = written(place / "files")
    with closing(Library(place / "library", embedder=TrigramEmbedder())) as library:
        assert library.index(folder).failed == ()

        def find(words: str) -> tuple[str, Hit]:
            hit = library.search(words, k=1, mode="lexical")[0]
            return hit.citation.removeprefix(f"{folder}/"), hit

        yield find


@pytest.mark.parametrize(
    ("words", "citation"),
    [
        ("honeybees dance", "bees.pdf, page 1"),
        ("honey of the summer", "bees.pdf, page 2"),
        ("eighty degrees", "tea.docx:1-3"),
        ("the oven arrives", "plan.pptx, slide 1"),
        ("the bakery opens", "plan.pptx, slide 2"),
        ("flour", "costs.xlsx, sheet Costs, row 3"),
        ("behind the clock", "letter.eml:1-6"),
        ("lighthouse keeper", "book.epub, chapter 1"),
        ("鲸鱼", "old.zip!/notes/鲸.txt:1"),
        ("squid", "old.zip!/inner.zip!/deep.md:1-3"),
    ],
)
def test_each_is_found_and_cited_at_its_place(found: Find, words: str, citation: str) -> None:
    assert found(words)[0] == citation


def test_a_hit_in_a_pdf_has_its_box(found: Find) -> None:
    (box,) = found("honeybees dance")[1].boxes
    assert box.page == 1
    assert 842 - 700 - 11 < box.top < box.bottom < 842 - 700 + 11
    assert 71 < box.left < 74
    assert 300 < box.right < 595


def test_an_attachment_is_a_document_of_its_own(library: Library, indexed: Report, folder: Path) -> None:
    uris = [record.uri.removeprefix(f"{folder}/") for record in library.documents({"media_type": "application/pdf"})]
    assert uris == ["bees.pdf", "letter.eml!/report.pdf"]
    assert indexed.kinds["application/pdf"] == 2
    assert indexed.pages == 2 * 2 + 2 + 2 + 2


def test_nothing_is_read_again_and_what_changes_is(library: Library, indexed: Report, folder: Path) -> None:
    assert indexed.added == len(FILES)
    assert library.index(folder).unchanged == len(FILES)
    (folder / "letter.eml").write_bytes(mail("Spare key", "It hangs behind the mirror."))
    (folder / "old.zip").rename(folder / "new.zip")
    (folder / "bees.pdf").unlink()
    again = library.index(folder)
    assert (again.updated, again.renamed, again.removed) == (1, 1, 1)
    assert not [hit for hit in library.search("honeybees", mode="lexical") if "report.pdf" in hit.uri]
    assert library.search("squid", k=1, mode="lexical")[0].uri == f"{folder}/new.zip!/inner.zip!/deep.md"


def test_bad_documents_cost_themselves_only(library: Library, folder: Path) -> None:
    (folder / "cut.pdf").write_bytes(PDF[:60])
    (folder / "cut.docx").write_bytes(FILES["tea.docx"][:200])
    (folder / "odd.zip").write_bytes(packed({"bad.pdf": PDF[:60], "good.txt": "A cormorant dries its wings."}))
    report = library.index(folder)
    told = {skip.uri.removeprefix(f"{folder}/"): skip.code for skip in report.failed}
    assert told == {"cut.pdf": "malformed", "cut.docx": "malformed", "odd.zip!/bad.pdf": "malformed"}
    assert report.added == len(FILES) + 1
    assert library.search("cormorant", k=1, mode="lexical")[0].uri == f"{folder}/odd.zip!/good.txt"
    assert [skip.uri for skip in library.status().failed] == sorted(skip.uri for skip in report.failed)


def test_a_document_under_a_wrong_name_is_read_as_what_it_is(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "bees.txt").write_bytes(PDF)
    (folder / "tea.pdf").write_bytes(FILES["tea.docx"])
    (folder / "page.doc").write_bytes(b"<html><body><h1>Herons</h1><p>They stand still for hours.</p></body></html>")
    report = library.index(folder)
    assert report.failed == ()
    assert library.search("honeybees", k=1, mode="lexical")[0].page == 1
    assert library.search("herons", k=1, mode="lexical")[0].media_type == "text/html"


def test_a_document_that_is_not_in_the_library_can_be_asked_for_its_like(
    library: Library, indexed: Report, tmp_path: Path, folder: Path
) -> None:
    assert indexed.added
    elsewhere = tmp_path / "dance.docx"
    elsewhere.write_bytes(docx(word_table([["Honeybees dance", "to tell where flowers are"]])))
    assert library.similar(elsewhere, k=1)[0].uri.removeprefix(f"{folder}/") in ("bees.pdf", "letter.eml!/report.pdf")
