"""Compaction and what is due after a run: nothing is lost, nobody sees less meanwhile, and nothing grows for ever."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ammon.store.local import compaction, documents
from ammon.store.local.catalog import Catalog
from ammon.store.local.compaction import compact
from ammon.store.local.derived.kept_vectors import vector_file
from ammon.store.local.derived.replay import horizon
from ammon.store.local.derived.vectors import saved_sequence
from ammon.store.local.files import checkpoints
from ammon.store.local.spaces import claim_space
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry
from toy_embedder import TrigramEmbedder

MODEL = TrigramEmbedder()


def entries(names: Sequence[str], text: str = "common") -> list[Entry]:
    made = [(name, f"{text} word{name}") for name in names]
    return [Entry(Document(name, whole), [Chunk(0, 0, len(whole), whole, 1, 1)], whole) for name, whole in made]


def embed(store: LocalStore) -> None:
    claim_space(store.catalog, MODEL.name, MODEL.fingerprint, MODEL.dim)
    pending = store.pending(100_000)
    store.put_vectors([each.text_hash for each in pending], MODEL.embed_passages([each.text for each in pending]))
    store.settle()


def numbers(count: int, first: int = 0) -> list[str]:
    return [str(number) for number in range(first, first + count)]


def filled(folder: Path, count: int = 60) -> LocalStore:
    store = LocalStore(folder)
    store.put(entries(numbers(count)))
    embed(store)
    return store


def pack(store: LocalStore) -> compaction.Compaction:
    return compact(store.catalog, store.words, store.nearest)


def found(store: LocalStore) -> tuple[set[str], set[str]]:
    """The uris that either leg finds for what all texts have in common."""
    ids = store.lexical("common", 10_000).ids, store.dense(MODEL.embed_queries(["common word"])[0], 10_000).ids
    words, near = ({record.uri for record in store.records(each)} for each in ids)
    return words, near


def test_a_process_that_lags_behind_the_log_takes_the_file_up_again(tmp_path: Path) -> None:
    store = filled(tmp_path)
    lagging = LocalStore(tmp_path, create=False)
    assert found(lagging) == (set(numbers(60)),) * 2
    for number in range(5):
        store.remove([str(number)])
        store.put(entries([f"new{number}"]))
        embed(store)
        pack(store)
    index = lagging.nearest._index
    assert index is not None
    assert index.sequence < horizon(store.catalog)
    expected = {*numbers(55, 5), *(f"new{number}" for number in range(5))}
    assert found(lagging) == (expected, expected)


def test_an_index_file_older_than_the_log_is_passed_over(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.nearest.save(always=True)
    file = vector_file(tmp_path, 1)
    older = file.read_bytes()
    store.remove(["3"])
    store.put(entries(["new"]))
    embed(store)
    pack(store)
    store.close()
    file.write_bytes(older)
    again = LocalStore(tmp_path, create=False)
    reached = saved_sequence(file, library=again.catalog.uuid, space=1)
    assert reached is not None
    assert reached < horizon(again.catalog)
    assert again.nearest.reached() is None
    assert found(again) == ({*numbers(60), "new"} - {"3"},) * 2
    again.close()


def test_the_log_is_kept_as_long_as_the_vector_file_needs_it(tmp_path: Path) -> None:
    store = filled(tmp_path)
    store.remove(["3"])
    store.settle()
    kinds = [row[0] for row in store.catalog.rows("SELECT kind FROM change")]
    assert "chunks removed" in kinds
    before = store.nearest.reached()
    assert before is not None
    assert horizon(store.catalog) <= before
    again = LocalStore(tmp_path, create=False)
    assert found(again) == (set(numbers(60)) - {"3"},) * 2


def test_the_vector_file_is_written_anew_when_its_rows_were_exchanged(tmp_path: Path) -> None:
    store = filled(tmp_path)
    for cycle in range(3):
        store.put(entries(numbers(60), f"common cycle{cycle}"))
        embed(store)
        assert store.nearest.reached() == store.catalog.sequence()
    assert store.catalog.value("SELECT count(*) FROM change") == 1


def test_readers_see_no_less_while_it_is_compacted(tmp_path: Path) -> None:
    store = filled(tmp_path, 400)
    for cycle in range(3):
        store.put(entries(numbers(400), f"common again{cycle}"))
        embed(store)
    seen: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            reader = LocalStore(tmp_path, create=False)
            seen.extend(map(len, found(reader)))
            reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    for cycle in range(6):
        store.remove(["extra"])
        store.put(entries(["extra"], f"unlike{cycle}"))
        assert pack(store).note in {"", "catalog.db-wal is still there: another program is reading from it."}
    done.set()
    thread.join()
    assert len(seen) > 4
    assert set(seen[0::2]) == {400}
    assert min(seen) == 400
    store.close()


def test_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    store = filled(tmp_path)
    draft = tmp_path / ("lexical." + "0a" * 16)
    draft.mkdir()
    (draft / "meta.json").write_text("{}", "utf-8")
    for name in ("vectors-1.idx.part", "vectors-7.idx"):
        (tmp_path / name).write_bytes(b"left")
    assert set(pack(store).leftovers) == {draft.name, "vectors-1.idx.part", "vectors-7.idx"}
    assert not [path for path in tmp_path.iterdir() if path.name in {draft.name, "vectors-1.idx.part"}]
    assert found(store) == (set(numbers(60)),) * 2


def test_the_catalog_is_not_written_anew_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path)
    store.remove(["3"])
    monkeypatch.setattr(compaction, "SPARE_BYTES", 1 << 60)
    assert "was not written anew" in pack(store).note
    monkeypatch.undo()
    assert pack(store).note == ""


def test_a_catalog_that_is_mostly_free_is_written_anew_after_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FREE_BYTES", 1)
    store = filled(tmp_path, 600)
    before = store.catalog.value("PRAGMA page_count")
    store.remove(numbers(500))
    store.settle()
    assert store.catalog.value("PRAGMA freelist_count") == 0
    assert store.catalog.value("PRAGMA page_count") < before / 2
    assert found(store) == (set(numbers(100, 500)),) * 2


def log_bytes(folder: Path) -> int:
    log = folder / "catalog.db-wal"
    return log.stat().st_size if log.exists() else 0


def test_the_log_stays_short_through_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "WAL_KEPT_BYTES", 1 << 20)
    store, highest = LocalStore(tmp_path), 0
    for batch in range(40):
        store.put(entries(numbers(20, 20 * batch), "common " * 1000))
        highest = max(highest, log_bytes(tmp_path))
    assert store.catalog.path.stat().st_size > 4 << 20
    assert highest < 3 << 20
    store.settle()
    assert log_bytes(tmp_path) == 0


def test_the_log_is_cut_as_soon_as_a_long_reader_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "WAL_KEPT_BYTES", 1 << 20)
    store, reader = LocalStore(tmp_path), Catalog(tmp_path)
    with reader.reading():
        assert reader.value("SELECT count(*) FROM chunk") == 0
        for batch in range(10):
            store.put(entries(numbers(20, 20 * batch), "common " * 2000))
        assert reader.value("SELECT count(*) FROM chunk") == 0
        assert log_bytes(tmp_path) > 1 << 20
    store.put(entries(["last"]))
    assert log_bytes(tmp_path) == 0
    reader.close()
    store.close()


def test_a_listing_holds_no_view_between_its_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "PAGE", 7)
    store = filled(tmp_path, 60)
    listing = store.documents()
    assert next(listing).uri == "0"
    store.put(entries(["later"]))
    store.settle()
    assert log_bytes(tmp_path) == 0
    assert [record.uri for record in listing] == sorted([*numbers(60)[1:], "later"])


KILLED = """
import os, sys
from pathlib import Path
from ammon.store.local import compaction
from ammon.store.local.files import checkpoints
from ammon.store.local.store import LocalStore
at = int(sys.argv[2])
calls = 0
def dying(module, name):
    real = getattr(module, name)
    def call(*given, **named):
        global calls
        calls += 1
        if calls == at:
            os._exit(9)
        return real(*given, **named)
    setattr(module, name, call)
