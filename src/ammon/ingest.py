"""The one pipeline: walk → diff → load → split → commit; `ammon.embedding` is its second half.

A folder is mirrored: what is new or edited is read, what only moved keeps its chunks and vectors, what is gone is
removed. Text is findable by keyword as soon as its batch is committed; vectors follow.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from ammon import sources
from ammon.errors import PathNotFound, SourceError
from ammon.ports import Split
from ammon.progress import Progress, Watcher, unwatched
from ammon.store.local.documents import valid_text
from ammon.store.local.ledger import Known
from ammon.store.local.store import LocalStore
from ammon.types import Chunk, Document, Entry, Report, Skip, Source

BATCH_CHARACTERS = 4_000_000
BATCH_SECONDS = 1.0
"""A batch is committed when either is reached: few enough commits to be quick, often enough to be findable soon."""

REMOVE_BATCH = 1_000
RACY_NS = 100_000_000
"""A file changed this shortly before it was read may change again within one tick of the clock: it is read anew."""

LEFT_OUT_ON_PURPOSE = frozenset({"binary", "empty", "needs-ocr", "unsupported"})
"""Codes of files that are no failures: Ammon does not read their kind, or they hold no text."""

MOST_WAITING = 32 * 1024 * 1024
"""Bytes of files that wait for the sandbox beyond the ones it works on: what is read ahead takes memory."""


@dataclass(slots=True)
class _Tally:
    """Counts of one run, on their way to a `Report`."""

    added: int = 0
    updated: int = 0
    renamed: int = 0
    removed: int = 0
    unchanged: int = 0
    chunks: int = 0
    skipped: list[Skip] = field(default_factory=list)
    failed: list[Skip] = field(default_factory=list)
    flagged: list[Skip] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    recognised: int = 0

    def report(self) -> Report:
        counts = (self.added, self.updated, self.renamed, self.removed, self.unchanged, self.chunks)
        skipped, failed, flagged = map(tuple, (self.skipped, self.failed, self.flagged))
        return Report(
            *counts,
            skipped=skipped,
            failed=failed,
            flagged=flagged,
            kinds=dict(self.kinds),
            pages=self.pages,
            recognised=self.recognised,
        )

    def note(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """Count what was read of a document."""
        self.chunks += len(chunks)
        self.kinds[document.media_type] += bool(document.text)
        self.flagged += [Skip(document.uri, remark.code, remark.text) for remark in document.remarks]
        self.pages += len({part.page for part in document.parts if part.page is not None})
        self.recognised += len({box.page for box in document.boxes if box.confidence < 1})

    def leave_out(self, skip: Skip) -> bool:
        """Count a file that is not read; returns whether that is on purpose."""
        on_purpose = skip.code in LEFT_OUT_ON_PURPOSE
        (self.skipped if on_purpose else self.failed).append(skip)
        return on_purpose


class _Batch:
    """Entries on their way into the store, committed when there are enough of them."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._entries: list[Entry] = []
        self._characters = 0
        self._since = 0.0

    def add(self, entries: Sequence[Entry]) -> None:
        """Add a document and what is in it, which are stored together."""
        if not self._entries:
            self._since = time.monotonic()
        self._entries.extend(entries)
        self._characters += sum(len(entry.document.text) for entry in entries)

    def commit_if_full(self) -> None:
        """To be called where nothing else holds what was added: its text goes as soon as it is in the catalog."""
        if self._characters >= BATCH_CHARACTERS or time.monotonic() - self._since >= BATCH_SECONDS:
            self.commit()

    def commit(self) -> None:
        if self._entries:
            self._store.put(self._given_away())
        large = self._characters >= BATCH_CHARACTERS  # the memory that took is not to be kept beside the next one's
        self._characters = 0
        if large:
            self._store.catalog.rows("PRAGMA shrink_memory")
            give_back()

    def _given_away(self) -> Iterator[Entry]:
        self._entries.reverse()
        while self._entries:
            yield self._entries.pop()


