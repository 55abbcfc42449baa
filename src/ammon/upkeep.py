"""What an open library can have done to it besides indexing and searching: kept sound and small, moved, re-embedded."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ammon.encoder import Encoder
from ammon.progress import Watcher, unwatched
from ammon.settings import Settings
from ammon.store.local.store import LocalStore
from ammon.store.local.succession import forget, give_up

if TYPE_CHECKING:
    from ammon.ports import Embedder
    from ammon.reembedding import Reembedding
    from ammon.store.local.catalog import Catalog
    from ammon.store.local.compaction import Compaction
    from ammon.store.local.moving.exporting import Exported
    from ammon.store.local.moving.importing import Imported
    from ammon.store.local.moving.restoring import Restored
    from ammon.store.local.moving.snapshots import Snapshot
    from ammon.store.local.spaces import Space


class Upkeep:
    """Looks after one open library; see `Library.upkeep`."""

    def __init__(self, store: LocalStore, encoder: Encoder, settings: Settings) -> None:
        self._store = store
        self._encoder = encoder
        self._settings = settings

    def compact(self) -> Compaction:
        """Make the library as small as it can be, and leave no byte of what was deleted. Returns what was done.

        Others may search meanwhile; who writes waits. Done again, it changes nothing.
        Raises: LibraryBusy, LibraryError.
        """
        from ammon.store.local.compaction import compact

        return compact(self._store.catalog, self._store.words, self._store.nearest)

    def reembed(self, model: str | Embedder = "", progress: Watcher = unwatched) -> Reembedding:
        """Give the library another model, by name or one of your own. The one before answers until all is ready.

        Whoever was interrupted goes on where he was, and need not name the ``model`` again. New and edited texts of
        other processes are covered. A model that the library has already is nothing to do.
        Raises: ModelNotFound, ModelUnavailable, ModelError when another change is under way, SettingsError when the
        settings name another model, InputError, LibraryBusy; what was embedded until then is kept.
        """
        from ammon import reembedding

        return reembedding.reembed(self._store, self._encoder, self._settings, model, progress)

    def rollback(self, progress: Watcher = unwatched) -> Reembedding:
        """Give the library the model back that it had before; what came since is embedded first.

        Raises: ModelError when no other model's vectors are kept, ModelMismatch when that model has changed, and as
        `reembed`.
        """
        from ammon import reembedding

        return reembedding.rollback(self._store, self._encoder, self._settings, progress)

    def cancel_reembedding(self) -> str:
        """Give up the change of model that is under way. Returns that model. Raises: ModelError when there is none."""
        return self._let_go(give_up)

    def forget_retired(self) -> str:
        """Drop the vectors that a rollback would use. Returns their model. Raises: ModelError when there are none."""
        return self._let_go(forget)

    def _let_go(self, choose: Callable[[Catalog], Space]) -> str:
        space = choose(self._store.catalog)
        self._store.settle()
        return space.model

    def snapshot(self, target: str | os.PathLike[str], progress: Watcher = unwatched) -> Snapshot:
        """Copy the library as it is now into the new folder ``target``, verified; others may write meanwhile.

        Raises: InputError when ``target`` is there, LibraryDamaged, LibraryError.
        """
        from ammon.store.local.moving.snapshots import take_snapshot

        return take_snapshot(self._store, _absolute(target), progress)

    def export(self, file: str | os.PathLike[str], progress: Watcher = unwatched) -> Exported:
        """Write all that the library holds into the one new file ``file``; ``losses`` tell what could not be read.

        Raises: InputError when ``file`` is there, LibraryError.
        """
        from ammon.store.local.moving.exporting import export

        return export(self._store.catalog, _absolute(file), progress)

    def import_file(
        self, file: str | os.PathLike[str], *, vectors: bool = True, progress: Watcher = unwatched
    ) -> Imported:
        """Merge an export into the library by uri; equal documents are passed over. Run it again to go on.

        Without ``vectors``, only its text is taken, and waits to be embedded.
        Raises: PathNotFound, InputError when the file is damaged or no export, ModelMismatch, LibraryNewer,
        LibraryBusy, LibraryError.
        """
        from ammon.store.local.moving.importing import import_file

        return import_file(self._store, _absolute(file), self._encoder.split, vectors=vectors, watcher=progress)


def export(library: str | os.PathLike[str], file: str | os.PathLike[str], progress: Watcher = unwatched) -> Exported:
    """Do what `Upkeep.export` does for the library in a folder, which may be too damaged to be opened.

    Raises: LibraryNotFound, InputError when ``file`` is there, LibraryDamaged when nothing can be read, LibraryError.
    """
    from ammon.store.local.moving.exporting import export_folder

    return export_folder(_absolute(library), _absolute(file), progress)


def check_export(file: str | os.PathLike[str]) -> None:
    """Look whether ``file`` is an export that this version reads. Its members are checked when it is imported.

    Raises: PathNotFound, InputError, LibraryNewer.
    """
    from ammon.store.local.moving.archive import Manifest, opened

    with opened(_absolute(file)) as archive:
        Manifest.read(archive)


def restore(
    snapshot: str | os.PathLike[str],
    library: str | os.PathLike[str],
    *,
    replace: bool = False,
    progress: Watcher = unwatched,
) -> Restored:
    """Make a snapshot the library in the folder ``library``; the snapshot stays as it is.

    With ``replace``, a library that is there is moved aside, and ``aside`` is where it is.
    Raises: PathNotFound, InputError when there is a library already, LibraryBusy, LibraryDamaged, LibraryNewer,
    LibraryError.
    """
    from ammon.store.local.moving import restoring

    return restoring.restore(_absolute(snapshot), _absolute(library), replace=replace, watcher=progress)


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(path).expanduser().absolute()
