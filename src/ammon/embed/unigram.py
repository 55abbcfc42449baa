"""A second reader of a unigram vocabulary, for the first short texts of a process.

Setting up `tokenizers` with 250,000 pieces takes about a second; a search typed into a terminal should not wait for
it. This reads one mapped, sorted table instead and finds the same best segmentation (T. Kudo, "Subword
Regularization", 2018, section 3.1) in plain Python: milliseconds for a query, hopeless for a corpus. It declines any
text whose normalisation could differ in the least, and the tests hold it to `tokenizers` id by id.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SPACE = "\u2581"
PENALTY = 10.0  # an unknown character costs the worst piece's score and this

# ASCII, Latin, Greek, Cyrillic, Hebrew and Arabic letters, dashes and quotes, kana, CJK, Hangul, full-width forms:
# characters whose NFKC has been the same in every version of Unicode that matters, and no combining marks.
_PLAIN = re.compile(
    "[ -~\u00a1-\u00ac\u00ae-\u02af\u0391-\u03a1\u03a3-\u03ff\u0400-\u0482\u048a-\u052f\u05d0-\u05ea\u0621-\u063a"
    "\u2010-\u2027\u3001-\u3029\u3041-\u3096\u30a1-\u30fe\u3400-\u4db5\u4e00-\u9fa5\uac00-\ud7a3\uff01-\uff5d]*"
)


class Pieces(Sequence[bytes]):
    """The vocabulary, sorted by bytes, in one mapped file; ``ids`` and ``scores`` are in the same order."""

    def __init__(self, data: NDArray[np.uint8]) -> None:
        count = int(data[:4].view("<u4")[0])
        columns = data[4 : 4 + 12 * count + 4].view("<u4")
        self.ids = columns[:count]
        self.scores = columns[count : 2 * count].view("<f4")
        # Views of memory give plain numbers and bytes, several times quicker than arrays give theirs.
        self._offsets = np.asarray(columns[2 * count :]).data
        self._text = np.asarray(data[8 + 12 * count :]).data

    @classmethod
    def open(cls, path: Path) -> Pieces:
        """Return the pieces in a file of `table`'s making."""
        return cls(np.memmap(path, np.uint8, "r"))

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, at: int) -> bytes:  # type: ignore[override]
        return bytes(self._text[self._offsets[at] : self._offsets[at + 1]])


def table(pieces: Sequence[bytes], scores: NDArray[np.float32]) -> bytes:
    """Return the file of a vocabulary, given in the order of its ids."""
    order = sorted(range(len(pieces)), key=pieces.__getitem__)
    ends = np.cumsum([0, *(len(pieces[at]) for at in order)]).astype("<u4")
    ids = np.array(order, "<u4")
    count = np.array([len(order)], "<u4")
    columns = (count, ids, np.asarray(scores, "<f4")[order], ends)
    return b"".join(column.tobytes() for column in columns) + b"".join(pieces[at] for at in order)


class Unigram:
    """Text → ids, as XLM-R's tokenizer gives them, for the texts that it accepts."""

    def __init__(self, pieces: Pieces, *, unknown: int, begin: int, end: int) -> None:
        self._pieces = pieces
        self._unknown = unknown
        self._frame = (begin, end)
        self._worst = float(pieces.scores.min()) - PENALTY
        self._best = lru_cache(maxsize=4096)(self._segment)  # words come again
        self._range = lru_cache(maxsize=4096)(self._beginning)

    def ids(self, text: str) -> list[int] | None:
        """Return the ids of ``text`` with the special tokens around it; None for a text it does not vouch for."""
        if not text or not _PLAIN.fullmatch(text):
            return None
        plain = re.sub(" {2,}", " ", unicodedata.normalize("NFKC", text)).replace(" ", SPACE)
        words = re.findall(f"{SPACE}[^{SPACE}]*", plain if plain.startswith(SPACE) else SPACE + plain)
        begin, end = self._frame
        return [begin, *(piece for word in words for piece in self._best(word)), end]

    def _segment(self, word: str) -> list[int]:
        """The ids of the most probable segmentation; unknown characters in a row are one id."""
        ends = len(word) + 1
        best = [0.0] + [float("-inf")] * (ends - 1)
        back: list[tuple[int, int]] = [(0, self._unknown)] * ends
        for start in range(len(word)):
            for end, piece, score in self._from(word, start):
                if best[start] + score > best[end]:
                    best[end], back[end] = best[start] + score, (start, piece)
            if best[start] + self._worst > best[start + 1]:
                best[start + 1], back[start + 1] = best[start] + self._worst, (start, self._unknown)
        found: list[int] = []
        at = len(word)
        while at:
            at, piece = back[at]
            if piece != self._unknown or found[-1:] != [piece]:
                found.append(piece)
        return found[::-1]

    def _from(self, word: str, start: int) -> list[tuple[int, int, float]]:
        """Every piece that ``word`` holds at ``start``: its end, id and score."""
        pieces = self._pieces
        found = []
        low, high = self._range(word[start])
        for end in range(start + 1, len(word) + 1):
            prefix = word[start:end].encode()
            low = bisect_left(pieces, prefix, low, high)
            if low == high:
                break
            if pieces[low] == prefix:
                found.append((end, int(pieces.ids[low]), float(pieces.scores[low])))
            high = bisect_left(pieces, prefix + b"\xff", low, high)
        return found

    def _beginning(self, letter: str) -> tuple[int, int]:
        """Where the pieces that begin with ``letter`` stand in the table: from, to."""
        prefix = letter.encode()
        low = bisect_left(self._pieces, prefix)
        return low, bisect_left(self._pieces, prefix + b"\xff", low)
