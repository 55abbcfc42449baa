"""A library changes its model while it is used: nothing is asked in vain, nothing is embedded twice, nothing mixes."""

from __future__ import annotations

import json
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ammon import Document, Library
from ammon.embed.endpoint import Patience
from ammon.embed.remote import RemoteEmbedder
from ammon.errors import InputError, ModelChanged, ModelError, ModelMismatch, ModelUnavailable, SettingsError
from ammon.ports import Embedder
from ammon.progress import Progress
from ammon.search import search
from ammon.store.local.backlog import fill, pending
from ammon.store.local.spaces import active_space, begin_space, space_of
from ammon.store.local.succession import take_over
from ammon.types import Query, Vectors
from embedding_server import serving
from reembedding import (
    NARROW,
    QUESTIONS,
    Models,
    answers,
    building_of,
    finished,
    last_line,
    make_library,
    nearest,
    notes,
    spaces,
    texts_of,
    unmixed,
    write_models,
)
from toy_embedder import TrigramEmbedder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Path:
    return make_library(tmp_path_factory.mktemp("made"), models)


@pytest.fixture
def place(tmp_path: Path, made: Path) -> Path:
    """A copy of a library of a few hundred notes, embedded with the wide model."""
    return Path(shutil.copytree(made, tmp_path / "library"))


@pytest.fixture
def library(place: Path, models: Models) -> Iterator[Library]:
    with models.open(place) as opened:
        yield opened


SEARCHING = """
import json, sys
from pathlib import Path
from ammon import Library
from reembedding import answers
seen = []
with Library(sys.argv[1]) as library:
    seen.append(answers(library))
    Path(sys.argv[2]).touch()
    while not Path(sys.argv[3]).exists():
        seen.append(answers(library))
    seen.append(answers(library))
print(json.dumps(seen))
"""


