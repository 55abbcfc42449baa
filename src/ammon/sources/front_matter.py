"""Front matter: the few lines between two ``---`` at the top of a Markdown file, read as plain keys and values.

A small reader of its own instead of a YAML library: it takes ``key: value``, quoted text, numbers, true and false,
``[a, b]`` and ``- item`` lists, and leaves anything deeper alone. No tags, anchors or types can be smuggled in.
"""

from __future__ import annotations

import re
from typing import Any, Final

_BLOCK: Final = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_KEY: Final = re.compile(r"([\w][\w .-]{0,99}?)[ \t]*:(?:[ \t]+(.*))?$")
_ITEM: Final = re.compile(r"\s*-[ \t]+(.*)$")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,14})(\.\d+)?$")
_LONGEST: Final = 20_000


def front_matter(text: str) -> tuple[dict[str, Any], int]:
    r"""Return (metadata, where the body starts). Without front matter that is ``({}, 0)``.

    >>> front_matter("---\ntitle: Notes\ntags: [a, b]\nyear: 2024\n---\n# X")[0]
    {'title': 'Notes', 'tags': ['a', 'b'], 'year': 2024}
    """
    found = _BLOCK.match(text, 0, _LONGEST)
    if found is None:
        return {}, 0
    metadata: dict[str, Any] = {}
    key = ""
    for line in found[1].splitlines():
        item = _ITEM.match(line)
        named = _KEY.match(line)
        if named:
            key = named[1]
            metadata[key] = _value(named[2] or "")
        elif item and key and isinstance(metadata[key] or [], list):
            metadata[key] = [*(metadata[key] or []), _scalar(item[1])]
    return {key: value for key, value in metadata.items() if value != ""}, found.end()


def _value(text: str) -> Any:
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(item) for item in text[1:-1].split(",") if item.strip()]
    return _scalar(text)


def _scalar(text: str) -> str | int | float | bool:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    text = text.split(" #")[0].rstrip()
    if text in ("true", "false"):
        return text == "true"
    number = _NUMBER.match(text)
    if number:
        return float(text) if number[1] else int(text)
    return "" if text in ("|", ">", "|-", ">-", "{}", "~", "null") else text
