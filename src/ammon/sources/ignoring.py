"""What ``.gitignore`` and ``.ammonignore`` say of a path, with git's own rules.

A deeper file overrules a shallower one, and in one folder ``.ammonignore`` overrules ``.gitignore``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

IGNORE_FILES: Final = (".gitignore", ".ammonignore")
"""In the order in which they are consulted, the last one winning."""

_MAX_BYTES: Final = 1 << 20
"""More than this of an ignore file is not rules."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """The ignore files in force for a folder: (rules, the folder they stand in, the file's name), outermost first."""

    files: tuple[tuple[Any, str, str], ...] = ()

    def with_file(self, path: str, relative: str) -> Ignored:
        """Return these rules and those of the file at ``path``, which stands in the folder ``relative``.

        Raises: OSError, if it cannot be read; ValueError, if it holds a line that is no pattern.
        """
        # Imported late: most folders have no ignore file, and most runs need no matcher.
        from pathspec import GitIgnoreSpec

        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            rules = GitIgnoreSpec.from_lines(file.read(_MAX_BYTES).splitlines())
        return Ignored((*self.files, (rules, relative, relative + path.rpartition("/")[2])))

    def rule(self, relative: str, *, is_folder: bool) -> str:
        """Return the name of the ignore file that leaves this path out; empty if none does."""
        for rules, folder, name in reversed(self.files):
            below = relative[len(folder) :] + ("/" if is_folder else "")
            verdict = rules.check_file(below).include
            if verdict is not None:
                return name if verdict else ""
        return ""
