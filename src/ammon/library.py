"""The façade: one folder that remembers. Everything a program or the command line does begins here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, TypeAlias

from ammon.closing import Closing
from ammon.encoder import Encoder
from ammon.errors import InputError, NothingIndexed, PathNotFound
from ammon.ports import Embedder, Step
from ammon.progress import Watcher, unwatched
from ammon.settings import Settings, find_library, load_settings
from ammon.store.local.checking.findings import Finding
from ammon.store.local.checking.health import Status, take_stock
from ammon.store.local.documents import read_document
from ammon.store.local.masks import Where
from ammon.store.local.store import LocalStore
from ammon.types import Document, Hit, Mode, Query, Record, Report, Skip

if TYPE_CHECKING:
    from ammon.evaluate.report import Report as Evaluation
    from ammon.indexer import Indexer
    from ammon.upkeep import Upkeep

PathLike: TypeAlias = str | os.PathLike[str]


class Library(Closing):
    """A library in a folder: index what should be found, then search it.

    Close it, or use it in a ``with`` block. Threads may share one; any number of processes may open one folder.
    """

    def __init__(
        self,
        path: PathLike | None = None,
        *,
        settings: Settings | None = None,
        create: bool = True,
        embedder: Embedder | None = None,
    ) -> None:
        """Open the library at ``path``, or where `find_library` finds it; make it when absent and ``create``.

        ``embedder`` is a model of your own, instead of the one that the settings or the library name.
        Raises: LibraryNotFound, LibraryNewer, LibraryDamaged, LibraryError, SettingsError.
        """
        self.path = find_library() if path is None else _absolute(path)
        self.settings = settings or load_settings(self.path)
        self.store = LocalStore(self.path, create=create, lock_timeout=self.settings.lock_timeout)
        self.encoder = Encoder(self.store.catalog, self.settings, embedder)

    def index(self, *paths: PathLike, glob: str | Sequence[str] = (), progress: Watcher = unwatched) -> Report:
        """Mirror folders or files into the library, and embed what is new. Returns what was done.

        Without ``paths``, mirrors again every folder that was indexed before. ``glob`` keeps to files that match any
        of the patterns, and reads them as text whatever their extension.

        Raises: PathNotFound, LibraryBusy, ModelError; what was stored until then is kept, and the next call goes on.
        """
        return _indexer(self).index([_absolute(path) for path in paths], _patterns(glob), progress)

    def watch(
        self,
        *paths: PathLike,
        glob: str | Sequence[str] = (),
        progress: Watcher = unwatched,
        stop: Event | None = None,
    ) -> Iterator[Report]:
        """Index, then index again whenever something changes; one report each time. Ends when ``stop`` is set.

        Raises: as `index`.
        """
        return _indexer(self).watch([_absolute(path) for path in paths], _patterns(glob), progress, stop)

    def add(self, documents: Iterable[Document]) -> Report:
        """Store documents that a program made, by their uri, and embed them; equal ones are passed over.

        Raises: LibraryBusy, ModelError.
        """
        return _indexer(self).add(documents)

    def remove(self, *uris: str) -> int:
        """Remove documents by uri, or by path. Returns how many were there. The files themselves are not touched."""
        return _indexer(self).remove(uris)

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        where: Where = None,
        mode: Mode = "hybrid",
        steps: Sequence[Step] = (),
        instruction: str = "",
        per_document: int = 0,
    ) -> list[Hit]:
        """The ``k`` best passages for ``query``, best first; fewer only when fewer match.

        ``steps`` run over the hits in order; `ammon.search` has those there are. ``per_document`` is the most passages
        to give of one document; 0 sets no limit.

        Raises: InputError (empty query, ``k`` below 1), BadFilter, NothingIndexed, ModelError.
        """
        from ammon.search import search

        asked = Query(_asked(query), _positive(k), where, mode, instruction, per_document)
        _require_content(self.store)

        def answer(embedder: Embedder | None) -> list[Hit]:
            """Search with the library's model."""
            return search(self.store, embedder, asked, weight=self.settings.dense_weight, steps=steps)

        return answer(None) if mode == "lexical" else self.encoder.answer(answer)

    def similar(self, source: PathLike | Document, k: int = 10, *, where: Where = None) -> list[Hit]:
        """The ``k`` passages most like a document: one of the library by path or uri, any file, or a `Document`.

        Passages of the document itself are left out.

        Raises: PathNotFound, SourceError, InputError, BadFilter, NothingIndexed, ModelError.
        """
        from ammon.search import similar

        _require_content(self.store)
        document = source if isinstance(source, Document) else _document(self.store, source)
        chunks = self.encoder.split(document)
        wanted = _positive(k)
        return self.encoder.answer(
            lambda embedder: similar(self.store, embedder, document, chunks, wanted, where=where)
        )

    def documents(self, where: Where = None) -> Iterator[Record]:
        """The first passage of every document that satisfies the filter, by uri. Raises: BadFilter."""
        return self.store.documents(where)

    def status(self) -> Status:
        """What the library holds: counts, model, sizes, roots, and every file that was left out."""
        return take_stock(self.store)

    def doctor(self, *, repair: bool = False) -> list[Finding]:
        """What is wrong with the library's files; nothing, most likely. ``repair`` rebuilds what is derived.

        A library that is too damaged to be opened is looked at by `ammon.store.local.checking.doctor.diagnose`.
        """
        from ammon.store.local.checking.doctor import diagnose

        findings = diagnose(self.path, repair=repair, lock_timeout=self.settings.lock_timeout)
        if repair and findings:
            self.store.words.close()
            self.store.nearest.close()
        return findings

    @property
    def upkeep(self) -> Upkeep:
        """What keeps the library sound and small, and moves it elsewhere or to another model."""
        from ammon.upkeep import Upkeep

        return Upkeep(self.store, self.encoder, self.settings)

    def evaluate(self, folder: PathLike) -> Evaluation:
        """Measure retrieval on a folder in BEIR form, whose corpus is added to this library as far as it is missing.

        Raises: PathNotFound, InputError.
        """
        from ammon.evaluation import evaluate_folder

        return evaluate_folder(self, _absolute(folder))

    def close(self) -> None:
        """Give back files and memory. Closing twice is harmless."""
        self.store.close()


