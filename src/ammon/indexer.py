"""The writing side of a library: roots are mirrored, documents added and removed, and what is new is embedded."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

from ammon import ingest, sources
from ammon.embedding import embed_pending
from ammon.encoder import Encoder
from ammon.errors import PathNotFound
from ammon.progress import Watcher, unwatched
from ammon.settings import Settings
from ammon.store.local.store import LocalStore
from ammon.types import Document, Report

QUIET_MS = 400
"""Changes that come closer together than this are taken in one pass."""


class Indexer:
    """Writes into one store with one model."""

    def __init__(self, store: LocalStore, encoder: Encoder, settings: Settings) -> None:
        self._store = store
        self._encoder = encoder
        self._settings = settings

    def index(self, paths: Sequence[Path], globs: tuple[str, ...], watcher: Watcher) -> Report:
        """Mirror each path (every known root, when there are none), then embed. Returns the sums."""
        started = time.monotonic()
        # Texts that came from no folder may wait to be embedded, and there is nothing else to do then.
        only_waiting = not paths and not self._store.ledger.roots() and self._store.pending(1)
        targets = [] if only_waiting else self._targets(paths, globs)
        reports = [ingest.mirror(self._store, path, self._rules(each), watcher) for path, each in targets]
        return self._embed(ingest.join(reports), started, watcher)

    def _targets(self, paths: Sequence[Path], globs: tuple[str, ...]) -> list[tuple[Path, tuple[str, ...]]]:
        """Return each path (every known root, when there are none) with its patterns. All of them exist."""
        targets = [(path, globs) for path in paths] or [
            (sources.path_of(root.uri), root.globs) for root in self._store.ledger.roots()
        ]
        if not targets:
            raise PathNotFound("Nothing was indexed into this library before.", hint="Run: ammon index PATH")
        for path, _ in targets:
            if not path.exists():
                raise PathNotFound(f"There is nothing at {path}.")
        return targets

    def _rules(self, globs: tuple[str, ...]) -> ingest.Rules:
        return ingest.Rules(self._encoder.split, globs, self._settings.follow_links, self._settings.max_file_bytes)

    def watch(
        self, paths: Sequence[Path], globs: tuple[str, ...], watcher: Watcher, stop: Event | None
    ) -> Iterator[Report]:
        """Index now and after each change, one report for each pass, until ``stop`` is set."""
        import watchfiles

        library = sources.uri_of(self._store.catalog.folder) + os.sep
        usual = watchfiles.DefaultFilter()

        def outside(change: watchfiles.Change, path: str) -> bool:
            """Keep to changes that are not the library's own."""
            return not path.startswith(library) and usual(change, path)

        # The first pass runs once the system watches, so that nothing changes unseen between the two.
        passes = watchfiles.watch(
            *(path for path, _ in self._targets(paths, globs)),
            watch_filter=outside,
            debounce=1_600,
            step=QUIET_MS,
            stop_event=stop,
            rust_timeout=QUIET_MS,
            yield_on_timeout=True,
            raise_interrupt=True,
        )
        for number, changes in enumerate(passes):
            if changes or number == 0:
                yield self.index(paths, globs, watcher)

    def add(self, documents: Iterable[Document]) -> Report:
        """Store and embed documents of a program's own making. Returns what was done."""
        started = time.monotonic()
        return self._embed(ingest.put_documents(self._store, documents, self._encoder.split), started, unwatched)

    def remove(self, uris: Sequence[str]) -> int:
        """Remove documents by uri or path. Returns how many were there."""
        known = self._store.ledger.known()
        named = [uri if uri in known else sources.uri_of(Path(uri).expanduser().absolute()) for uri in uris]
        removed = self._store.remove(named)
        self._store.settle()
        return removed

    def _embed(self, report: Report, started: float, watcher: Watcher) -> Report:
        embedded = tokens = 0
        if self._store.pending(1):
            embedded, tokens = embed_pending(self._store, self._encoder.for_passages, watcher)
        self._store.settle()
        return replace(report, embedded=embedded, tokens=tokens, seconds=time.monotonic() - started)
