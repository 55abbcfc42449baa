"""What flows through the house: plain frozen values, with no behaviour beyond reading themselves.

Knows nothing of files, models or stores. Every stage takes these and gives these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
"""An ``(n, dim)`` float32 array whose rows have unit length."""

Ids: TypeAlias = NDArray[np.int64]
"""Chunk ids, shape ``(n,)``."""

Metadata: TypeAlias = Mapping[str, Any]
"""JSON-like values under text keys."""

PartKind: TypeAlias = Literal["prose", "markdown", "code", "row", "margin"]
Mode: TypeAlias = Literal["hybrid", "dense", "lexical"]
Freshness: TypeAlias = Literal["fresh", "changed", "missing", "unknown"]


@dataclass(frozen=True, slots=True)
class Source:
    """A regular file that the walk found, or the place a document claims to come from.

    ``uri`` is the absolute path as text; ``size`` is in bytes, ``modified`` (mtime) and ``changed`` (ctime, 0 where
    the system has none) in nanoseconds since the epoch.
    """

    path: Path
    uri: str
    size: int
    modified: int
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Skip:
    """Something the walk or a loader left out, and why. ``code`` is stable; ``reason`` is for people."""

    uri: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch ``[start, end)`` of a document's text, in characters, that one splitter handles.

    ``row`` parts become one chunk each wherever they fit; ``margin`` parts (running heads, page numbers) are kept for
    display and become none. ``page`` is the 1-based number of the page, slide, sheet or chapter. ``lines`` are the
    1-based first and last line in the *source*, or rows of the sheet, given only where they differ from the lines of
    the extracted text.
    """

    start: int
    end: int
    kind: PartKind = "prose"
    grammar: str = ""
    page: int | None = None
    heading: tuple[str, ...] = ()
    lines: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """Where the stretch ``[start, end)`` of a document's text stands on its page (1-based).

    The edges are in points (1/72 inch) from the top left corner of the page as it is shown; of an image, in pixels.
    ``confidence`` (0 to 1) is how sure a recogniser was of the text; 1 where the file itself holds it.
    """

    start: int
    end: int
    page: int
    left: float
    top: float
    right: float
    bottom: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Remark:
    """What of a document could not be read, or only with doubt. ``code`` is stable; ``text`` is for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Document:
    """One source, read as text. Spans of chunks and hits are character offsets into ``text``.

    ``encoding`` names the character set that was used and ``encoding_confidence`` (0 to 1) how sure it is.
    ``language`` is an ISO 639-1 code or empty. No ``parts`` means one part of prose. ``boxes``, in order of ``start``
    and not overlapping, are there where the format tells them, at best one for each line.
    """

    uri: str
    text: str
    media_type: str = "text/plain"
    title: str = ""
    language: str = ""
    metadata: Metadata = field(default_factory=dict)
    parts: Sequence[Part] = ()
    encoding: str = "utf-8"
    encoding_confidence: float = 1.0
    boxes: Sequence[Box] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch ``[start, end)`` of characters in a document's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage: ``document.text[start:end] == text``. Lines and pages are 1-based; ``tokens`` are the model's own."""

    ordinal: int
    start: int
    end: int
    text: str
    first_line: int
    last_line: int
    page: int | None = None
    heading: tuple[str, ...] = ()
    tokens: int = 0


def embedded_text(heading: Iterable[str], text: str) -> str:
    """What is embedded and indexed for a chunk: its heading path, then its text."""
    path = " > ".join(heading)
    return f"{path}\n{text}" if path else text