def give_back() -> None:
    """Return the memory that is free to the system: the C library keeps it for later, and the next file adds to it."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:  # not every C library has it
            trim(0)


@dataclass(frozen=True, slots=True)
class Rules:
    """How files are found and cut."""

    split: Split
    globs: tuple[str, ...] = ()
    follow_links: bool = False
    max_bytes: int = sources.MAX_BYTES


def mirror(store: LocalStore, path: Path, rules: Rules, watcher: Watcher = unwatched) -> Report:
    """Make the library hold what ``path`` (a folder or a file) holds now. Text only; vectors come after.

    Raises: PathNotFound; LibraryError.
    """
    with sources.Sandbox() as sandbox:
        return _Mirror(store, path, rules, watcher, sandbox).run()


@dataclass(frozen=True, slots=True)
class _File:
    """A file that is being read: as it is noted, its root and the hash of its bytes."""

    source: Source
    root: int
    digest: str
    size: int
    found: Future[list[sources.Found]]


class _Mirror:
    """One pass over one root."""

    def __init__(self, store: LocalStore, path: Path, rules: Rules, watcher: Watcher, sandbox: sources.Sandbox) -> None:
        if not path.exists():
            raise PathNotFound(f"There is nothing at {path}.")
        self._store = store
        self._path = path
        self._rules = rules
        self._watcher = watcher
        self._tally = _Tally()
        self._batch = _Batch(store)
        self._sandbox = sandbox
        self._reading: deque[_File] = deque()
        self._known = store.ledger.known()
        self._root = store.ledger.root(sources.uri_of(path), rules.globs)
        self._touched: list[Source] = []
        self._walked: list[Skip] = []

    def run(self) -> Report:
        found = self._scan()
        gone = self._gone({source.uri for source in found})
        moved = {(known.content_hash, Path(uri).suffix): uri for uri, known in gone.items() if known.state == "ok"}
        changed = [source for source in found if not self._settled(source)]
        for number, source in enumerate(changed):
            self._progress("text", number, len(changed), source.uri)
            before = self._take(source, moved)
            if before is not None:
                del gone[before]
            self._batch.commit_if_full()
            self._finish(most=MOST_WAITING)
        self._finish(most=0)
        self._batch.commit()
        self._store.ledger.touch(self._touched)
        self._drop(list(gone))
        self._store.ledger.complete(self._root, self._walked)
        self._progress("text", len(changed), len(changed), "")
        return self._tally.report()

    def _scan(self) -> list[Source]:
        own = sources.uri_of(self._store.catalog.folder) + os.sep
        found: list[Source] = []
        rules = self._rules
        for item in sources.walk(
            self._path, glob=rules.globs, follow_links=rules.follow_links, max_bytes=rules.max_bytes
        ):
            if (item.uri + os.sep).startswith(own):
                continue
            if isinstance(item, Skip):
                self._walked.append(item)
            else:
                found.append(item)
        self._tally.skipped.extend(self._walked)
        self._progress("scan", len(found), len(found), "")
        return found

    def _gone(self, seen: set[str]) -> dict[str, Known]:
        """Known files of this root that the walk did not meet, but for those under a folder it could not enter."""
        here = sources.uri_of(self._path)
        closed = tuple(skip.uri for skip in self._walked if skip.code == "unreadable")
        hidden = tuple(uri + os.sep for uri in closed)
        return {
            uri: known
            for uri, known in self._known.items()
            if uri not in seen
            and (uri == here or uri.startswith(here.rstrip(os.sep) + os.sep))
            and not (uri in closed or uri.startswith(hidden))
            and (known.root == self._root or (known.root is not None and not os.path.lexists(uri)))
        }

    def _settled(self, source: Source) -> bool:
        """Whether a file is what it was at the last reading; counts it if so."""
        known = self._known.get(source.uri)
        if known is None or not known.same_file(source):
            return False
        if known.code == "needs-ocr" and self._sandbox.recognises:
            return False
        if known.state == "ok":
            self._tally.unchanged += 1
        else:
            self._tally.leave_out(Skip(source.uri, known.code, known.reason))
        return True

    def _take(self, source: Source, moved: dict[tuple[str, str], str]) -> str | None:
        """Read one new or changed file. Returns the name it had before, if it only moved."""
        known = self._known.get(source.uri)
        stamped = _stamped(source)
        root = known.root if known is not None and known.root is not None else self._root
        digest = ""
        try:
            data = sources.read(source, max_bytes=self._rules.max_bytes)
            digest = hashlib.blake2b(data, digest_size=16).hexdigest()
            if known is not None and known.state == "ok" and known.content_hash == digest and known.code == "":
                self._touched.append(stamped)
                self._tally.unchanged += 1
                return None
            before = moved.pop((digest, source.path.suffix), None) if known is None else None
            if before is not None:
                self._batch.commit()
                self._store.ledger.rename(before, stamped, root)
                self._tally.renamed += 1
                return before
            as_text = bool(self._rules.globs)
            if sources.is_for_sandbox(source.path.name, data):
                recognised = self._store.recognised
                pages, keep = recognised.known(digest), partial(recognised.put, digest)
                asked = sources.Asked(source.path.name, data, as_text=as_text, known=pages, on_page=keep)
                found = self._sandbox.submit(asked)
                self._reading.append(_File(stamped, root, digest, len(data), found))
                return None
            document = sources.load(source, data, as_text=as_text)
            del data  # up to 64 MiB that nothing needs any more
            self._add([self._entry(stamped, root, digest, document)])
        except SourceError as error:
            self._leave_out(stamped, root, error, digest)
        return None

    def _finish(self, *, most: int) -> None:
        """Take what the sandbox has read, in the order it was given, until at most ``most`` bytes wait there."""
        while self._reading and (
            sum(file.size for file in self._reading) > most or len(self._reading) > 2 * self._sandbox.workers
        ):
            file = self._reading.popleft()
            try:
                self._take_in(file, file.found.result())
            except SourceError as error:
                self._leave_out(file.source, file.root, error, file.digest)
            del file  # and with it its text
            self._batch.commit_if_full()

    def _take_in(self, file: _File, found: Sequence[sources.Found]) -> None:
        """Store a file and what is in it, or why it could not be read. Raises: SourceError, of the file itself."""
        entries = [self._entry(file.source, file.root, file.digest, found[0].of(file.source))]
        for each in found[1:]:
            try:
                document, failure = each.of(file.source), None
            except SourceError as error:
                uri = each.uri(file.source)
                document, failure = Document(uri, ""), Skip(uri, error.code, reason_of(error))
            entry = self._entry(file.source, file.root, file.digest, document)
            on_purpose = failure is not None and self._tally.leave_out(failure)
            entries.append(replace(entry, container=file.source.uri, failure=failure, on_purpose=on_purpose))
        self._add(entries)

    def _entry(self, source: Source, root: int, digest: str, document: Document) -> Entry:
        chunks = self._rules.split(document)
        self._tally.note(document, chunks)
        return Entry(document, chunks, digest, root, source.size, source.modified, source.changed)

    def _add(self, entries: Sequence[Entry]) -> None:
        self._batch.add(entries)
        if entries[0].document.uri in self._known:
            self._tally.updated += 1
        else:
            self._tally.added += 1

    def _leave_out(self, source: Source, root: int, error: SourceError, digest: str) -> None:
        skip = Skip(source.uri, error.code, reason_of(error))
        state = "skipped" if self._tally.leave_out(skip) else "failed"
        known = self._known.get(source.uri)
        # What cannot be opened just now may be what it was: its text stays until it can be read again.
        if digest or known is None or known.state != "ok":
            self._store.ledger.leave_out(source, root, skip, state=state, content_hash=digest)

    def _drop(self, uris: list[str]) -> None:
        for first in range(0, len(uris), REMOVE_BATCH):
            self._store.remove(uris[first : first + REMOVE_BATCH])
        self._tally.removed += sum(self._known[uri].state == "ok" for uri in uris)

    def _progress(self, phase: Literal["scan", "text"], done: int, total: int, current: str) -> None:
        self._watcher(Progress(phase, done, total, self._tally.chunks, current=current))


def reason_of(error: SourceError) -> str:
    """Why a file is left out, and what to do about it."""
    return f"{error} {error.hint}" if error.hint != error.default_hint else str(error)


def _stamped(source: Source) -> Source:
    """The source as it is noted: one that changed just now gets no change time, so that the next run reads it."""
    return replace(source, changed=0) if time.time_ns() - source.changed < RACY_NS else source


def put_documents(store: LocalStore, documents: Iterable[Document], split: Split) -> Report:
    """Store documents that come from a program rather than from files. Equal ones are passed over."""
    tally, batch = _Tally(), _Batch(store)
    known = store.ledger.known()
    for given in documents:
        document = replace(given, uri=valid_text(given.uri), text=valid_text(given.text), title=valid_text(given.title))
        digest = hashlib.blake2b(repr(document).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        before = known.get(document.uri)
        if before is not None and before.content_hash == digest:
            tally.unchanged += 1
            continue
        chunks = split(document)
        batch.add([Entry(document, chunks, digest, size=len(document.text.encode("utf-8", "surrogatepass")))])
        tally.note(document, chunks)
        tally.added += before is None
        tally.updated += before is not None
        batch.commit_if_full()
    batch.commit()
    return tally.report()


def join(reports: Sequence[Report]) -> Report:
    """The sums of several reports."""
    counts = ("added", "updated", "renamed", "removed", "unchanged", "chunks", "pages", "recognised")
    return Report(
        **{name: sum(getattr(report, name) for report in reports) for name in counts},
        skipped=tuple(skip for report in reports for skip in report.skipped),
        failed=tuple(skip for report in reports for skip in report.failed),
        flagged=tuple(skip for report in reports for skip in report.flagged),
        kinds=dict(sum((Counter(report.kinds) for report in reports), Counter())),
    )
