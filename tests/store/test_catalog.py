"""The catalog: created once, newer ones refused, damage named, transactions whole, the write lock between processes."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from ammon.errors import LibraryBusy, LibraryDamaged, LibraryNewer, LibraryNotFound
from ammon.store.local.catalog import CATALOG_NAME, Catalog
from ammon.store.local.documents import drop_documents, put_entry, read_document
from ammon.types import Chunk, Document, Entry


def entry(uri: str, *texts: str) -> Entry:
    """A document of paragraphs, one chunk each."""
    whole, chunks = "\n\n".join(texts) + "\n", []
    for ordinal, text in enumerate(texts):
        start = whole.index(text)
        chunks.append(Chunk(ordinal, start, start + len(text), text, ordinal * 2 + 1, ordinal * 2 + 1, tokens=3))
    return Entry(Document(uri, whole), chunks, content_hash="0")


def test_a_library_keeps_its_identity(tmp_path: Path) -> None:
    first = Catalog(tmp_path / "a")
    again = Catalog(tmp_path / "a", create=False)
    assert again.uuid == first.uuid
    assert Catalog(tmp_path / "b").uuid != first.uuid


def test_a_library_that_is_not_there_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotFound, match="no library") as caught:
        Catalog(tmp_path / "none", create=False)
    assert "ammon index" in caught.value.hint
    assert not (tmp_path / "none").exists()


def test_a_library_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    with catalog.writing():
        catalog.rows("UPDATE meta SET value = '99' WHERE key = 'schema'")
    catalog.close()
    with pytest.raises(LibraryNewer, match="schema 99"):
        Catalog(tmp_path)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / CATALOG_NAME).write_bytes(b"not a database, by any means" * 100)
    with pytest.raises(LibraryDamaged, match=CATALOG_NAME):
        Catalog(tmp_path)


def test_a_document_is_kept_whole_and_given_back_whole(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), entry("a", "one", "二", "three")
    with catalog.writing():
        put_entry(catalog, whole)
    found = read_document(catalog, "a")
    assert found is not None
    assert found.text == whole.document.text
    assert read_document(catalog, "b") is None


def test_a_failed_batch_leaves_nothing_behind(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    with catalog.writing():
        put_entry(catalog, entry("a", "before"))
    before = catalog.sequence()
    with pytest.raises(ZeroDivisionError), catalog.writing():
        put_entry(catalog, entry("a", "after"))
        put_entry(catalog, entry("b", "new"))
        raise ZeroDivisionError
    assert catalog.sequence() == before
    assert [row[0] for row in catalog.rows("SELECT text FROM chunk")] == ["before"]


def test_ids_are_never_reused(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    seen: set[int] = set()
    for _ in range(3):
        with catalog.writing():
            put_entry(catalog, entry("a", "one", "two"))
        ids = {row[0] for row in catalog.rows("SELECT id FROM chunk")}
        assert len(ids) == 2
        assert not ids & seen
        seen |= ids
        with catalog.writing():
            assert drop_documents(catalog, ["a"]) == 1


def test_a_reader_never_sees_half_a_batch(tmp_path: Path) -> None:
    writer, counts, done = Catalog(tmp_path), [], threading.Event()

    def read() -> None:
        reader = Catalog(tmp_path)
        while not done.is_set():
            counts.append(reader.value("SELECT count(*) FROM chunk"))
        reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(30):
        with writer.writing():
            for part in range(5):
                put_entry(writer, entry(f"{number}-{part}", "one", "two"))
    done.set()
    thread.join()
    assert counts == sorted(counts)
    assert {count % 10 for count in counts} == {0}


HOLD = """
import sys, time
from pathlib import Path
from ammon.store.local.catalog import Catalog
with Catalog(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_the_lock_of_another_process_is_waited_for_and_freed_by_its_death(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path, lock_timeout=0.2)
    holder = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LibraryBusy), catalog.writing():
            pass
        assert catalog.value("SELECT count(*) FROM chunk") == 0
    finally:
        holder.kill()
        holder.communicate()
    with catalog.writing():
        put_entry(catalog, entry("a", "one"))
    assert catalog.value("SELECT count(*) FROM chunk") == 1
