"""Why a file may be left out: the stable codes of `Skip` and `SourceError`, with an explanation of each for people."""

from __future__ import annotations

from typing import Final

SKIP_CODES: Final[dict[str, str]] = {
    "binary": "The file holds no text, or belongs to a binary format that is not read yet.",
    "empty": "The file holds no text at all.",
    "hidden": "The name begins with a dot. Name it in a glob, such as '.github/**', to read it.",
    "ignored": "A .gitignore or .ammonignore file names it, or it is a folder of tools and caches.",
    "link": "It is a symbolic link. Links are followed only when asked.",
    "link-cycle": "The link leads to a folder that was already walked.",
    "malformed": "The content breaks the rules of its format so far that nothing can be read from it.",
    "not-regular": "It is a pipe, a socket or a device, which is never opened.",
    "too-large": "The file is larger than the limit.",
    "undecodable": "The character set could not be told, or the bytes do not fit it.",
    "unreadable": "The operating system refused to open it.",
    "unsupported": "The format is known, but not read.",
    "vanished": "It was there when the folder was listed and is gone now.",
}
"""Code → what it means. Codes never change their meaning."""
