"""Globs over paths relative to the root: ``*``, ``?``, ``[a-z]``, ``{md,rst}``, and ``**`` for any folders."""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?[^\]/]*\]|\{[^{}]*\}|.", re.DOTALL)


class Globs:
    """Patterns of which a path must match one; none at all match everything.

    A pattern without a slash is matched against the name, at any depth; one with a slash against the whole path.
    """

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._any = not patterns
        cleaned = [pattern.removeprefix("./").lstrip("/") for pattern in patterns]
        self._match = re.compile("|".join(map(_expression, cleaned)) or "(?!)", re.DOTALL).fullmatch
        self.name_hidden = any(part.startswith(".") for pattern in cleaned for part in pattern.split("/"))

    def match(self, relative: str) -> bool:
        """Whether a file is asked for. ``relative`` has slashes between its parts.

        >>> Globs(("**/*.neat",)).match("a.neat"), Globs(("*.md",)).match("docs/a.md")
        (True, True)
        """
        return self._any or self._match(relative) is not None


def _expression(pattern: str) -> str:
    anchored = pattern if "/" in pattern else f"**/{pattern}"
    if anchored.endswith("/"):
        anchored += "**"
    return "".join(_translated(token) for token in _TOKEN.findall(anchored))


def _translated(token: str) -> str:
    match token:
        case "**/":
            return "(?:[^/]+/)*"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
        case _:
            return _class_or_choice(token)


def _class_or_choice(token: str) -> str:
    if len(token) > 1 and token[0] == "[":
        inside = token[1:-1].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    if len(token) > 1 and token[0] == "{":
        return "(?:" + "|".join(_expression_of_choice(choice) for choice in token[1:-1].split(",")) + ")"
    return re.escape(token)


def _expression_of_choice(choice: str) -> str:
    return "".join(_translated(token) for token in _TOKEN.findall(choice))
