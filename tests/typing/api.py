"""Uses of the public face that must pass both type checkers, strictly. Never run: `make lint` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import assert_type

from ammon import Document, Hit, Library, Report, Settings, load_settings
from ammon.ports import Step
from ammon.progress import Progress
from ammon.types import Query


def index_and_search(folder: Path) -> list[str]:
    settings = load_settings(folder, {"threads": 2})
    assert_type(settings, Settings)
    with Library(folder / "notes.ammon", settings=settings, create=True) as library:
        report = library.index(folder, "more", glob=["**/*.md", "*.txt"])
        assert_type(report, Report)
        library.add([Document("note:1", "Text.", metadata={"year": 2020, "tags": ["a"]})])
        hits = library.search("question", k=5, where={"year": {"$gte": 2020}}, mode="dense", steps=[first_only])
        assert_type(hits, list[Hit])
        library.search("question", where="year >= 2020")
        library.similar(Document("note:2", "Text."))
        return [hit.citation for hit in hits]


def first_only(query: Query, hits: list[Hit]) -> list[Hit]:
    return hits[: min(query.k, 1)]


step: Step = first_only


def follow(library: Library) -> Iterator[int]:
    told: list[Progress] = []
    for report in library.watch("folder", progress=told.append):
        yield report.added
