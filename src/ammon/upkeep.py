"""What an open library can have done to it besides indexing and searching: kept sound and small, moved, re-embedded."""

from __future__ import annotations

from ammon.encoder import Encoder
from ammon.settings import Settings
from ammon.store.local.store import LocalStore


class Upkeep:
    """Looks after one open library; see `Library.upkeep`."""

    def __init__(self, store: LocalStore, encoder: Encoder, settings: Settings) -> None:
        self._store = store
        self._encoder = encoder
        self._settings = settings