def test_threads_and_processes_that_search_see_the_old_model_then_the_new_and_no_error(
    library: Library, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    before, done = answers(library), threading.Event()
    process = models.start(SEARCHING, library.path, tmp_path / "ready", tmp_path / "over")

    def ask() -> list[list[list[int]]]:
        seen = []
        while not done.is_set():
            seen.append(answers(library))
        return seen

    with ThreadPoolExecutor() as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        try:
            _wait_for(tmp_path / "ready")
            with models.open(library.path) as other:
                report = other.upkeep.reembed(models.narrow)
            after = answers(library)
        finally:
            done.set()
            (tmp_path / "over").touch()
    here, elsewhere = [each.result() for each in asking], json.loads(finished(process))
    assert (report.changed, report.embedded) == (True, texts_of(library))
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert {len(found) for found in (*before, *after)} == {10}
    for seen in (*here, elsewhere):
        assert seen[0] == before
        assert unmixed(seen, before, after) == []
    assert elsewhere[-1] == after


def _wait_for(path: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, "the other process did not begin"
        time.sleep(0.02)


KILLED = """
import json, os, signal, sys
from ammon import Library
library, model, batches = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = 0
def stop(progress):
    global seen
    seen += 1
    if seen == batches:
        os.kill(os.getpid(), signal.SIGKILL)
with Library(library) as opened:
    report = opened.upkeep.reembed(model, stop)
print(json.dumps({"embedded": report.embedded, "texts": report.texts}))
"""


def test_a_killed_change_goes_on_where_it_was_and_embeds_only_the_rest(place: Path, models: Models) -> None:
    done: list[int] = []
    for _ in range(2):
        killed = models.start(KILLED, place, "" if done else models.narrow, 1)
        killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL
        with models.open(place) as library:
            building, texts = building_of(library), texts_of(library)
            assert building.texts == texts
            done.append(building.done)
            assert library.status().model == models.wide
            assert len(nearest(library, "memory")) == 10
    assert 0 < done[0] < done[1] < texts
    report = last_line(finished(models.start(KILLED, place, "", -1)))
    assert report == {"embedded": texts - done[1], "texts": texts}
    with models.open(place) as library:
        assert library.status().model == models.narrow
        assert library.status().building is None
        assert spaces(library)["narrow"] == ("active", texts)


WRITING = """
import sys
from ammon import Document, Library
with Library(sys.argv[1]) as library:
    library.add([Document("late:1", "quite new to everyone"), Document("note:1", "edited while it was embedded")])
    library.remove("note:2")
"""


def test_what_others_add_edit_and_delete_meanwhile_is_covered(library: Library, models: Models) -> None:
    written: list[str] = []

    def write_once(_: Progress) -> None:
        if not written:
            written.append(finished(models.start(WRITING, library.path)))

    gone = library.store.catalog.value(
        "SELECT c.text_hash FROM chunk AS c JOIN document AS d ON d.id = c.document WHERE d.uri = 'note:2'"
    )
    library.upkeep.reembed(models.narrow, write_once)
    assert library.status().pending == 0
    for text, uri in (("quite new to everyone", "late:1"), ("edited while it was embedded", "note:1")):
        hit = library.search(text, 1, mode="dense")[0]
        assert (hit.uri, hit.text) == (uri, text)
        assert hit.why.dense_score == pytest.approx(1, abs=2e-3)
    assert library.store.catalog.rows("SELECT space FROM vector WHERE text_hash = ?", (gone,)) == []
    assert spaces(library)["narrow"] == ("active", texts_of(library))


def test_a_writer_that_never_rests_does_not_put_off_the_swap(library: Library, models: Models) -> None:
    done = threading.Event()

    def write() -> int:
        written = 0
        with models.open(library.path) as other:
            while not done.is_set():
                written += other.add([Document(f"steady:{written}", f"number {written} of many")]).added
        return written

    with ThreadPoolExecutor() as pool:
        writing = pool.submit(write)
        try:
            library.upkeep.reembed(models.narrow)
        finally:
            done.set()
        assert writing.result() > 0
    assert library.status().pending == 0
    assert spaces(library)["narrow"] == ("active", texts_of(library))


def test_a_space_that_lacks_a_text_never_takes_over(library: Library) -> None:
    catalog, model = library.store.catalog, Squares()
    space = begin_space(catalog, model.name, model.fingerprint, model.dim)
    texts = pending(catalog, 1_000_000, space=space)
    for some, expected in ((texts[1:], False), (texts[:1], True)):
        fill(catalog, space, [t.text_hash for t in some], model.embed_passages([t.text for t in some]), 0)
        assert take_over(catalog, space) is expected
        assert (active_space(catalog) == space_of(catalog, model.fingerprint)) is expected


class Meddled(TrigramEmbedder):
    """Does something else once, between making vectors and handing them out."""

    def __init__(self, between: Callable[[], object]) -> None:
        super().__init__()
        self._once = [between]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        rows = super().embed_passages(texts)
        while self._once:
            self._once.pop()()
        return rows


class Squares(Meddled):
    """Another toy of the same size."""

    name = fingerprint = "squares"

    def __init__(self, between: Callable[[], object] = lambda: None) -> None:
        super().__init__(between)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        rows = super().embed_passages(texts) ** 2
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit


def test_a_vector_made_before_the_swap_never_comes_into_the_new_space(tmp_path: Path) -> None:
    def change() -> None:
        with Library(tmp_path) as other:
            other.upkeep.reembed(Squares())

    with Library(tmp_path, embedder=TrigramEmbedder()) as library:
        library.add(notes(50))
    with Library(tmp_path, embedder=Meddled(change)) as library:
        with pytest.raises(ModelMismatch, match="squares"):
            library.add([Document("late:1", "quite new to everyone")])
        assert spaces(library) == {
            "trigrams": ("retired", texts_of(library) - 1),
            "squares": ("active", texts_of(library)),
        }
    with Library(tmp_path, embedder=Squares()) as library:
        assert library.search("quite new to everyone", 1)[0].why.dense_score == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("way", ["indexing", "reembedding"])
def test_a_text_deleted_while_it_is_embedded_leaves_no_vector(tmp_path: Path, way: str) -> None:
    def remove() -> None:
        with Library(tmp_path) as other:
            assert other.remove("note:1") == 1

    with Library(tmp_path, embedder=Meddled(remove if way == "indexing" else lambda: None)) as library:
        library.add(notes(4))
        if way == "reembedding":
            library.upkeep.reembed(Squares(remove))
        counts = {vectors for _, vectors in spaces(library).values()}
        assert counts == {texts_of(library)}
        assert library.status().vectors == texts_of(library)


def test_indexing_goes_on_with_the_new_model_when_the_swap_lands_between(place: Path, models: Models) -> None:
    def change(_: Progress) -> None:
        if not changed:
            changed.append(True)
            with models.open(place) as other:
                other.upkeep.reembed(models.narrow)
                other.add([Document("late:2", "came with the new model")])

    changed: list[bool] = []
    with models.open(place) as library:
        library.add([Document("late:0", "came with the old model")])
        folder = place.parent / "folder"
        folder.mkdir()
        (folder / "many.csv").write_text("word\n" + "".join(f"row {n} of many\n" for n in range(600)), "utf-8")
        library.index(folder, progress=lambda progress: change(progress) if progress.phase == "vectors" else None)
        assert library.status().pending == 0
        assert spaces(library)["narrow"] == ("active", texts_of(library))
        assert library.search("came with the new model", 1, mode="dense")[0].uri == "late:2"


def test_a_swap_between_a_question_and_its_search_is_noticed_and_asked_again(library: Library, models: Models) -> None:
    asked = []

    def ask(model: Embedder | None) -> list[int]:
        asked.append(model)
        if model is not None and len(asked) == 1:
            assert model.embed_queries(["a river"]).shape == (1, 32)
            with models.open(library.path) as other:
                other.upkeep.reembed(models.narrow)
        return [hit.chunk_id for hit in search(library.store, model, Query("a river", mode="dense"))]

    assert library.encoder.answer(ask) == nearest(library, "a river")
    assert len(asked) == 2


def test_a_vector_of_another_model_is_never_searched_with(library: Library) -> None:
    with pytest.raises(ModelChanged):
        library.store.dense(np.ones(NARROW, np.float32), 5)
    with pytest.raises(ModelChanged):
        library.store.dense(np.ones(32, np.float32), 5, None, "another fingerprint")


def test_a_rollback_embeds_what_came_since_and_gives_the_old_answers(library: Library, models: Models) -> None:
    before = answers(library)
    library.upkeep.reembed(models.narrow)
    library.add([Document("late:1", "quite new to everyone")])
    library.remove("late:0")
    report = library.upkeep.rollback()
    assert (report.model, report.before, report.embedded) == (models.wide, models.narrow, 1)
    assert library.search("quite new to everyone", 1, mode="dense")[0].uri == "late:1"
    library.remove("late:1")
    assert answers(library) == before
    assert library.status().retired == models.narrow
    assert library.upkeep.rollback().embedded == 0
    assert library.status().model == models.narrow


def test_a_long_lived_process_splits_for_the_model_that_the_library_has(library: Library, models: Models) -> None:
    long = " ".join("abcdefgh" for _ in range(40))
    library.add([Document("before", long)])
    with models.open(library.path) as other:
        other.upkeep.reembed(models.narrow)
    library.add([Document("after", long)])
    with models.open(library.path.parent / "fresh", model=models.narrow) as fresh:
        fresh.add([Document("after", long)])
        assert _spans(library, "after") == _spans(fresh, "after") != _spans(library, "before")


def _spans(library: Library, uri: str) -> list[tuple[int, int]]:
    return library.store.catalog.rows(
        'SELECT c.start, c."end" FROM chunk AS c JOIN document AS d ON d.id = c.document WHERE d.uri = ? ORDER BY 1',
        (uri,),
    )


def test_passages_too_long_for_the_new_model_are_counted_over_an_interruption(place: Path, models: Models) -> None:
    models.start(KILLED, place, models.narrow, 1).communicate(timeout=60)
    with models.open(place) as library:
        report = library.upkeep.reembed()
        model = library.encoder.embedder
        rows = library.store.catalog.rows("SELECT DISTINCT text FROM chunk")
        lengths = model.count_tokens([text for (text,) in rows])
    assert report.room == 24
    assert 0 < report.longer == sum(length > 24 for length in lengths) < report.texts


def test_only_the_last_model_before_is_kept_and_can_be_forgotten(library: Library, models: Models) -> None:
    library.upkeep.reembed(models.narrow)
    library.upkeep.reembed(Squares())
    assert {name: state for name, (state, _) in spaces(library).items()} == {"narrow": "retired", "squares": "active"}
    assert {path.name for path in library.path.glob("vectors-*")} == {"vectors-2.idx", "vectors-3.idx"}
    assert library.upkeep.forget_retired() == models.narrow
    assert spaces(library) == {"squares": ("active", texts_of(library))}
    assert [path.name for path in library.path.glob("vectors-*")] == ["vectors-3.idx"]
    for nothing in (library.upkeep.rollback, library.upkeep.forget_retired):
        with pytest.raises(ModelError, match="keeps the vectors of no model") as caught:
            nothing()
        assert "ammon reembed --model" in caught.value.hint


def test_a_model_that_was_let_go_can_come_back(library: Library, models: Models) -> None:
    before = answers(library)
    library.upkeep.reembed(models.narrow)
    library.upkeep.forget_retired()
    assert library.upkeep.reembed(models.wide).embedded == texts_of(library)
    assert answers(library) == before


def test_a_second_change_waits_for_the_first_or_for_its_end(library: Library, models: Models) -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.upkeep.reembed(models.narrow, interrupt)
    with pytest.raises(ModelError, match=models.narrow) as caught:
        library.upkeep.reembed(Squares())
    assert "--cancel" in caught.value.hint
    assert library.upkeep.cancel_reembedding() == models.narrow
    assert spaces(library) == {"wide": ("active", texts_of(library))}
    with pytest.raises(ModelError, match="Nothing is being built"):
        library.upkeep.cancel_reembedding()
    with pytest.raises(InputError, match="No model was named"):
        library.upkeep.reembed()


def test_a_change_that_is_given_up_elsewhere_ends_with_a_word(library: Library, models: Models) -> None:
    def give_up(_: Progress) -> None:
        with models.open(library.path) as other:
            other.upkeep.cancel_reembedding()

    with pytest.raises(ModelError, match="given up") as caught:
        library.upkeep.reembed(models.narrow, give_up)
    assert f"ammon reembed --model {models.narrow}" in caught.value.hint
    assert len(nearest(library, "memory")) == 10
    assert spaces(library) == {"wide": ("active", texts_of(library))}


def test_the_model_that_the_library_has_is_nothing_to_do(library: Library, models: Models) -> None:
    report = library.upkeep.reembed(models.wide)
    assert (report.changed, report.embedded, report.model) == (False, 0, models.wide)


def test_the_old_model_asked_for_by_name_is_refused_after_the_swap(library: Library, models: Models) -> None:
    library.upkeep.reembed(models.narrow)
    with models.open(library.path, model=models.wide) as other:
        with pytest.raises(ModelMismatch, match="narrow") as caught:
            other.search("a river")
        assert f"--model {models.narrow}" in caught.value.hint
        assert len(other.search("a river", mode="lexical")) > 0


def test_settings_that_name_another_model_are_pointed_at_before_anything_is_done(place: Path, models: Models) -> None:
    (place / "ammon.toml").write_text(f'model = "{models.wide}"\n', "utf-8")
    with models.open(place) as library:
        with pytest.raises(SettingsError, match="wide") as caught:
            library.upkeep.reembed(models.narrow)
        assert "ammon.toml" in caught.value.hint
        assert list(spaces(library)) == ["wide"]
    (place / "ammon.toml").write_text(f'model = "{models.narrow}"\n', "utf-8")
    with models.open(place) as library:
        assert library.upkeep.reembed(models.narrow).changed
        assert len(nearest(library, "memory")) == 10


def test_a_server_that_goes_away_leaves_what_it_gave_and_the_old_model(library: Library) -> None:
    with serving() as server:
        model = RemoteEmbedder("far", server.url, patience=Patience(attempts=1, timeout=5))

        def end(progress: Progress) -> None:
            if progress.vectors_done:
                server.misdeeds.extend([_refuse] * 100)

        with pytest.raises(ModelUnavailable) as caught:
            library.upkeep.reembed(model, end)
        assert "Run the command again" in caught.value.hint
        building = building_of(library)
        assert 0 < building.done < building.texts
        assert len(nearest(library, "memory")) == 10
        server.misdeeds.clear()
        assert library.upkeep.reembed(model).embedded == building.texts - building.done
    assert library.status().model == "far"


def _refuse(request: object, _: list[str]) -> None:
    request.send_error(500)  # type: ignore[attr-defined]


def test_a_library_without_vectors_takes_the_model_it_is_given(tmp_path: Path, models: Models) -> None:
    with models.open(tmp_path / "empty") as library:
        assert library.upkeep.reembed(models.narrow).texts == 0
        library.add(notes(5))
        assert library.status().model == models.narrow
        assert nearest(library, QUESTIONS[0], k=3)