for name in ("settle", "remove_leftovers", "prune", "_vacuum", "cut_log", "size_of"):
    dying(compaction, name)
store = LocalStore(Path(sys.argv[1]), create=False)
compaction.compact(store.catalog, store.words, store.nearest)
"""


def test_a_kill_between_any_two_steps_loses_nothing(tmp_path: Path) -> None:
    store = filled(tmp_path)
    for at in range(1, 8):
        store.remove([str(at)])
        store.put(entries([f"new{at}"]))
        embed(store)
        ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(at)], check=False)
        assert ended.returncode == (9 if at <= 7 else 0)
        expected = {*numbers(60), *(f"new{each}" for each in range(1, at + 1))} - set(numbers(at, 1))
        again = LocalStore(tmp_path, create=False)
        assert found(again) == (expected, expected)
        assert pack(again).note == ""
        assert found(again) == (expected, expected)
        again.close()


def test_vectors_of_an_empty_library_are_no_hindrance(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    pack(store)
    claim_space(store.catalog, MODEL.name, MODEL.fingerprint, MODEL.dim)
    pack(store)
    store.put(entries(["a"]))
    embed(store)
    assert found(store) == ({"a"}, {"a"})
    assert np.array_equal(store.lexical("worda", 1).ids, store.dense(MODEL.embed_queries(["worda"])[0], 1).ids)
