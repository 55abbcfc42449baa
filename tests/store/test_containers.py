"""What is in a file is stored with the file, moves with it and goes with it; boxes and remarks come back as stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ammon.errors import InputError
from ammon.search.hits import make_hit
from ammon.split import splitter
from ammon.store.local.documents import read_document
from ammon.store.local.moving.exporting import export
from ammon.store.local.moving.importing import import_file
from ammon.store.local.passages import text_of
from ammon.store.local.recognised import Row
from ammon.store.local.store import LocalStore
from ammon.types import Box, Chunk, Document, Entry, Remark, Skip, Source, Why

MAIL = "/mail.eml"
PAGES = "First page.\nSecond page."
BOXES = (Box(0, 11, 1, 72.0, 72.25, 200.5, 84.0), Box(12, 24, 2, 72.0, 700.0, 201.0, 712.0, 0.91))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    with closing(LocalStore(tmp_path / "library")) as store:
        yield store


def entry(uri: str, text: str, container: str = "") -> Entry:
    document = Document(uri, text)
    return Entry(document, [Chunk(0, 0, len(text), text, 1, 1)], f"hash of {uri}", container=container)


def mail(*attachments: str) -> list[Entry]:
    """A mail with its attachments."""
    return [entry(MAIL, "a mail"), *(entry(f"{MAIL}!/{name}", f"text of {name}", MAIL) for name in attachments)]


def paged() -> Entry:
    """A document of two pages, the second one recognised."""
    remarks = (Remark("low-confidence", "Page 2 was hard to read."),)
    document = Document("/scan.pdf", PAGES, "application/pdf", boxes=BOXES, remarks=remarks)
    chunks = [Chunk(0, 0, 11, PAGES[:11], 1, 1, page=1), Chunk(1, 12, 24, PAGES[12:], 2, 2, page=2)]
    return Entry(document, chunks, "hash of scan")


def uris(store: LocalStore) -> list[str]:
    return [record.uri for record in store.documents()]


def test_what_is_in_a_file_is_found_and_named_by_it(store: LocalStore) -> None:
    store.put(mail("report.pdf"))
    (record,) = store.records(store.lexical("report", 5).ids)
    assert (record.uri, record.container) == (f"{MAIL}!/report.pdf", MAIL)


def test_a_file_that_is_read_again_keeps_nothing_that_is_no_longer_in_it(store: LocalStore) -> None:
    store.put(mail("a", "b"))
    store.put(mail("b", "c"))
    assert uris(store) == [MAIL, f"{MAIL}!/b", f"{MAIL}!/c"]
    assert len(store.lexical("text", 9).ids) == 2


def test_a_removed_file_takes_what_is_in_it_along(store: LocalStore) -> None:
    store.put([*mail("a", "b"), entry("/other", "stays")])
    assert store.remove([MAIL]) == 1
    assert uris(store) == ["/other"]


def test_a_folder_whose_name_looks_like_a_file_with_members_is_left_alone(store: LocalStore) -> None:
    store.put([entry(f"{MAIL}!/in a folder", "no member"), *mail("a")])
    store.remove([MAIL])
    assert uris(store) == [f"{MAIL}!/in a folder"]


def test_only_files_are_known_to_the_ledger(store: LocalStore) -> None:
    store.put(mail("a", "b"))
    assert list(store.ledger.known()) == [MAIL]


def test_a_renamed_file_gives_its_name_to_what_is_in_it(store: LocalStore) -> None:
    store.put(mail("a"))
    root = store.ledger.root("/", ())
    store.ledger.rename(MAIL, Source(Path("/new.eml"), "/new.eml", 0, 7), root)
    assert uris(store) == ["/new.eml", "/new.eml!/a"]
    assert [record.container for record in store.documents()] == ["", "/new.eml"]


def test_a_member_that_could_not_be_read_is_told_and_goes_with_its_file(store: LocalStore) -> None:
    skip = Skip(f"{MAIL}!/b", "encrypted", "It is encrypted.")
    failed = Entry(Document(skip.uri, ""), (), "hash", container=MAIL, failure=skip)
    store.put([*mail("a"), failed])
    assert store.ledger.failed() == [skip]
    store.put(mail("a"))
    assert store.ledger.failed() == []


def test_a_file_that_cannot_be_read_any_more_loses_what_was_in_it(store: LocalStore) -> None:
    store.put(mail("a"))
    source = Source(Path(MAIL), MAIL, 1, 2)
    store.ledger.leave_out(source, None, Skip(MAIL, "malformed", "broken"), state="failed", content_hash="x")
    assert uris(store) == []


def test_boxes_and_remarks_come_back_as_they_were_stored(store: LocalStore) -> None:
    store.put([paged()])
    document = read_document(store.catalog, "/scan.pdf")
    assert document is not None
    assert (document.boxes, document.remarks) == (BOXES, paged().document.remarks)
    assert store.ledger.flagged() == [Skip("/scan.pdf", "low-confidence", "Page 2 was hard to read.")]


def test_a_hit_has_the_boxes_of_its_passage(store: LocalStore) -> None:
    store.put([paged()])
    (record,) = store.records(store.lexical("second", 5).ids)
    hit = make_hit(record, 1.0, Why())
    assert (hit.boxes, hit.citation) == ((BOXES[1],), "/scan.pdf, page 2")


def test_the_text_of_a_page_is_that_page(store: LocalStore) -> None:
    store.put([paged()])
    assert [text_of(store.catalog, "/scan.pdf", page) for page in (None, 1, 2)] == [PAGES, PAGES[:11], PAGES[12:]]
    with pytest.raises(InputError, match="no page 3"):
        text_of(store.catalog, "/scan.pdf", 3)


def test_a_document_that_is_read_again_without_boxes_has_none(store: LocalStore) -> None:
    store.put([paged()])
    store.put([entry("/scan.pdf", "plain")])
    assert store.catalog.value("SELECT count(*) FROM layout") == 0


def test_pages_that_were_recognised_are_kept_until_their_document_is_stored(store: LocalStore) -> None:
    line: Row = ["text", 1.0, 2.0, 3.0, 4.0, 0.9]
    store.recognised.put("hash of scan", "1", [line])
    assert store.recognised.known("hash of scan") == {"1": [line]}
    store.put([paged()])
    assert store.recognised.known("hash of scan") == {}


def test_an_export_carries_boxes_remarks_and_what_is_in_files(store: LocalStore, tmp_path: Path) -> None:
    store.put([*mail("a"), paged()])
    export(store.catalog, tmp_path / "export.zip")
    with closing(LocalStore(tmp_path / "other")) as other:
        import_file(other, tmp_path / "export.zip", splitter(None, max_tokens=100, count=len))
        assert [(record.uri, record.container) for record in other.documents()] == [
            (record.uri, record.container) for record in store.documents()
        ]
        assert read_document(other.catalog, "/scan.pdf") == read_document(store.catalog, "/scan.pdf")
        assert np.array_equal(other.lexical("page", 5).scores, store.lexical("page", 5).scores)


def test_an_import_that_replaces_a_file_keeps_what_is_in_it(store: LocalStore, tmp_path: Path) -> None:
    store.put(mail("a"))
    export(store.catalog, tmp_path / "export.zip")
    store.put([entry(MAIL, "another mail"), *mail("a")[1:]])
    import_file(store, tmp_path / "export.zip", splitter(None, max_tokens=100, count=len))
    assert uris(store) == [MAIL, f"{MAIL}!/a"]