@dataclass(frozen=True, slots=True)
class Candidates:
    """A ranked list from one leg: chunk ``ids`` and raw ``scores``, best first, both of shape ``(n,)``."""

    ids: Ids
    scores: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the library. ``where`` is a filter in either spelling; ``instruction`` is for tuned encoders.

    ``per_document`` is the most passages to give of one document; 0 sets no limit, and ranks passages, not documents.
    """

    text: str
    k: int = 10
    where: str | Mapping[str, Any] | None = None
    mode: Mode = "hybrid"
    instruction: str = ""
    per_document: int = 0


@dataclass(frozen=True, slots=True)
class Why:
    """How a hit was found: 1-based rank and raw score in each leg (``None``: that leg did not find it).

    ``dense_score`` is a cosine in [-1, 1], ``lexical_score`` a BM25 sum, ``fused`` the convex combination in [0, 1],
    ``reranked`` a cross-encoder's score where that step ran. ``matched`` lists the query's terms that the text holds.
    """

    dense_rank: int | None = None
    dense_score: float | None = None
    lexical_rank: int | None = None
    lexical_score: float | None = None
    fused: float = 0.0
    reranked: float | None = None
    matched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers a query, with all that is needed to check it.

    ``score`` is in [0, 1] and compares across queries; ``span`` is in characters of the document's extracted text.
    ``freshness`` tells whether the source still is what was indexed. ``boxes`` tell where on its page the passage
    stands, line by line, where the format has it; their spans are of the document, too.
    """

    text: str
    score: float
    uri: str
    span: Span
    first_line: int
    last_line: int
    page: int | None
    heading: tuple[str, ...]
    title: str
    media_type: str
    metadata: Metadata
    chunk_id: int
    document_id: int
    why: Why
    freshness: Freshness = "unknown"
    boxes: Sequence[Box] = ()

    @property
    def citation(self) -> str:
        """Where the passage stands, for people: ``papers/attention.md:12-18``, ``papers/a.pdf, page 3``.

        Of a workbook, the sheet and its rows: ``plan.xlsx, sheet Costs, rows 3-7``.
        """
        if self.page is not None and ("sheet" in self.media_type or "excel" in self.media_type):
            rows = f"row {self.first_line}" if self.first_line == self.last_line else f"rows {self._lines}"
            return f"{self.uri}, sheet {self.heading[0] if self.heading else self.page}, {rows}"
        if self.page is not None:
            return f"{self.uri}, {_page_word(self.media_type)} {self.page}"
        if self.first_line == self.last_line:
            return f"{self.uri}:{self.first_line}"
        return f"{self.uri}:{self._lines}"

    @property
    def _lines(self) -> str:
        return f"{self.first_line}-{self.last_line}"


def _page_word(media_type: str) -> str:
    """What a numbered piece of such a file is called."""
    if "presentation" in media_type or "powerpoint" in media_type:
        return "slide"
    return "chapter" if "epub" in media_type else "page"


@dataclass(frozen=True, slots=True)
class Record:
    """A chunk as the store keeps it, joined with what its document says of itself.

    ``container`` is the uri of the file that the document is in, if it is in one. ``boxes`` are those of the chunk.
    """

    chunk_id: int
    document_id: int
    chunk: Chunk
    uri: str
    title: str
    media_type: str
    language: str
    metadata: Metadata
    size: int
    modified: int
    container: str = ""
    boxes: Sequence[Box] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A document with its chunks, on its way into the store.

    ``content_hash`` (hex) is of the source's bytes, or of the text where there is no file. ``root`` is the id of the
    mirrored folder it belongs to; size and times are as in `Source`. ``container`` is the uri of the file that the
    document is in, and comes and goes with: of a mail, for its attachments. An entry with a ``failure`` has no text:
    it notes what could not be read, ``on_purpose`` where that is no fault.
    """

    document: Document
    chunks: Sequence[Chunk]
    content_hash: str
    root: int | None = None
    size: int = 0
    modified: int = 0
    changed: int = 0
    container: str = ""
    failure: Skip | None = None
    on_purpose: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """A text that has no vector yet: the first chunk that holds it, its key, what to embed, its tokens."""

    chunk_id: int
    text_hash: bytes
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of ``index`` did. Counts are files unless the name says otherwise; ``seconds`` is wall time.

    ``kinds`` counts the documents that were read by media type, those within files too; ``pages`` are their pages,
    slides and sheets, of which the text of ``recognised`` was read from an image. ``flagged`` tells what of documents
    that were read could not be, or only with doubt.
    """

    added: int = 0
    updated: int = 0
    renamed: int = 0
    removed: int = 0
    unchanged: int = 0
    chunks: int = 0
    embedded: int = 0
    tokens: int = 0
    pending: int = 0
    seconds: float = 0.0
    skipped: tuple[Skip, ...] = ()
    failed: tuple[Skip, ...] = ()
    flagged: tuple[Skip, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)
    pages: int = 0
    recognised: int = 0
