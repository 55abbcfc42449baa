"""What documents, or the passages on a question, come to: by a language model, or as their most central sentences."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ammon.answer.summarise import Check, unchecked
from ammon.answers import Answer, Citation, Statement, TraceStep
from ammon.errors import InputError, PathNotFound
from ammon.normalising import normalised
from ammon.progress import Progress, Watcher, unwatched
from ammon.types import Hit, Vectors, Why

if TYPE_CHECKING:
    from ammon.library import Library
    from ammon.ports import LLM

KEPT_NAME: Final = "summaries.jsonl"
"""What models wrote of stretches, in the library's folder: an interrupted summary goes on from there."""

PASSAGES: Final = 20
"""Passages that are summarised of those found for a question."""

NEAR_BEST: Final = 0.5
"""Share of the best passage's score below which another is about something else."""

MOST_SENTENCES: Final = 10_000
"""Of more, so many are looked at, evenly spread."""

EMBEDDED_AT_ONCE: Final = 128


def passages_of(library: Library, about: str) -> list[Hit]:
    """All passages of a document, by path or uri, or of those below a folder, in reading order; none of neither.

    Each has the score 1.
    """
    path = str(Path(about).expanduser().absolute())
    uris = [
        record.uri
        for record in library.documents()
        if record.uri in (about, path) or record.uri.startswith(path.rstrip("/") + "/")
    ]
    return [hit for uri in uris for hit in _passages(library, uri)]


def _passages(library: Library, uri: str) -> Iterator[Hit]:
    from ammon.search.hits import make_hit

    rows = library.store.catalog.rows(
        "SELECT id FROM chunk WHERE document = (SELECT id FROM document WHERE uri = ?) ORDER BY ordinal", (uri,)
    )
    for record in library.store.records(np.array([row[0] for row in rows], np.int64)):
        yield make_hit(record, 1.0, Why())


def summarise(
    library: Library,
    about: str,
    *,
    sentences: int = 5,
    llm: LLM | None = None,
    check: Check = unchecked,
    progress: Watcher = unwatched,
) -> Answer:
    """At most ``sentences`` sentences on what ``about`` names: a document or folder of the library, else a question.

    Without ``llm``, they are the most central sentences of the text, word for word, in reading order. With it, they are
    the model's, each with the passages that it rests on, which ``check`` looks at; what it wrote of stretches is kept
    in the library's folder, so that the same call goes on where it was interrupted.

    Raises: InputError, PathNotFound for a path that the library does not hold, NothingIndexed, ModelError.
    """
    if sentences < 1:
        raise InputError(f"sentences is {sentences}; it must be 1 or more.")
    hits = passages_of(library, about)
    question = "" if hits else about
    if not hits:
        if Path(about).expanduser().exists():
            raise PathNotFound(f"The library does not hold {about}.", hint=f"Run: ammon index {about}")
        found = library.search(about, PASSAGES)
        hits = [hit for hit in found if hit.score >= NEAR_BEST * found[0].score]
        # In reading order, documents as they were found.
        first = {hit.document_id: rank for rank, hit in reversed(list(enumerate(hits)))}
        hits.sort(key=lambda hit: (first[hit.document_id], hit.span.start))
    if llm is None:
        return _extracted(library, question, hits, sentences, progress)
    return _written(library, question, hits, sentences, llm, (check, progress))


def _extracted(library: Library, question: str, hits: Sequence[Hit], sentences: int, progress: Watcher) -> Answer:
    from ammon.answer.central import central, middle, quotable

    start = time.perf_counter()
    every = quotable(hits, sentences)
    candidates = every[:: -(-len(every) // MOST_SENTENCES)] if every else []
    rows = _embedded(library, candidates, progress)
    towards = library.encoder.embedder.embed_queries([normalised(question)])[0] if question else middle(rows)
    chosen = [candidates[place] for place in sorted(central(rows, towards, sentences))]
    statements = tuple(Statement(" ".join(each.quote.split()), (each,)) for each in chosen)
    step = TraceStep("extract", time.perf_counter() - start, {"sentences": len(candidates), "chosen": len(chosen)})
    left = len(every) - len(candidates)
    return Answer(
        question,
        "\n".join(each.text for each in statements),
        "extracted" if statements else "none",
        statements,
        abstained=not statements,
        reason="" if statements else "There is no text to summarise.",
        trace=(step,),
        remarks=(f"{left:,} of {len(every):,} sentences were not looked at, evenly spread.",) if left else (),
    )


def _embedded(library: Library, candidates: Sequence[Citation], progress: Watcher) -> Vectors:
    model = library.encoder.embedder
    rows = [np.empty((0, model.dim), np.float32)]
    for done in range(0, len(candidates), EMBEDDED_AT_ONCE):
        progress(Progress("vectors", vectors_done=done, vectors_total=len(candidates)))
        rows.append(
            model.embed_passages([normalised(each.quote) for each in candidates[done : done + EMBEDDED_AT_ONCE]])
        )
    return np.concatenate(rows)


def _written(
    library: Library, question: str, hits: Sequence[Hit], sentences: int, llm: LLM, watched: tuple[Check, Watcher]
) -> Answer:
    from ammon.answer.calls import Calls
    from ammon.answer.remembering import RememberingLLM
    from ammon.answer.summarise import Request, statements_of
    from ammon.answer.summarise import summarise as written
    from ammon.answer.templates import FOLDER_NAME, in_language
    from ammon.sources.language import language_of

    check, progress = watched
    asked = Request(hits, sentences, question)
    language = language_of("\n".join(hit.text for hit in hits[:PASSAGES])) or "en"
    prompts = in_language(language, library.path / FOLDER_NAME)
    calls = Calls(RememberingLLM(llm, library.path / KEPT_NAME), prompts, asked.wish)
    text = written(asked, calls, progress)
    statements = tuple(statements_of(text, hits, check))
    return Answer(
        question,
        "\n".join(each.text for each in statements),
        "generated",
        statements,
        model=llm.name,
        usage=calls.usage,
        trace=tuple(calls.trace),
        remarks=tuple(dict.fromkeys(calls.remarks)),
    )
