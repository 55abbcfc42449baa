"""A language model whose answers are kept in a file, so that what was interrupted goes on without asking again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from ammon.chat import Generation, Message, Usage, Wish
from ammon.ports import LLM
from ammon.store.local.files.disk import may_write
from ammon.store.local.files.lines import append_line, read_lines

_WISH: Final = Wish()


class RememberingLLM:
    """A model that is asked each thing once: by its name, the messages and the wish. Whole answers are kept, durably.

    An answer from the file took nothing, and says so in its usage.
    """

    def __init__(self, llm: LLM, path: Path) -> None:
        """``path`` is a file of JSON lines, made with the first answer where its folder may be written.

        Raises: LibraryError.
        """
        self.name, self.window = llm.name, llm.window
        self._llm = llm
        self._path = path
        values = (each for each in read_lines(path).values if isinstance(each, dict))
        self._known = {str(each.get("key")): str(each.get("text")) for each in values}

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return self._llm.count(text)

    def stream(self, messages: Sequence[Message], wish: Wish = _WISH) -> Iterator[str | Generation]:
        """The answer from the file, in one piece, else the model's own. Raises: as that; LibraryError."""
        key = self._key(messages, wish)
        if key in self._known:
            yield self._known[key]
            yield Generation(self._known[key], usage=Usage())
            return
        for piece in self._llm.stream(messages, wish):
            if isinstance(piece, Generation) and piece.finish == "stop":
                self._keep(key, piece.text)
            yield piece

    def _keep(self, key: str, text: str) -> None:
        self._known[key] = text
        folder = next(each for each in self._path.parents if each.exists())
        if may_write(folder):
            append_line(self._path, {"key": key, "text": text})

    def _key(self, messages: Sequence[Message], wish: Wish) -> str:
        whole = json.dumps([self.name, [asdict(message) for message in messages], asdict(wish)], sort_keys=True)
        return hashlib.blake2b(whole.encode("utf-8", "replace"), digest_size=16).hexdigest()

    def close(self) -> None:
        """Give back what the model holds."""
        self._llm.close()
