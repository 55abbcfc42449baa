"""What an open library can have done to it besides indexing and searching: kept sound and small, moved, re-embedded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ammon.encoder import Encoder
from ammon.progress import Watcher, unwatched
from ammon.settings import Settings
from ammon.store.local.store import LocalStore

if TYPE_CHECKING:
    from ammon.store.local.compaction import Compaction
    from ammon.store.local.exporting import Exported
    from ammon.store.local.importing import Imported
    from ammon.store.local.restoring import Restored
    from ammon.store.local.snapshots import Snapshot


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

    def snapshot(self, target: str | os.PathLike[str], progress: Watcher = unwatched) -> Snapshot:
        """Copy the library as it is now into the new folder ``target``, verified; others may write meanwhile.

        Raises: InputError when ``target`` is there, LibraryDamaged, LibraryError.
        """
        from ammon.store.local.snapshots import take_snapshot

        return take_snapshot(self._store, _absolute(target), progress)

    def export(self, file: str | os.PathLike[str], progress: Watcher = unwatched) -> Exported:
        """Write all that the library holds into the one new file ``file``; ``losses`` tell what could not be read.

        Raises: InputError when ``file`` is there, LibraryError.
        """
        from ammon.store.local.exporting import export

        return export(self._store.catalog, _absolute(file), progress)

    def import_file(
        self, file: str | os.PathLike[str], *, vectors: bool = True, progress: Watcher = unwatched
    ) -> Imported:
        """Merge an export into the library by uri; equal documents are passed over. Run it again to go on.

        Without ``vectors``, only its text is taken, and waits to be embedded.
        Raises: PathNotFound, InputError when the file is damaged or no export, ModelMismatch, LibraryNewer,
        LibraryBusy, LibraryError.
        """
        from ammon.store.local.importing import import_file

        return import_file(self._store, _absolute(file), self._encoder.split, vectors=vectors, watcher=progress)


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
    from ammon.store.local import restoring

    return restoring.restore(_absolute(snapshot), _absolute(library), replace=replace, watcher=progress)


def _absolute(path: str | os.PathLike[str]) -> Path:
    return Path(path).expanduser().absolute()
