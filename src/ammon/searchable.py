"""What can be asked of a library: the half of it that only reads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ammon.closing import Closing
from ammon.encoder import Encoder
from ammon.errors import InputError, NothingIndexed, PathNotFound
from ammon.ports import Embedder, Step
from ammon.settings import Settings
from ammon.store.local.documents import read_document
from ammon.store.local.masks import Where
from ammon.store.local.store import LocalStore
from ammon.types import Document, Hit, Mode, Query, Record, Skip

if TYPE_CHECKING:
    from ammon.answers import Answer

PathLike: TypeAlias = str | os.PathLike[str]


class Searchable(Closing):
    """Passages by question, by likeness and by document, and answers made of them. `Library` is one."""

    settings: Settings
    store: LocalStore
    encoder: Encoder

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        where: Where = None,
        mode: Mode = "hybrid",
        steps: Sequence[Step] = (),
        instruction: str = "",
        per_document: int = 0,
    ) -> list[Hit]:
        """The ``k`` best passages for ``query``, best first; fewer only when fewer match.

        ``steps`` run over the hits in order; `ammon.search` has those there are. ``per_document`` is the most passages
        to give of one document; 0 sets no limit.

        Raises: InputError (empty query, ``k`` below 1), BadFilter, NothingIndexed, ModelError.
        """
        from ammon.search import search

        asked = Query(_asked(query), _positive(k), where, mode, instruction, per_document)
        _require_content(self.store)

        def answer(embedder: Embedder | None) -> list[Hit]:
            """Search with the library's model."""
            return search(self.store, embedder, asked, weight=self.settings.dense_weight, steps=steps)

        return answer(None) if mode == "lexical" else self.encoder.answer(answer)

    def similar(self, source: PathLike | Document, k: int = 10, *, where: Where = None) -> list[Hit]:
        """The ``k`` passages most like a document: one of the library by path or uri, any file, or a `Document`.

        Passages of the document itself are left out.

        Raises: PathNotFound, SourceError, InputError, BadFilter, NothingIndexed, ModelError.
        """
        from ammon.search import similar

        _require_content(self.store)
        document = source if isinstance(source, Document) else _document(self.store, source)
        chunks = self.encoder.split(document)
        wanted = _positive(k)
        return self.encoder.answer(
            lambda embedder: similar(self.store, embedder, document, chunks, wanted, where=where)
        )

    def ask(
        self,
        question: str,
        *,
        k: int = 8,
        where: Where = None,
        sentences: int = 2,
    ) -> Answer:
        """The answer to ``question`` from the ``k`` best passages, each statement cited; or why there is none.

        It is cut from them word for word, at most so many ``sentences``.
        Raises: InputError (empty question, ``k`` or ``sentences`` below 1), BadFilter, NothingIndexed, ModelError.
        """
        from ammon.asking import ask

        return ask(self, question, k=k, where=where, sentences=sentences)

    def documents(self, where: Where = None) -> Iterator[Record]:
        """The first passage of every document that satisfies the filter, by uri. Raises: BadFilter."""
        return self.store.documents(where)


def absolute(path: PathLike) -> Path:
    """The absolute path."""
    # Not `resolve`: a linked folder keeps the name its user knows.
    return Path(os.path.abspath(Path(path).expanduser()))


def _asked(query: str) -> str:
    if not query.strip():
        raise InputError("The query is empty.", hint="Give at least one word to search for.")
    return query


def _positive(k: int) -> int:
    if k < 1:
        raise InputError(f"k is {k}; it must be 1 or more.", hint="Ask for at least one hit, as in -k 10.")
    return k


def _require_content(store: LocalStore) -> None:
    if store.catalog.value("SELECT 1 FROM chunk LIMIT 1") is None:
        raise NothingIndexed(f"The library at {store.catalog.folder} is empty.")


def _document(store: LocalStore, source: PathLike) -> Document:
    """What the library holds of a source, else the file itself."""
    from ammon import sources

    path = absolute(source)
    for uri in (os.fspath(source), sources.uri_of(path)):
        document = read_document(store.catalog, uri)
        if document is not None:
            return document
    for found in sources.walk(path) if path.is_file() else ():
        if not isinstance(found, Skip):
            data = sources.read(found)
            if not sources.is_for_sandbox(path.name, data):
                return sources.load(found, data)
            with sources.Sandbox(1) as sandbox:
                return sandbox.submit(sources.Asked(path.name, data)).result()[0].of(found)
    raise PathNotFound(
        f"{source} is neither in the library nor a file that can be read.",
        hint="Check the path. To find by a question or by words, use `ammon search`.",
    )
