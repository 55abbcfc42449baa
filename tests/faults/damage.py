"""Ways to damage one file of a library, and what a damaged library answers: in a process of its own, so that one that is
killed by a signal is seen.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from ammon import Document, Hit, Library
from ammon.errors import LibraryDamaged, LibraryNotFound
from ammon.store.local.catalog import Catalog
from ammon.store.local.checking.doctor import diagnose
from ammon.store.local.checking.salvage import SalvagedCatalog, survey
from ammon.store.local.documents import read_document
from faults.workload import mark, written
from toy_embedder import TrigramEmbedder

SETTLED, CRASHED, OLDER = "settled", "crashed", "older"
"""Three states of one library: closed; killed while its log held the last commits; and as it was some commits before."""

DOCUMENTS = 24
LATER = 6
ASKED = (0, 4, 7, 23, 25)
SECONDS = 60
PROCESSES = 2


def made(first: int, last: int, version: int) -> list[Document]:
    """Documents that no file stands behind: what is lost of them is lost. One is long, in pages of its own."""
    return [
        Document(
            f"made:{number}",
            written(f"made:{number}", version, paragraphs=40 if number % 6 == 0 else 3),
            metadata={"number": number, "note": "metadata " * (700 if number == 4 else 1)},
        )
        for number in range(first, last)
    ]


def make_libraries(place: Path) -> None:
    """Make the three libraries below ``place``."""
    pid = os.fork()
    if pid == 0:
        library = Library(place / CRASHED, embedder=TrigramEmbedder())
        library.add(made(0, DOCUMENTS, 1))
        library.remove("made:1")
        library.close()
        shutil.copytree(place / CRASHED, place / OLDER)
        library = Library(place / CRASHED, embedder=TrigramEmbedder())
        reader = Catalog(place / CRASHED)
        with reader.reading():
            reader.sequence()  # while somebody reads, the log is not emptied
            for number in range(2, 2 + LATER):
                library.add(made(number, number + 1, 2))
            library.add(made(DOCUMENTS, DOCUMENTS + 2, 1))
            library.store.nearest.save(always=True)
            os.kill(os.getpid(), signal.SIGKILL)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != -signal.SIGKILL:
        raise AssertionError("the libraries could not be made")
    shutil.copytree(place / CRASHED, place / SETTLED)
    Library(place / SETTLED, embedder=TrigramEmbedder()).close()


def dump(catalog: Catalog) -> str:
    """A digest of every row of the catalog, what is merely counted left out."""
    digest = hashlib.sha256()
    for table in ("document", "chunk", "vector", "space", "root", "change"):
        for row in catalog.run(f"SELECT * FROM {table} ORDER BY 1"):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def answers(library: Library) -> dict[str, Any]:
    """What the library says to every kind of question, as far as it does not hang on the order of equals."""
    found: dict[str, Any] = {"passages": sorted((record.uri, record.chunk.text) for record in library.documents())}
    for number in ASKED:
        version = 2 if 2 <= number < 2 + LATER else 1
        word = mark(f"made:{number}", version)
        found[f"words {number}"] = sorted(_said(hit) for hit in library.search(word, 50, mode="lexical"))
        nearest = library.search(written(f"made:{number}", version)[40:200], 5, mode="dense")
        found[f"nearest {number}"] = [_said(hit) for hit in nearest]
    found["filtered"] = sorted(hit.uri for hit in library.search("the", 50, where={"number": {"$lt": 9}}))
    found["whole"] = [hit.text == _text_at(library, hit) for hit in library.similar("made:0", 5)]
    return found


def _said(hit: Hit) -> tuple[str, int, int, str]:
    return hit.uri, hit.span.start, hit.span.end, hit.text


def _text_at(library: Library, hit: Hit) -> str:
    document = read_document(library.store.catalog, hit.uri)
    return document.text[hit.span.start : hit.span.end] if document else ""


@dataclass(frozen=True)
class Truth:
    """What a sound library holds and answers."""

    rows: str
    answers: dict[str, Any]
    texts: dict[str, str]

    @classmethod
    def of(cls, folder: Path) -> Truth:
        """The truth about the library in ``folder``, which is left as it is."""
        with copied(folder) as copy, Library(copy, embedder=TrigramEmbedder(), create=False) as library:
            uris = [record.uri for record in library.documents()]
            documents = {uri: read_document(library.store.catalog, uri) for uri in uris}
            texts = {uri: document.text for uri, document in documents.items() if document}
            return cls(dump(library.store.catalog), answers(library), texts)


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A copy of a library that is gone after the block."""
    # tantivy's own threads may still write down their list of files for a moment after an index was closed.
    with TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as place:
        yield Path(shutil.copytree(folder, Path(place) / "copy"))


