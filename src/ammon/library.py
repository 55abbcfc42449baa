"""The façade: one folder that remembers. Everything a program or the command line does begins here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from threading import Event
from typing import TYPE_CHECKING

from ammon.encoder import Encoder
from ammon.ports import Embedder
from ammon.progress import Watcher, unwatched
from ammon.searchable import PathLike, Searchable, absolute
from ammon.settings import Settings, find_library, load_settings
from ammon.store.local.checking.findings import Finding
from ammon.store.local.checking.health import Status, take_stock
from ammon.store.local.store import LocalStore
from ammon.types import Document, Report

if TYPE_CHECKING:
    from ammon.evaluate.report import Report as Evaluation
    from ammon.indexer import Indexer
    from ammon.upkeep import Upkeep


class Library(Searchable):
    """A library in a folder: index what should be found, then search it.

    What can be asked of it is in `Searchable`. Close it, or use it in a ``with`` block. Threads may share one; any
    number of processes may open one folder.
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
        self.path = find_library() if path is None else absolute(path)
        self.settings = settings or load_settings(self.path)
        self.store = LocalStore(self.path, create=create, lock_timeout=self.settings.lock_timeout)
        self.encoder = Encoder(self.store.catalog, self.settings, embedder)

    def index(self, *paths: PathLike, glob: str | Sequence[str] = (), progress: Watcher = unwatched) -> Report:
        """Mirror folders or files into the library, and embed what is new. Returns what was done.

        Without ``paths``, mirrors again every folder that was indexed before. ``glob`` keeps to files that match any
        of the patterns, and reads them as text whatever their extension.

        Raises: PathNotFound, LibraryBusy, ModelError; what was stored until then is kept, and the next call goes on.
        """
        return _indexer(self).index([absolute(path) for path in paths], _patterns(glob), progress)

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
        return _indexer(self).watch([absolute(path) for path in paths], _patterns(glob), progress, stop)

    def add(self, documents: Iterable[Document]) -> Report:
        """Store documents that a program made, by their uri, and embed them; equal ones are passed over.

        Raises: LibraryBusy, ModelError.
        """
        return _indexer(self).add(documents)

    def remove(self, *uris: str) -> int:
        """Remove documents by uri, or by path. Returns how many were there. The files themselves are not touched."""
        return _indexer(self).remove(uris)

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

        return evaluate_folder(self, absolute(folder))

    def close(self) -> None:
        """Give back files and memory. Closing twice is harmless."""
        self.store.close()


def _indexer(library: Library) -> Indexer:
    # Imported only now: a search from the command line needs none of what reads files.
    from ammon.indexer import Indexer

    return Indexer(library.store, library.encoder, library.settings)


def _patterns(glob: str | Sequence[str]) -> tuple[str, ...]:
    return (glob,) if isinstance(glob, str) else tuple(glob)
