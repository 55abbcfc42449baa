"""What must be true of a library after a fault, given the journal of what was promised."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

from ammon import Document, Library
from ammon.store.local.documents import read_document
from ammon.types import Hit
from faults.workload import JOURNAL, NOTES, mark, open_library, written

SLOWEST_OPEN = 5.0
AFTER = "after:the fault"


def promises(place: Path) -> tuple[dict[str, str], dict[str, str], set[str]]:
    """The documents of the last step that was done, those of the last begun, and every text there ever was."""
    done: dict[str, str] = {}
    begun: dict[str, str] = {}
    ever: set[str] = set()
    journal = place / JOURNAL
    for line in journal.read_text("utf-8").splitlines() if journal.exists() else []:
        said = json.loads(line)
        begun = said["documents"]
        done = begun if said["word"] == "done" else done
        ever |= set(begun.values())
    return done, begun, ever


def violations(place: Path) -> list[str]:
    """What is not as it must be: nothing, unless something was lost, doubled or left dangling."""
    started = time.monotonic()
    with open_library(place) as library:
        library.status()
        seconds = time.monotonic() - started
        slow = [f"it took {seconds:.1f} s to open"] if seconds > SLOWEST_OPEN else []
        done, begun, ever = promises(place)
        wrong = [*slow, *_held(library, done, begun, ever), *_sound(library)]
        if wrong:
            return wrong
        return [f"after the next write: {each}" for each in _goes_on(place, library, begun)]


def recover(place: Path) -> list[str]:
    """Only open the library and search it, which brings its indexes up to date. Returns nothing."""
    with open_library(place) as library:
        if library.status().vectors:
            library.search("memory", k=1)
    return []


def succeed(place: Path) -> list[str]:
    """Write to the library as soon as it can be written to, and take that back. Returns nothing."""
    with open_library(place) as library:
        library.add([Document(AFTER, written(AFTER, 1), "text/markdown")])
        library.remove(AFTER)
    return []


def _held(library: Library, done: dict[str, str], begun: dict[str, str], ever: set[str]) -> Iterator[str]:
    """Each document is there as the last step left it, or as the next was to leave it; nothing else is there."""
    kept = {}
    for uri in {record.uri for record in library.documents()} | done.keys() | begun.keys():
        document = read_document(library.store.catalog, uri)
        text = document.text if document else None
        if text not in {done.get(uri), begun.get(uri)}:
            yield f"{uri} holds {_short(text)}, not {_short(done.get(uri))} or {_short(begun.get(uri))}"
        elif text is not None:
            kept[uri] = text
            if done.get(uri) == text:
                yield from _found(library, uri, text)
    for text in ever - set(kept.values()):
        # the same text may stand under another name, which is looked for above
        yield from (f"{hit.uri} is found by {_word(text)}, which is gone" for hit in _by_words(library, text))


def _short(text: str | None) -> str:
    return "nothing" if text is None else f"{len(text)} characters with {_word(text)}"


def _word(text: str) -> str:
    return text.rsplit(maxsplit=1)[-1]


def _by_words(library: Library, text: str) -> list[Hit]:
    return library.search(_word(text), k=100, mode="lexical") if library.status().chunks else []


def _found(library: Library, uri: str, text: str) -> Iterator[str]:
    """What is wrong with how a document is found: each of its passages once, by its words and by its vector."""
    hits = [hit for hit in _by_words(library, text) if hit.uri == uri]
    spans = [(hit.span.start, hit.span.end) for hit in hits]
    if not hits:
        yield f"{uri} is not found by its own word {_word(text)}"
    if len(set(spans)) < len(spans):
        yield f"{uri} is found twice at {spans}"
    for hit in hits:
        if text[hit.span.start : hit.span.end] != hit.text:
            yield f"{uri} at {hit.span} is not what the hit says"
        near = library.search(hit.text, k=3, mode="dense")
        if hit.chunk_id not in {each.chunk_id for each in near}:
            yield f"{uri} at {hit.span} is not found by its own vector"


def _sound(library: Library, settled: bool = False) -> Iterator[str]:
    """What is dangling or doubled, and what the doctor finds; files left over may stay until the next run."""
    catalog = library.store.catalog
    for what, query in {
        "chunks without a document": "SELECT count(*) FROM chunk WHERE document NOT IN (SELECT id FROM document)",
        "documents without chunks": """SELECT count(*) FROM document WHERE state = 'ok'
            AND id NOT IN (SELECT document FROM chunk)""",
        "vectors without a chunk": """SELECT count(*) FROM vector WHERE text_hash NOT IN (SELECT text_hash FROM chunk)
            AND text_hash NOT IN (SELECT text_hash FROM loose)""",
        "names doubled": "SELECT count(*) - count(DISTINCT uri) FROM document",
        "passages doubled": "SELECT count(*) - count(DISTINCT document || ' ' || start) FROM chunk",
    }.items():
        count = catalog.value(query)
        if count:
            yield f"{count} {what}"
    for finding in library.doctor():
        if settled or "is no file of" not in finding.problem:
            yield f"the doctor finds {finding.file}: {finding.problem}"


def _goes_on(place: Path, library: Library, begun: dict[str, str]) -> Iterator[str]:
    """The same folder is indexed again and a document is added: all that was begun is there, and nothing else."""
    notes = place / NOTES
    reports = [library.index(notes)] if notes.exists() else []
    wanted = {uri: text for uri, text in begun.items() if not uri.startswith("made:")}
    made = [Document(uri, text, "text/markdown") for uri, text in begun.items() if uri.startswith("made:")]
    made.append(Document(AFTER, written(AFTER, 1), "text/markdown"))
    reports.append(library.add(made))
    wanted |= {document.uri: document.text for document in made}
    library.remove(*({record.uri for record in library.documents()} - wanted.keys()))
    yield from (f"{report} is not complete" for report in reports if report.failed or report.pending)
    if not library.search(mark(AFTER, 1), k=1, mode="lexical"):
        yield "what was written is not found"
    yield from _held(library, wanted, wanted, set())
    yield from _sound(library, settled=True)
    loose = library.store.catalog.value("SELECT count(*) FROM loose")
    if loose:
        yield f"{loose} vectors are still loose"
