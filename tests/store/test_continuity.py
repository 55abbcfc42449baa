"""A catalog that has lost what was durable says so, whichever file was lost; one that merely crashed does not."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from ammon.errors import LibraryDamaged
from ammon.store.local.catalog import CATALOG_NAME, Catalog
from ammon.store.local.checking.doctor import diagnose
from ammon.store.local.documents import put_entry
from ammon.store.local.files.continuity import WentBack
from ammon.store.local.files.pages import PAGE_BYTES, restored
from ammon.store.local.files.raw_pages import open_pages
from ammon.store.local.files.wal import read_log
from ammon.store.local.files.witness import WITNESS_NAME, Witness
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry

LOG_NAME = f"{CATALOG_NAME}-wal"
COMMITS = 9


def entry(number: int) -> Entry:
    text = f"word{number} " * 300
    return Entry(Document(str(number), text), [Chunk(0, 0, len(text), text, 1, 1)], "x")


def killed(folder: Path) -> Path:
    """A library whose writer was killed: one commit makes it, nine fill it, and all of them are still in its log."""
    pid = os.fork()
    if pid == 0:
        catalog = Catalog(folder)
        for number in range(COMMITS):
            with catalog.writing():
                put_entry(catalog, entry(number))
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    return folder


def held(folder: Path) -> int:
    catalog = Catalog(folder, create=False)
    count = int(catalog.value("SELECT count(*) FROM document"))
    catalog.close()
    return count


def test_a_crash_is_no_loss(tmp_path: Path) -> None:
    folder = killed(tmp_path / "library")
    log = read_log(folder / LOG_NAME)
    assert (log.first, log.last, log.durable) == (1, COMMITS + 1, COMMITS)
    assert held(folder) == COMMITS
    assert diagnose(folder) == []


def test_a_torn_end_of_the_log_that_was_never_acknowledged_is_no_loss(tmp_path: Path) -> None:
    folder = killed(tmp_path / "library")
    (folder / WITNESS_NAME).unlink()  # as it was before the last commit was acknowledged, at the latest
    os.truncate(folder / LOG_NAME, (folder / LOG_NAME).stat().st_size - 1000)
    assert held(folder) == COMMITS - 1


def test_a_bad_frame_before_later_commits_is_damage_even_without_a_witness(tmp_path: Path) -> None:
    folder = killed(tmp_path / "library")
    (folder / WITNESS_NAME).unlink()
    before = (folder / LOG_NAME).read_bytes()
    content = bytearray(before)
    content[len(content) // 2] ^= 1
    (folder / LOG_NAME).write_bytes(content)
    with pytest.raises(LibraryDamaged, match="durable"):
        Catalog(folder)
    assert (folder / LOG_NAME).read_bytes() == bytes(content), "what is left of it was touched"
    (folder / LOG_NAME).write_bytes(before)
    assert held(folder) == COMMITS


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("damage", [Path.unlink, empty, cut])
def test_commits_that_went_with_the_log_are_missed_until_the_loss_is_accepted(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / "library"
    Catalog(folder).close()
    damage(killed(folder) / LOG_NAME)
    for _ in range(2):
        with pytest.raises(WentBack, match=f"commit {COMMITS + 1} was durable") as caught:
            Catalog(folder)
        assert "ammon doctor" in caught.value.hint
    assert [(finding.file, finding.repaired) for finding in diagnose(folder)] == [(CATALOG_NAME, False)]
    assert all(finding.repaired and "ammon index" in finding.hint for finding in diagnose(folder, repair=True))
    assert diagnose(folder) == []
    assert held(folder) < COMMITS


def test_an_older_catalog_under_a_newer_log_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    Catalog(folder).close()
    shutil.copy(folder / CATALOG_NAME, tmp_path / "older")
    catalog = Catalog(folder)
    with catalog.writing():
        put_entry(catalog, entry(100))
    catalog.close()
    killed(folder)
    shutil.copy(tmp_path / "older", folder / CATALOG_NAME)
    with pytest.raises(LibraryDamaged, match="older than its log"):
        Catalog(folder)


def test_an_older_copy_of_the_whole_folder_is_a_restore(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    Catalog(folder).close()
    shutil.copytree(folder, tmp_path / "older")
    killed(folder)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "older", folder)
    assert held(folder) == 0


def test_what_was_derived_tells_of_an_older_catalog_too(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    LocalStore(folder).close()
    shutil.copy(folder / CATALOG_NAME, tmp_path / "older")
    store = LocalStore(folder)
    store.put([entry(1)])
    store.close()
    shutil.copy(tmp_path / "older", folder / CATALOG_NAME)
    (folder / WITNESS_NAME).unlink()
    with pytest.raises(WentBack, match="lexical holds change"):
        LocalStore(folder, create=False)
    assert all(finding.repaired for finding in diagnose(folder, repair=True))
    assert diagnose(folder) == []


def test_a_catalog_that_is_gone_is_not_begun_anew_over_what_was_derived_from_it(tmp_path: Path) -> None:
    Catalog(tmp_path).close()
    for lose in (empty, Path.unlink):
        lose(tmp_path / CATALOG_NAME)
        with pytest.raises(LibraryDamaged, match="gone or empty"):
            Catalog(tmp_path)


def test_a_witness_that_was_cut_short_still_knows_the_commit_before(tmp_path: Path) -> None:
    witness = Witness(tmp_path)
    for number in (1, 2, 3):
        witness.note("a", number)
    content = (tmp_path / WITNESS_NAME).read_bytes()
    (tmp_path / WITNESS_NAME).write_bytes(content[:64] + b"0" * 32 + content[96:])
    assert witness.read() == {"a": 2}
    assert witness.is_readable()
    (tmp_path / WITNESS_NAME).write_bytes(b"nothing of the kind")
    assert (witness.read(), witness.is_readable()) == ({}, False)


def test_a_single_wrong_byte_of_the_catalog_is_put_right(tmp_path: Path) -> None:
    folder = killed(tmp_path / "library")
    assert held(folder) == COMMITS
    path = folder / CATALOG_NAME
    sound = path.read_bytes()
    for at in (0, 16, 20, 61, 3 * PAGE_BYTES + 1000, 3 * PAGE_BYTES + 4090):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x10]) + sound[at + 1 :])
        assert {finding.file for finding in diagnose(folder)} == {CATALOG_NAME}
        assert all(finding.repaired for finding in diagnose(folder, repair=True))
        assert path.read_bytes() == sound


def test_a_page_is_mended_to_what_it_was_or_not_at_all(tmp_path: Path) -> None:
    assert held(killed(tmp_path / "library")) == COMMITS
    sound = (tmp_path / "library" / CATALOG_NAME).read_bytes()
    random, mended = Random(5), []
    for _ in range(60):
        number = random.randrange(1, len(sound) // PAGE_BYTES)
        page = sound[number * PAGE_BYTES :][:PAGE_BYTES]
        if any(page):
            wrong = bytearray(page)
            wrong[random.randrange(PAGE_BYTES)] ^= 1 << random.randrange(8)
            mended.append(restored(bytes(wrong), number + 1) in (page, None) and restored(bytes(wrong), 9) == page)
            for _ in range(2):
                wrong[random.randrange(PAGE_BYTES)] ^= random.randrange(1, 256)
            assert restored(bytes(wrong), number + 1) in (page, None)
    assert sum(mended) / len(mended) > 0.6


def test_pages_of_a_live_library_are_sound(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    with catalog.writing():
        put_entry(catalog, entry(1))
    catalog.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    pages = open_pages(catalog.path)
    assert pages.damaged() == []
    assert pages.count > 10
    pages.close()
    assert held(tmp_path) == 1
    catalog.close()
