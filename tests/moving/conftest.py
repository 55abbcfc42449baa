"""A library in two languages, small enough to be moved often, and ways to compare two libraries."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from ammon import Document, Library
from ammon.types import Mode, Vectors
from bilingual import texts
from toy_embedder import TrigramEmbedder

SAMPLE = Path(__file__).parents[2] / "examples" / "sample"
QUERIES = ("how do bees dance?", "an elephant remembers", "泡绿茶用多热的水？", "海马体记得", "two kinds of memory")
MODES: tuple[Mode, ...] = ("dense", "lexical", "hybrid")

Open: TypeAlias = Callable[..., Library]


class NeverEmbeds(TrigramEmbedder):
    """Embeds queries only: whoever has passages embedded anew fails."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        assert not texts, f"{len(texts)} texts are embedded again"
        return super().embed_passages(texts)

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        return TrigramEmbedder().embed_passages([instruction + text for text in texts])


@pytest.fixture
def open_library() -> Iterator[Open]:
    """Opens a library by its folder; it is closed after the test. Embeds nothing unless ``embeds``."""
    with ExitStack() as stack:

        def opened(folder: Path, *, embeds: bool = False, embedder: Any = None) -> Library:
            model = embedder or (TrigramEmbedder() if embeds else NeverEmbeds())
            return stack.enter_context(Library(folder, embedder=model))

        yield opened


def fill(folder: Path, library: Library) -> None:
    """Index a copy of the sample beside the library, with a file that is skipped and one that fails; add documents."""
    shutil.copytree(SAMPLE, folder)
    (folder / "empty.txt").write_text("")
    (folder / "broken.txt").write_bytes(bytes(range(128, 256)) * 4)
    library.index(folder, glob="**/*.*")
    library.add(
        Document(f"sentence:{number}", text, title=f"№ {number}", metadata={"number": number, "half": number / 2})
        for number, text in enumerate(texts())
    )
    # As after any other edit, but without what was removed in the statistics of words.
    library.remove("sentence:3")
    library.store.words.renew()
    library.store.nearest.save(always=True)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a filled library, closed; to be read only."""
    home = tmp_path_factory.mktemp("filled")
    (home / "library").mkdir()
    (home / "library" / "ammon.toml").write_text('chunk_tokens = 96\nthreads = 2\nmodel = ""\n', "utf-8")
    with Library(home / "library", embedder=TrigramEmbedder()) as library:
        fill(home / "sample", library)
    return home / "library"


@pytest.fixture
def library(filled: Path, tmp_path: Path, open_library: Open) -> Library:
    """A copy of the filled library, open."""
    return open_library(shutil.copytree(filled, tmp_path / "library"))


def found(library: Library) -> list[tuple[str, str, float]]:
    """The top ten of every query in every mode: citation, text, score."""
    return [
        (hit.citation, hit.text, round(hit.score, 6))
        for query in QUERIES
        for mode in MODES
        for hit in library.search(query, k=10, mode=mode)
    ]


HELD = {
    "documents": """SELECT d.uri, r.uri, d.media_type, d.size, d.modified, d.changed, d.content_hash, d.title, d.language,
        d.encoding, d.encoding_confidence, d.metadata, d.state, d.code, d.reason, d.tail
        FROM document AS d LEFT JOIN root AS r ON r.id = d.root ORDER BY d.uri""",
    "chunks": """SELECT d.uri, c.ordinal, c.start, c."end", c.page, c.first_line, c.last_line, c.heading, c.lead, c.text,
        c.text_hash, c.tokens FROM chunk AS c JOIN document AS d ON d.id = c.document ORDER BY d.uri, c.ordinal""",
    "vectors": """SELECT s.fingerprint, v.text_hash, v.data FROM vector AS v JOIN space AS s ON s.id = v.space
        WHERE s.state = 'active' ORDER BY v.text_hash""",
    "roots": "SELECT uri, globs, completed, skips FROM root ORDER BY uri",
}


def held(library: Library) -> dict[str, list[tuple[Any, ...]]]:
    """Every document, passage, vector and root, without the numbers they have."""
    return {name: library.store.catalog.rows(sql) for name, sql in HELD.items()}