Damage = Callable[[Path, Path], None]
"""Changes a file; the second path is the same file of the older library."""


def empty(file: Path, _older: Path) -> None:
    """Leave no byte."""
    file.write_bytes(b"")


def zero(file: Path, _older: Path) -> None:
    """Leave nothing but zeros."""
    file.write_bytes(bytes(file.stat().st_size))


def zero_page(file: Path, _older: Path) -> None:
    """Zero 4 KiB in the middle."""
    content = bytearray(file.read_bytes())
    at = len(content) // 8192 * 4096
    content[at : at + 4096] = bytes(len(content[at : at + 4096]))
    file.write_bytes(content)


def halve(file: Path, _older: Path) -> None:
    """Cut it in the middle."""
    os.truncate(file, file.stat().st_size // 2)


def shorten(file: Path, _older: Path) -> None:
    """Cut off the last byte."""
    os.truncate(file, max(0, file.stat().st_size - 1))


def remove(file: Path, _older: Path) -> None:
    """Remove it."""
    file.unlink()


def put_back(file: Path, older: Path) -> None:
    """Put an older copy in its place; where there was none, remove it."""
    file.unlink()
    if older.exists():
        shutil.copy2(older, file)


def flip(at: int, bit: int) -> Damage:
    """Flip one bit of the byte at ``at``."""

    def change(file: Path, _older: Path) -> None:
        content = bytearray(file.read_bytes())
        content[at] ^= 1 << bit
        file.write_bytes(content)

    change.__name__ = f"flip_{at}_{bit}"
    return change


WHOLE_FILE: tuple[Damage, ...] = (empty, zero, zero_page, halve, shorten, remove, put_back)


def files_of(folder: Path) -> list[str]:
    """Every file of a library, by its path in it."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def flips(folder: Path, name: str, count: int, random: Random) -> list[Damage]:
    """Some flips of random bits of a file."""
    size = (folder / name).stat().st_size
    return [flip(random.randrange(size), random.randrange(8)) for _ in range(count)] if size else []


def judge(folder: Path, name: str, damage: Damage, truth: Truth) -> str:
    """Damage one file of a copy. Returns what came of it, which begins with WRONG where it must not be so."""
    older = folder.parent / OLDER / name
    try:
        with copied(folder) as copy:
            damage(copy / name, older)
            used = _used(copy, truth, writing=damage in WHOLE_FILE)
        with copied(folder) as copy:
            damage(copy / name, older)
            healed = _healed(copy, name, truth)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it must not have come out
        return f"WRONG {type(error).__name__}: {error} {traceback.format_exc()[-1500:]}"
    if used.startswith("WRONG") or healed.startswith("WRONG"):
        return f"WRONG when used: {used}; by the doctor: {healed}"
    return healed


def _used(copy: Path, truth: Truth, *, writing: bool) -> str:
    """Whether a damaged library answers right, or says that it is damaged; and the same of writing to it."""
    try:
        with Library(copy, embedder=TrigramEmbedder(), create=False) as library:
            said = answers(library)
            if said != truth.answers:
                return f"WRONG {_first_difference(said, truth.answers)}"
            if writing:
                library.add([Document("made:new", written("made:new", 1))])
                if not library.search(mark("made:new", 1), 1, mode="lexical"):
                    return "WRONG what was written is not found"
    except LibraryDamaged as error:
        return "refused" if error.hint else f"WRONG no hint: {error}"
    except LibraryNotFound:
        return "refused" if not (copy / "catalog.db").exists() else "WRONG not found"
    return "right"


def _first_difference(said: dict[str, Any], wanted: dict[str, Any]) -> str:
    key = next(key for key in wanted if said[key] != wanted[key])
    return f"{key}: {str(said[key])[:300]} and not {str(wanted[key])[:300]}"


def _healed(copy: Path, name: str, truth: Truth) -> str:
    """Whether the doctor names the file, unless nothing is lost, and mends it, or what survives can be read."""
    # What a log has lost, the catalog has: which of the two was damaged cannot always be told.
    top = "catalog.db" if name == "catalog.db-wal" else name.split("/", maxsplit=1)[0]
    named = [finding for finding in diagnose(copy) if finding.file in (top, name)]
    if not named:
        said = _state(copy, truth)
        return "harmless" if said == "as it was" else f"WRONG not named: {said}"
    left = [finding for finding in diagnose(copy, repair=True) if not finding.repaired]
    if left:
        return _survives(copy, truth) if name.startswith("catalog.db") else f"WRONG not mended: {left}"
    if diagnose(copy):
        return f"WRONG mended, and then {diagnose(copy)}"
    said = _state(copy, truth)
    if said == "as it was":
        return "mended"
    # What was cut off cannot come back; the doctor has said so, and was told to go on.
    accepted = any("durable" in finding.problem or "older" in finding.problem for finding in named)
    return "accepted" if accepted and said.startswith("other rows") else f"WRONG after the repair: {said}"


def _state(copy: Path, truth: Truth) -> str:
    with Library(copy, embedder=TrigramEmbedder(), create=False) as library:
        if dump(library.store.catalog) != truth.rows:
            return "other rows"
        said = answers(library)
        return "as it was" if said == truth.answers else f"other answers: {_first_difference(said, truth.answers)}"


def _survives(copy: Path, truth: Truth) -> str:
    """Whether what can still be read of a catalog that cannot be mended is what was stored."""
    try:
        catalog = SalvagedCatalog(copy)
    except LibraryDamaged as error:
        return "nothing survives" if error.hint else "WRONG no hint"
    with closing(catalog):
        found = survey(catalog)
        for uri in truth.texts.keys() - set(found.lost):
            with suppress(LibraryDamaged):
                document = read_document(catalog, uri)
                if document is not None and document.text != truth.texts[uri]:
                    return f"WRONG {uri} survives, but is not what it was"
    return "some survives"


Trial = tuple[str, str, Damage]
"""Which library, which file of it, and how it is damaged."""


def campaign(place: Path, trials: Sequence[Trial]) -> Counter[tuple[str, str]]:
    """Try them all in processes that are made anew when one dies. Returns how often each (file, outcome) came out."""
    outcomes: Counter[tuple[str, str]] = Counter()
    shares = [list(trials[first::PROCESSES]) for first in range(PROCESSES)]
    while any(shares):
        started = [(share, *_begun(place, share)) for share in shares if share]
        for share, pid, lines in started:
            with os.fdopen(lines, "rb") as file:
                results = [str(json.loads(line)) for line in file]
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            if len(results) < len(share):
                results.append(f"WRONG ended by {status}")
            for (state, name, damage), outcome in zip(share, results, strict=False):
                where = f" {state} {name} {damage.__name__}" if outcome.startswith("WRONG") else ""
                outcomes[(role(name), outcome + where)] += 1
            del share[: len(results)]
    return outcomes


def role(name: str) -> str:
    """What a file is to a library, whatever it is called."""
    return re.sub(r"^lexical/[0-9a-f]{32}(\.\d+)?", "lexical/*", name)


def _begun(place: Path, trials: Sequence[Trial]) -> tuple[int, int]:
    """A process that tries them in turn, and where it says what came of each."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        truth = Truth.of(place / SETTLED)
        for state, name, damage in trials:
            signal.alarm(SECONDS)
            os.write(writer, json.dumps(judge(place / state, name, damage, truth)).encode() + b"\n")
        os._exit(0)
    os.close(writer)
    return pid, reader
