"""SQLite's write-ahead log, read from outside: what it holds, and whether it held more.

SQLite takes the first bad frame for the end of the log, as a power cut would leave it, and passes over whatever
follows. A frame's checksum goes on from that of the frame before, so a frame that fits behind a commit was written
after that commit was durable: where SQLite would stop before such a commit, something acknowledged has been damaged.
Format: https://sqlite.org/fileformat2.html, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ammon.store.local.files.pages import PAGE_BYTES, Words, weights

LOG_SUFFIX = "-wal"
LOG_HEADER = 32
_FRAME_HEADER = 24
_FRAME = _FRAME_HEADER + PAGE_BYTES
_LITTLE_ENDIAN, _BIG_ENDIAN = 0x377F0682, 0x377F0683
_COMMITS_WORD = 15
"""``user_version``, at byte 60 of page 1, holds the number of the catalog's last commit."""


@dataclass(frozen=True, slots=True)
class Log:
    """What a log holds. ``pages`` are the offsets of the newest committed content by page number.

    ``size`` is the catalog's size in pages after the last commit that SQLite would find, ``first`` and ``last`` are
    the numbers of the first and last such commit, ``durable`` that of the last which is proven to have been there;
    each is 0 where there is none.
    """

    pages: dict[int, int] = field(default_factory=dict)
    size: int = 0
    first: int = 0
    last: int = 0
    durable: int = 0


def read_log(path: Path) -> Log:
    """The log at ``path``; an empty one when there is none. Others may write to it meanwhile."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return Log()
    with file:
        while True:
            header = file.read(LOG_HEADER)
            content = file.read()
            file.seek(0)
            # A log that was begun anew while it was read has another header.
            if file.read(LOG_HEADER) == header:
                return _parsed(header, content)
            file.seek(0)


def _parsed(header: bytes, content: bytes) -> Log:
    count = len(content) // _FRAME
    if len(header) < LOG_HEADER or not count:
        return Log()
    head = np.frombuffer(header, ">u4")
    frames = np.frombuffer(content[: count * _FRAME], ">u4").reshape(count, _FRAME // 4)
    order = ">u4" if head[0] == _BIG_ENDIAN else "<u4"
    words = np.frombuffer(content[: count * _FRAME], order).reshape(count, _FRAME // 4)
    fits = _fits(head, frames, words)
    begun = _is_sound(header, order) and tuple(frames[0, 2:4]) == tuple(head[4:6])
    whole = int(np.argmin(np.append(fits, False))) if begun else 0
    commits = frames[:, 1] != 0
    followed = np.flatnonzero(commits[:-1] & fits[:-1] & fits[1:])
    ends = np.flatnonzero(commits[:whole])
    held = 1 + int(ends[-1]) if len(ends) else 0
    first_pages = frames[:, 0] == 1
    numbers = frames[:, _FRAME_HEADER // 4 + _COMMITS_WORD]
    inside = numbers[:held][first_pages[:held]]
    reached = 1 + int(followed[-1]) if len(followed) else 0
    proven = numbers[:reached][first_pages[:reached] & fits[:reached]]
    return Log(
        {int(page): LOG_HEADER + at * _FRAME + _FRAME_HEADER for at, page in enumerate(frames[:held, 0])},
        int(frames[held - 1, 1]) if held else 0,
        int(inside[0]) if len(inside) else 0,
        int(inside[-1]) if len(inside) else 0,
        int(proven.max()) if len(proven) else 0,
    )


def _fits(head: Words, frames: Words, words: Words) -> NDArray[np.bool_]:
    """Which frames go on from the one before, or from the header: same salts, and a checksum that continues its."""
    counts = weights(_FRAME // 4 - 4)
    own = words[:, :2] @ counts[:2] + words[:, 6:] @ counts[2:]
    before = np.vstack([head[6:8], frames[:-1, 4:6]]).astype(np.uint32)
    # Two sums that were there before count as a first word and as a second sum: one word and the next.
    expected = own + before @ np.vstack([counts[0], counts[0] + counts[1]])
    salts = np.vstack([frames[0, 2:4], frames[:-1, 2:4]])
    fits: NDArray[np.bool_] = (expected == frames[:, 4:6]).all(axis=1) & (frames[:, 2:4] == salts).all(axis=1)
    return fits


def _is_sound(header: bytes, order: str) -> bool:
    head = np.frombuffer(header, ">u4")
    sums = np.frombuffer(header[:24], order).astype(np.uint32) @ weights(6)
    known = int(head[0]) in (_LITTLE_ENDIAN, _BIG_ENDIAN) and int(head[2]) == PAGE_BYTES
    return known and bool((sums == head[6:8]).all())
