"""Line numbers of positions that only move forward, counted as they pass, so that nothing is kept."""

from __future__ import annotations


class Lines:
    r"""Line numbers in one text. A line ends with ``\n``, ``\r\n`` or a lone ``\r``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._has_returns = "\r" in text
        self._position = 0
        self._line = 1

    def of(self, start: int, end: int) -> tuple[int, int]:
        """Return the 1-based lines of the characters at ``start`` and ``end - 1``, which must not be line ends.

        ``start`` must not lie before the ``start`` of an earlier call.
        """
        self._line += self._ends(self._position, start)
        self._position = start
        return self._line, self._line + self._ends(start, end)

    def _ends(self, start: int, end: int) -> int:
        text = self._text
        count = text.count("\n", start, end)
        if self._has_returns:
            count += text.count("\r", start, end) - text.count("\r\n", start, end)
        return count
