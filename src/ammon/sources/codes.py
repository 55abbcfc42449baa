"""Why a file may be left out: the stable codes of `Skip` and `SourceError`, with an explanation of each for people."""

from __future__ import annotations

from typing import Final

SKIP_CODES: Final[dict[str, str]] = {
    "binary": "The file holds no text, or belongs to a binary format that is not read yet.",
    "bomb": "It unpacks to more than a file may hold: over 100 MB, over 10,000 files, or over 100 times its size.",
    "empty": "The file holds no text at all.",
    "encrypted": "It is protected by a password or against copying.",
    "hidden": "The name begins with a dot. Name it in a glob, such as '.github/**', to read it.",
    "ignored": "A .gitignore or .ammonignore file names it, or it is a folder of tools and caches.",
    "link": "It is a symbolic link. Links are followed only when asked.",
    "link-cycle": "The link leads to a folder that was already walked.",
    "low-confidence": "Its text was recognised in a picture, with doubt.",
    "malformed": "The content breaks the rules of its format so far that nothing can be read from it.",
    "needs-ocr": "It is a picture, or has pages that are. `pip install 'ammon[ocr]'` adds text recognition.",
    "not-regular": "It is a pipe, a socket or a device, which is never opened.",
    "parser-failed": "Its reader broke down, or took more memory or time than a file may. Only this file is left out.",
    "too-deep": "It is more than three files deep in others.",
    "too-large": "The file is larger than the limit.",
    "too-slow": "Reading it took longer than 30 seconds and a tenth of a second a page.",
    "undecodable": "The character set could not be told, or the bytes do not fit it.",
    "unreadable": "The operating system refused to open it.",
    "unsupported": "The format is known, but not read.",
    "vanished": "It was there when the folder was listed and is gone now.",
}
"""Code → what it means. Codes never change their meaning."""