def _indexer(library: Library) -> Indexer:
    # Imported only now: a search from the command line needs none of what reads files.
    from ammon.indexer import Indexer

    return Indexer(library.store, library.encoder, library.settings)


def _absolute(path: PathLike) -> Path:
    # Not `resolve`: a linked folder keeps the name its user knows.
    return Path(os.path.abspath(Path(path).expanduser()))


def _patterns(glob: str | Sequence[str]) -> tuple[str, ...]:
    return (glob,) if isinstance(glob, str) else tuple(glob)


def _asked(query: str) -> str:
    if not query.strip():
        raise InputError("The query is empty.", hint="Give at least one word to search for.")
    return query


def _positive(k: int) -> int:
    if k < 1:
        raise InputError(f"k is {k}; it must be 1 or more.", hint="Ask for at least one hit, as in -k 10.")
    return k


def _require_content(store: LocalStore) -> None:
    if store.catalog.value("SELECT 1 FROM chunk LIMIT 1") is None:
        raise NothingIndexed(f"The library at {store.catalog.folder} is empty.")


def _document(store: LocalStore, source: PathLike) -> Document:
    """What the library holds of a source, else the file itself."""
    from ammon import sources

    path = _absolute(source)
    for uri in (os.fspath(source), sources.uri_of(path)):
        document = read_document(store.catalog, uri)
        if document is not None:
            return document
    for found in sources.walk(path) if path.is_file() else ():
        if not isinstance(found, Skip):
            data = sources.read(found)
            if not sources.is_for_sandbox(path.name, data):
                return sources.load(found, data)
            with sources.Sandbox(1) as sandbox:
                return sandbox.submit(sources.Asked(path.name, data)).result()[0].of(found)
    raise PathNotFound(
        f"{source} is neither in the library nor a file that can be read.",
        hint="Check the path. To find by a question or by words, use `ammon search`.",
    )
