"""Every error Ammon raises on purpose. Each tells what happened, to which thing, and in ``.hint`` what to do now.

AmmonError
├── LibraryError               the library as a whole
│   ├── LibraryNotFound        no library where one was looked for
│   ├── LibraryNewer           written by a later version of Ammon
│   ├── LibraryBusy            another process held the write lock for too long
│   ├── LibraryDamaged         the catalog itself is not sound
│   └── NothingIndexed         a search in a library without a single passage
├── InputError (ValueError)    what the caller gave
│   ├── BadFilter              a filter that cannot be read; knows the position of the mistake
│   └── PathNotFound           a path that is not there
├── SourceError                one file that could not be read; carries a stable ``code``
├── ModelError                 an embedding model
│   ├── ModelChanged           the library has gone over to another one meanwhile
│   ├── ModelNotFound          neither packaged, nor a folder, nor reachable
│   ├── ModelMismatch          the library was embedded with another one
│   └── ModelUnavailable       a remote model did not answer
├── SettingsError              a setting with an impossible value
└── MissingExtra               an optional part that is not installed
"""

from __future__ import annotations

__all__ = [
    "AmmonError",
    "BadFilter",
    "InputError",
    "LibraryBusy",
    "LibraryDamaged",
    "LibraryError",
    "LibraryNewer",
    "LibraryNotFound",
    "MissingExtra",
    "ModelChanged",
    "ModelError",
    "ModelMismatch",
    "ModelNotFound",
    "ModelUnavailable",
    "NothingIndexed",
    "PathNotFound",
    "SettingsError",
    "SourceError",
]


class AmmonError(Exception):
    """The root of the tree. ``str(error)`` is what happened; ``error.hint`` is what to do now, never empty."""

    default_hint = "Run `ammon doctor` to check the library."

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint or self.default_hint


class LibraryError(AmmonError):
    """Something about the library as a whole."""


class LibraryNotFound(LibraryError):
    """There is no library where one was looked for."""

    default_hint = "Run `ammon index PATH` to create one, or name one with --library or AMMON_LIBRARY."


class LibraryNewer(LibraryError):
    """The library was written by a later version of Ammon than this one."""

    default_hint = "Upgrade with `pip install --upgrade ammon`."


class LibraryBusy(LibraryError):
    """Another process held the write lock for longer than the timeout."""

    default_hint = "Wait for the other `ammon index` to end, or stop it; nothing was lost."


class LibraryDamaged(LibraryError):
    """The catalog, which everything else is derived from, is not sound."""


class NothingIndexed(LibraryError):
    """A search in a library that holds no passage."""

    default_hint = "Run `ammon index PATH` first."


class InputError(AmmonError, ValueError):
    """Something the caller gave cannot be used."""

    default_hint = "Change the argument named above."


class BadFilter(InputError):
    """A filter that cannot be read. ``source`` is its text, ``position`` the 0-based character of the mistake."""

    default_hint = "Filters look like: year >= 2020 and lang = 'zh'."

    def __init__(self, message: str, *, source: str = "", position: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.position = position

    def pointed(self) -> str:
        """Return the filter's text with a caret under the mistake, on two lines; empty when there is no text."""
        return f"{self.source}\n{' ' * self.position}^" if self.source else ""


class PathNotFound(InputError):
    """A file or folder that is not there."""

    default_hint = "Check the path; quote it if it holds spaces."


class SourceError(AmmonError):
    """One source that could not be read. ``code`` is stable and listed in ``docs/reference/codes.md``."""

    default_hint = "The file was left out; the rest was indexed."

    def __init__(self, message: str, *, code: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class ModelError(AmmonError):
    """Something about an embedding model."""

    default_hint = "Run `ammon models` to see what there is."


class ModelChanged(ModelError):
    """The library has gone over to another model since these vectors were made."""

    default_hint = "Do it again: the library's new model is used then."


class ModelNotFound(ModelError):
    """A model that is neither packaged, nor a folder, nor reachable."""


class ModelMismatch(ModelError):
    """The library was embedded with another model than the one asked for."""

    default_hint = "Ask with the library's own model, or change that with `ammon reembed`."


class ModelUnavailable(ModelError):
    """A remote model did not answer, after retries."""

    default_hint = "Check the address and the key; nothing that was stored is lost. Run the command again to go on."


class SettingsError(AmmonError):
    """A setting with an impossible value, or one that does not exist."""

    default_hint = "Settings are listed in docs/reference/settings.md."


class MissingExtra(AmmonError, ImportError):
    """An optional part of Ammon is not installed."""
