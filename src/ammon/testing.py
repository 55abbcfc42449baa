"""For tests of what is built on Ammon: a language model that says what it was told to say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from ammon.chat import Generation, Message, Usage, Wish
from ammon.errors import InputError, ModelUnavailable

Line: TypeAlias = str | Generation | Exception | Callable[[Sequence[Message], Wish], str | Generation]
"""What the model does when it is asked: says a text, ends in a way of its own, fails, or works out what to say."""

_PIECE: Final = re.compile(r"\s*\S+|\s+")


class ScriptedLLM:
    """A language model that follows a script, one line each time it is asked, and keeps what it was asked.

    >>> from ammon.ports import complete
    >>> complete(ScriptedLLM(["Hello there."]), [Message("user", "Hi")]).text
    'Hello there.'
    """

    def __init__(self, script: Sequence[Line] | Line, *, name: str = "scripted", window: int = 8192) -> None:
        """A ``script`` that is a single line is followed every time."""
        self.name = name
        self.window = window
        self.asked: list[tuple[tuple[Message, ...], Wish]] = []
        """Each time's messages and wish."""
        self._script = script

    def count(self, text: str) -> int:
        """Tokens of a text: its words, and each character of those that have no spaces between them."""
        return len(re.findall(r"[\u3040-\u9fff]|[^\s\u3040-\u9fff]+", text))

    def stream(self, messages: Sequence[Message], wish: Wish | None = None) -> Iterator[str | Generation]:
        """The next line, word by word. Raises: what the script says; InputError when it is too long or over."""
        wish = wish or Wish()
        read = sum(self.count(message.text) for message in messages)
        if read + wish.max_tokens > self.window:
            raise InputError(f"{read} tokens do not fit into the {self.window} of {self.name}.", hint="Give it less.")
        self.asked.append((tuple(messages), wish))
        line = self._line()
        said = line(messages, wish) if callable(line) else line
        if isinstance(said, Exception):
            raise said
        whole = said if isinstance(said, Generation) else Generation(said, usage=Usage(read, self.count(said)))
        yield from _PIECE.findall(whole.text)
        yield whole

    def _line(self) -> Line:
        if isinstance(self._script, str | Generation | Exception) or callable(self._script):
            return self._script
        if len(self.asked) > len(self._script):
            raise ModelUnavailable("The script is over.", hint="Give it a line for each time that it is asked.")
        return self._script[len(self.asked) - 1]

    def close(self) -> None:
        """Nothing is held."""
