"""A folder, walked: every regular file in sorted order, and every entry left out with the reason.

The policy: what you name is read; below it, hidden entries, links, the folders of tools and caches, and what
``.gitignore`` and ``.ammonignore`` name are left out. Ignore files above the root are not consulted.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ammon.errors import PathNotFound
from ammon.sources.globs import Globs
from ammon.sources.ignoring import IGNORE_FILES, Ignored
from ammon.sources.names import escape
from ammon.sources.opening import MAX_BYTES, too_large
from ammon.types import Skip, Source

NEVER_ENTERED: Final = frozenset({".git", ".hg", ".svn", ".ammon", "node_modules", "__pycache__"})
"""Folders that hold what tools keep for themselves. Folders named ``*.ammon`` are libraries, and as closed."""

_MARKERS: Final = frozenset({"pyvenv.cfg", "CACHEDIR.TAG"})
"""A folder that holds one of these says itself that it is a virtual environment or a cache."""


def walk(
    root: Path, *, glob: str | Sequence[str] = (), follow_links: bool = False, max_bytes: int = MAX_BYTES
) -> Iterator[Source | Skip]:
    """Yield each regular file under ``root`` (a folder or one file) as a Source, in sorted order of names, and each
    entry that is left out as a Skip. A folder left out is one Skip. Files that no ``glob`` matches are not mentioned.

    Raises: PathNotFound, if there is nothing at ``root``.
    """
    text = os.path.abspath(root)
    try:
        status = os.stat(text)
    except FileNotFoundError as error:
        raise PathNotFound(f"There is nothing at {escape(text)}.") from error
    except OSError as error:
        yield _unreadable(text, error)
        return
    patterns = (glob,) if isinstance(glob, str) else tuple(glob)
    if stat.S_ISDIR(status.st_mode):
        yield from _Walk(text, Globs(patterns), follow_links, max_bytes).run()
    else:
        # A link that was named is a link that was asked for.
        yield _judged(os.path.realpath(text) if os.path.islink(text) else text, text, status, max_bytes)


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder still to be listed. ``relative`` to the root, with a slash at its end unless it is the root."""

    path: str
    shown: str
    relative: str
    ignored: Ignored


@dataclass(slots=True)
class _Walk:
    """One walk over one folder."""

    root: str
    globs: Globs
    follow_links: bool
    max_bytes: int
    seen: set[tuple[int, int]] = field(default_factory=set)

    def run(self) -> Iterator[Source | Skip]:
        # A stack of its own: no depth of folders can exhaust Python's.
        stack: list[Iterator[Source | Skip | _Folder]] = [self._list(_Folder(self.root, self.root, "", Ignored()))]
        while stack:
            item = next(stack[-1], None)
            if item is None:
                stack.pop()
            elif isinstance(item, _Folder):
                stack.append(self._list(item))
            else:
                yield item

    def _list(self, folder: _Folder) -> Iterator[Source | Skip | _Folder]:
        try:
            if self.follow_links and not self._first_visit(folder.path):
                yield Skip(escape(folder.shown), "link-cycle", "The link leads to a folder that was already walked.")
                return
            with os.scandir(folder.path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except FileNotFoundError:
            yield Skip(escape(folder.shown), "vanished", "The folder is gone.")
            return
        except OSError as error:
            yield _unreadable(folder.shown, error)
            return
        names = {entry.name for entry in entries}
        if folder.relative and not _MARKERS.isdisjoint(names):
            yield Skip(escape(folder.shown), "ignored", "It is a virtual environment or a cache, by its own marker.")
            return
        ignored, faults = _with_rules(folder, names)
        yield from faults
        for entry in entries:
            item = self._entry(entry, folder, ignored)
            if item is not None:
                yield item

    def _first_visit(self, path: str) -> bool:
        status = os.stat(path)
        identity = (status.st_dev, status.st_ino)
        if identity in self.seen:
            return False
        self.seen.add(identity)
        return True

    def _entry(self, entry: os.DirEntry[str], folder: _Folder, ignored: Ignored) -> Source | Skip | _Folder | None:
        """What becomes of one entry; ``None`` for a file that no glob asks for."""
        name = entry.name
        shown = os.path.join(folder.shown, name)
        relative = folder.relative + name
        link = False
        try:
            link = entry.is_symlink()
            if link and not self.follow_links:
                return self._left_out(shown, relative, "link", "It is a symbolic link.")
            status = entry.stat()
        except FileNotFoundError:
            return Skip(escape(shown), "link" if link else "vanished", "It leads nowhere." if link else "It is gone.")
        except OSError as error:
            return _unreadable(shown, error)
        is_folder = stat.S_ISDIR(status.st_mode)
        if is_folder and (name in NEVER_ENTERED or name.endswith(".ammon")):
            return Skip(escape(shown), "ignored", f"Folders named {name!r} are never entered.")
        if not is_folder and not self.globs.match(relative):
            return None
        if name[0] == "." and not self.globs.name_hidden:
            # The ignore files themselves are no news to anybody.
            return None if name in IGNORE_FILES else Skip(escape(shown), "hidden", "Its name begins with a dot.")
        rule = ignored.rule(relative, is_folder=is_folder)
        if rule:
            return Skip(escape(shown), "ignored", f"Ignored by {rule}.")
        path = os.path.realpath(shown) if link else os.path.join(folder.path, name)
        if is_folder:
            return _Folder(path, shown, relative + "/", ignored)
        return _judged(path, shown, status, self.max_bytes)

    def _left_out(self, shown: str, relative: str, code: str, reason: str) -> Skip | None:
        return Skip(escape(shown), code, reason) if self.globs.match(relative) else None


def _with_rules(folder: _Folder, names: set[str]) -> tuple[Ignored, list[Skip]]:
    """The rules in force in a folder, and which of its ignore files could not be used."""
    ignored, faults = folder.ignored, []
    for name in IGNORE_FILES:
        if name not in names:
            continue
        shown = os.path.join(folder.shown, name)
        try:
            ignored = ignored.with_file(os.path.join(folder.path, name), folder.relative)
        except OSError as error:
            faults.append(_unreadable(shown, error))
        except ValueError as error:
            faults.append(Skip(escape(shown), "malformed", f"Its rules are void: {error}"))
    return ignored, faults


def _judged(path: str, shown: str, status: os.stat_result, max_bytes: int) -> Source | Skip:
    uri = escape(shown)
    if not stat.S_ISREG(status.st_mode):
        return Skip(uri, "not-regular", f"It is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no regular file')}.")
    if status.st_size > max_bytes:
        return Skip(uri, "too-large", too_large(uri, status.st_size, max_bytes))
    return Source(Path(path), uri, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


_KINDS: Final = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a character device",
    stat.S_IFBLK: "a block device",
}


def _unreadable(path: str, error: OSError) -> Skip:
    return Skip(escape(path), "unreadable", f"The system refused: {error.strerror or type(error).__name__}.")
