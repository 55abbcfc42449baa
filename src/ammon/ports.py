"""The three ports, with their laws, and the shapes of the plain functions between them.

A port exists where two real adapters exist. Everything else is a callable: a loader, a splitter, a search step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ammon.chat import Generation, Message, Wish
from ammon.errors import ModelUnavailable
from ammon.types import Candidates, Chunk, Document, Entry, Hit, Ids, Pending, Query, Record, Source, Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_AS_IT_IS = Wish()

Load: TypeAlias = Callable[[Source, bytes], Document]
"""Bytes of a source → document. Raises SourceError; opens nothing itself."""

Split: TypeAlias = Callable[[Document], Sequence[Chunk]]
"""Document → chunks, in reading order, with ``document.text[c.start:c.end] == c.text`` for each."""

Step: TypeAlias = Callable[[Query, list[Hit]], list[Hit]]
"""A search step: hits → hits, best first. Adds no hit that the store does not hold."""


class Embedder(Protocol):
    """Texts → unit vectors.

    Laws: every method gives ``(len(texts), dim)`` float32 with rows of unit length, in the order of the texts, for
    any number of texts including none; the same text gives the same row whatever stands beside it (cosine ≥ 0.9999);
    a text longer than ``max_tokens`` is cut, not refused; two embedders of equal ``fingerprint`` agree;
    threads may share one instance, and get what one thread alone would get.
    """

    @property
    def name(self) -> str:
        """The model's name, as ``--model`` takes it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest of the weights, the tokenizer and the prompts: what makes two spaces the same."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Longest input in tokens, prompt and special tokens included."""
        ...

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes the model serves; empty means any."""
        ...

    @property
    def tokenizer(self) -> Tokenizer | None:
        """The model's tokenizer, without truncation or padding; ``None`` where only the server has it."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text in the model's own vocabulary, without prompt and special tokens."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Rows for texts to be found. Raises: ModelUnavailable."""
        ...

    def embed_queries(self, texts: Sequence[str], *, instruction: str = "") -> Vectors:
        """Rows for texts to search with; ``instruction`` replaces the model's own. Raises: ModelUnavailable."""
        ...


class Store(Protocol):
    """Documents, chunks, vectors, and the two legs over them.

    Laws: ``put`` and ``remove`` are atomic and durable when they return, and every later read in any process sees
    them; an id is never reused; ``dense`` and ``lexical`` give ``min(k, matches)`` ids that all satisfy the filter,
    best first, ties by id; reading needs no lock; closing twice is harmless.
    """

    def put(self, entries: Iterable[Entry]) -> None:
        """Store documents with their chunks, replacing any of the same uri, as one transaction.

        Each is let go as soon as it is stored: the text of a large one takes several times its bytes.
        """
        ...

    def remove(self, uris: Sequence[str]) -> int:
        """Remove documents by uri, as one transaction. Returns how many were there."""
        ...

    def pending(self, limit: int, after: int = 0) -> list[Pending]:
        """Up to ``limit`` distinct texts past chunk ``after`` that have no vector in the active space yet."""
        ...

    def put_vectors(self, hashes: Sequence[bytes], vectors: Vectors, fingerprint: str = "") -> None:
        """Store the vectors of texts by their hash, durably, as one transaction.

        Raises: ModelChanged when the store's vectors are not of the model with this ``fingerprint``, if one is given.
        """
        ...

    def prepare(self) -> None:
        """Load what `dense` needs. Never necessary; for while a query is being embedded."""
        ...

    def dense(self, vector: Vectors, k: int, where: Any = None, fingerprint: str = "") -> Candidates:
        """The ``k`` chunks of highest cosine to ``vector`` (shape ``(dim,)``), exactly scored.

        Raises: ModelChanged when the store's vectors are not of the model with this ``fingerprint``, if one is given.
        """
        ...

    def lexical(self, text: str, k: int, where: Any = None) -> Candidates:
        """The ``k`` chunks of highest BM25 score for the terms of ``text``; those without a term are not matches."""
        ...

    def records(self, ids: Ids) -> list[Record]:
        """The chunks of these ids, in this order; ids that are gone are left out."""
        ...

    def documents_of(self, ids: Ids) -> Ids:
        """The id of each chunk's document, in this order; 0 where the chunk is gone."""
        ...

    def documents(self, where: Any = None) -> Iterator[Record]:
        """The first chunk of every document that satisfies the filter, by uri."""
        ...

    def close(self) -> None:
        """Give back files and memory."""
        ...


class LLM(Protocol):
    """Messages → text.

    Laws: ``stream`` yields pieces of text, then one `Generation` as its last value, whose text is those pieces joined;
    it never opens a link, nor calls a tool itself. An answer that breaks off after its first piece ends with a
    `Generation` of finish ``cut`` that says why; before that, it is an error. What is longer than ``window`` is refused
    before anything is sent. Threads may share one instance. Closing twice is harmless.
    """

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    @property
    def window(self) -> int:
        """Tokens that it can take in and give in all."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a text: the model's own where it has a tokenizer here, else an estimate that is rather too high."""
        ...

    def stream(self, messages: Sequence[Message], wish: Wish = _AS_IT_IS) -> Iterator[str | Generation]:
        """The answer, piece by piece. Raises: ModelUnavailable, ModelNotFound, InputError when it is too long."""
        ...

    def close(self) -> None:
        """Give back what it holds."""
        ...


def complete(model: LLM, messages: Sequence[Message], wish: Wish = _AS_IT_IS) -> Generation:
    """The whole answer of a model. Raises: as `LLM.stream`."""
    whole: Generation | None = None
    for piece in model.stream(messages, wish):
        if isinstance(piece, Generation):
            whole = piece
    if whole is None:
        raise ModelUnavailable(f"{model.name} ended without a word.", hint="Ask again.")
    return whole
