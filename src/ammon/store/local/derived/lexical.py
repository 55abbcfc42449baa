"""The keyword index: BM25 over Ammon's own terms, in tantivy. Derived from the catalog, never truth.

Knows chunk ids and texts; knows nothing of documents, filters or SQL. How far it has come in the catalog's changes is
kept in a document of the index itself, the mark, so that one commit moves both or neither.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Occur, Query

from ammon.errors import LibraryDamaged, LibraryError
from ammon.store.local.derived.lexical_files import LexicalFiles, let_read, opened
from ammon.store.local.derived.terms import TERMS_VERSION, terms
from ammon.store.local.files.disk import may_write, written
from ammon.types import Candidates, Ids

FORMAT = 1
HEAP_BYTES = 16_000_000
"""Memory of the writer before it spills a segment to disk."""

MOST_TERMS = 96
"""A longer query keeps its most telling terms: the rest moves no rank that anyone sees, and costs time."""

FEW_ALLOWED = 4096
"""Up to so many allowed ids go into the query itself; more are sifted from a list that goes deeper."""

SLACK = 16
"""Read past the k-th hit, so that a tie across the edge is seen."""

_Version: TypeAlias = tuple[int, int, int] | None
_BODY = "body"
_REST = "Search again: the index is rebuilt from the catalog."


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field("id", indexed=True, fast=True)
    builder.add_text_field(_BODY, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("kind", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("note", stored=True, tokenizer_name="raw", index_option="basic")
    return builder.build()


_SCHEMA = _schema()


class IndexDamaged(LibraryDamaged):
    """The keyword index is not sound; the catalog, which it is rebuilt from, may well be."""


class LexicalIndex:
    """BM25 (k1 = 1.2, b = 0.75) over the terms of chunks. Any number may read; one at a time may `apply`."""

    def __init__(self, index: tantivy.Index, path: Path | None, library: str, seen: _Version = None) -> None:
        """``seen`` is what `_version` gave before ``index`` was opened."""
        self.path = path
        self.library = library
        self._index = index
        self._files = None if path is None else LexicalFiles(path, _SCHEMA)
        self._refresh(seen)

    @classmethod
    def open(cls, path: Path | None, *, library: str) -> LexicalIndex:
        """The index in the folder ``path`` (``None``: in memory, empty), made empty where `find_index` finds none.

        Its ``sequence`` is then 0, and the caller applies everything. The caller holds the library's write lock.
        Raises: LibraryError when the folder cannot be written.
        """
        found = None if path is None else find_index(path, library=library)
        return found or create_index(path, library=library)

    @property
    def sequence(self) -> int:
        """The number of the catalog's change that the index has reached; 0 when it is empty."""
        return self._sequence

    def reload(self) -> None:
        """See what other processes committed. One `stat` when there is nothing new. Raises: IndexDamaged."""
        seen = _version(self.path)
        if self.path is not None and seen != self._seen:
            self._require_sound()
            with _Sound(self.path):
                # Anew, not `Index.reload`: that keeps a list of files without those that others wrote, and saves it.
                self._index = opened(self.path)
                self._refresh(seen)

    def _refresh(self, seen: _Version) -> None:
        # As it was before the index was opened: what another process commits while it is must be seen the next time.
        self._seen = seen
        self._searcher = self._index.searcher()
        # Once more, and mostly from memory: another process may have committed between the first look and this.
        self._require_sound()
        note = _note(self._searcher)
        if note is None:
            raise IndexDamaged(f"The keyword index at {self.path} holds no mark.", hint=_REST)
        self._sequence = int(note["sequence"])

    def _require_sound(self) -> None:
        for problem in self.damage():
            raise IndexDamaged(f"The keyword index at {self.path} is damaged: {problem}.", hint=_REST)

    def apply(
        self, added: Iterable[tuple[int, str]], removed: Iterable[int], sequence: int, *, anew: bool = False
    ) -> None:
        """Add texts by chunk id, remove ids, and move to ``sequence``, as one durable commit; idempotent.

        An id that is already there is replaced; with ``anew``, everything that was there is. Who reads meanwhile has
        the index as it was. The caller holds the library's write lock.
        Raises: LibraryError when the disk is full or the folder cannot be written; nothing is changed then.
        """
        with _Sound(self.path):
            writer = self._index.writer(heap_size=HEAP_BYTES, num_threads=1)
            try:
                highest = 0 if anew else _highest(self._searcher)
                if anew:
                    writer.delete_all_documents()
                # The writer keeps 1.3 KB for each removal until it commits: as ranges, and none of what is not there.
                for first, last in _ranges(removed):
                    writer.delete_documents_by_query(_between(first, last))
                for chunk_id, text in added:
                    if chunk_id <= highest:
                        writer.delete_documents_by_term("id", chunk_id)
                    highest = max(highest, chunk_id)
                    writer.add_document(tantivy.Document(id=chunk_id, kind="chunk", body=" ".join(terms(text))))
                _mark(writer, self.library, sequence)
                writer.commit()
            finally:
                # ends the writer, which frees the folder's lock; what was not committed is dropped
                writer.wait_merging_threads()
            if self.path is not None:
                with written(self.path):
                    let_read(self.path)
            self._index.reload()
            self._refresh(_version(self.path))

    def search(self, text: str, k: int, allowed: NDArray[np.bool_] | None = None) -> Candidates:
        """The ``k`` best chunks that hold a term of ``text``, best first, ties by id.

        ``allowed`` is indexed by chunk id; ids beyond its end are not allowed. Fewer than ``k`` come back only where
        fewer match. Raises: IndexDamaged.
        """
        with _Sound(self.path):
            query = self._query(text)
            share = 1.0
            if allowed is not None and query is not None:
                permitted = np.flatnonzero(allowed)
                share = min(1.0, len(permitted) / max(1, self.count()))
                if len(permitted) <= FEW_ALLOWED:
                    query, allowed, share = _among(query, permitted), None, 1.0
            if query is None or k <= 0 or share == 0:
                return Candidates(np.empty(0, np.int64), np.empty(0, np.float32))
            return _best(self._searcher, query, k, allowed, int((k + SLACK) / share))

    def _query(self, text: str) -> Query | None:
        """The best terms of ``text`` joined by OR; ``None`` when the index knows none of them."""
        counts = Counter(terms(text))
        frequencies = self.document_frequency(counts)
        documents = self.count()
        worth = {
            term: count * math.log1p((documents - frequencies[term] + 0.5) / (frequencies[term] + 0.5))
            for term, count in counts.items()
            if frequencies[term]
        }
        best = sorted(worth, key=lambda term: (-worth[term], term))[:MOST_TERMS]
        clauses = [(Occur.Should, _clause(term, counts[term])) for term in best]
        return Query.boolean_query(clauses) if clauses else None

    def count(self) -> int:
        """How many chunks are in the index."""
        return self._searcher.num_docs - 1

    def waste(self) -> float:
        """Removed chunks and marks that still take room and count in the statistics, for each chunk that is there."""
        held = self._searcher.doc_freq("kind", "chunk") + self._searcher.doc_freq("kind", "mark")
        return (held - self._searcher.num_docs) / max(1, self.count())

    def document_frequency(self, words: Iterable[str]) -> dict[str, int]:
        """In how many chunks each term stands; chunks removed since the last merge of their segment still count."""
        return {word: self._searcher.doc_freq(_BODY, word) for word in words}

    def damage(self) -> list[str]:
        """What is wrong with the index's files; empty when all is well. Reads each file once in a process."""
        return [] if self._files is None else self._files.damage()


def find_index(path: Path, *, library: str) -> LexicalIndex | None:
    """The index in the folder ``path``; ``None`` when it is missing, damaged, another library's or of other rules.

    Raises: LibraryError when the folder cannot be read.
    """
    try:
        with written(path):
            return _load(path, library)
    except LibraryError:
        # Who may not write may be one who may not read either; he can do without.
        if may_write(path.parent):
            raise
        return None


def create_index(path: Path | None, *, library: str) -> LexicalIndex:
    """An empty index in the folder ``path`` (``None``: in memory), in place of what is there.

    The caller holds the library's write lock. Raises: LibraryError when the folder cannot be written.
    """
    if path is None:
        return LexicalIndex(_begin(tantivy.Index(_SCHEMA), library), None, library)
    with written(path), _Sound(path):
        sweep(path)
        if os.path.lexists(path):
            _remove(path)
        _create(path, library)
        return LexicalIndex(tantivy.Index.open(str(path)), path, library, _version(path))


def index_damage(path: Path) -> list[str]:
    """What is wrong with the files of the index at ``path``, all of which are read; empty when there is none."""
    files = LexicalFiles(path, _SCHEMA)
    return [*files.damage(), *files.strays()] if path.exists() else []


def _best(
    searcher: tantivy.Searcher, query: Query, k: int, allowed: NDArray[np.bool_] | None, limit: int
) -> Candidates:
    """The first ``k`` that are allowed, looking at ``limit`` hits first and at more while that is too few."""
    while True:
        limit = max(1, min(limit, searcher.num_docs))
        ids, scores = _list(searcher, query, limit)
        lowest = scores[-1] if len(ids) == limit < searcher.num_docs else -math.inf
        if allowed is not None:
            inside = ids < len(allowed)
            inside[inside] = allowed[ids[inside]]
            ids, scores = ids[inside], scores[inside]
        order = np.lexsort((ids, -scores))[:k]
        if lowest == -math.inf or (len(order) == k and scores[order[-1]] > lowest):
            return Candidates(ids[order], scores[order])
        limit *= 4


def _list(searcher: tantivy.Searcher, query: Query, limit: int) -> tuple[Ids, NDArray[np.float32]]:
    hits = searcher.search(query, limit, count=False).hits
    ids = searcher.fast_field_values("id", [address for _, address in hits])
    # a sum over the same terms differs in its last bits between segments; rounded, ties are ties
    return np.array(ids, np.int64), np.array([score for score, _ in hits], np.float32).round(4)


def _clause(term: str, count: int) -> Query:
    clause = Query.term_query(_SCHEMA, _BODY, term, "freq")
    return Query.boost_query(clause, float(count)) if count > 1 else clause


def _among(query: Query, ids: Sequence[int] | Ids) -> Query:
    only = Query.term_set_query(_SCHEMA, "id", [int(chunk_id) for chunk_id in ids])
    return Query.boolean_query([(Occur.Must, Query.const_score_query(only, 0.0)), (Occur.Must, query)])


def _mark(writer: tantivy.IndexWriter, library: str, sequence: int) -> None:
    writer.delete_documents_by_term("kind", "mark")
    note = {"library": library, "terms": TERMS_VERSION, "format": FORMAT, "sequence": sequence}
    writer.add_document(tantivy.Document(kind="mark", note=json.dumps(note)))


def _ranges(ids: Iterable[int]) -> list[tuple[int, int]]:
    """The first and last of each run of ids that follow one another."""
    wanted = np.unique(np.fromiter(ids, np.int64))
    runs = np.split(wanted, 1 + np.flatnonzero(np.diff(wanted) != 1))
    return [(int(run[0]), int(run[-1])) for run in runs if len(run)]


def _between(first: int, last: int) -> Query:
    return Query.range_query(_SCHEMA, "id", tantivy.FieldType.Integer, first, last)


def _highest(searcher: tantivy.Searcher) -> int:
    """The highest chunk id in the index; 0 when there is none."""
    hits = searcher.search(Query.term_query(_SCHEMA, "kind", "chunk", "basic"), 1, order_by_field="id").hits
    ids = searcher.fast_field_values("id", [address for _, address in hits])
    return int(np.max(np.array(ids, np.int64), initial=0))


def _note(searcher: tantivy.Searcher) -> dict[str, str | int] | None:
    hits = searcher.search(Query.term_query(_SCHEMA, "kind", "mark", "basic"), 1).hits
    if not hits:
        return None
    note: dict[str, str | int] = json.loads(searcher.doc(hits[0][1])["note"][0])
    return note


def _begin(index: tantivy.Index, library: str) -> tantivy.Index:
    writer = index.writer(heap_size=HEAP_BYTES, num_threads=1)
    _mark(writer, library, 0)
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    return index


def _create(path: Path, library: str) -> None:
    """Make an empty index beside ``path`` and move it there whole, so that no reader meets a half-made one."""
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        draft.mkdir(parents=True)
        _begin(tantivy.Index(_SCHEMA, path=str(draft)), library)
        let_read(draft)
        draft.rename(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)  # what stays of it, `sweep` takes


def _remove(path: Path) -> None:
    """Move what is at ``path`` out of the way whole, then remove it."""
    old = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    path.rename(old)
    if old.is_dir():
        shutil.rmtree(old)
    else:
        old.unlink()


def sweep(path: Path) -> list[str]:
    """Remove what killed processes and power cuts have left beside and in the index at ``path``. Returns the names.

    Whoever makes, removes or writes an index holds the write lock, as does the caller: nothing there is anyone's.
    """
    lefts = sorted(path.parent.glob(f"{path.name}.{'[0-9a-f]' * 32}"))
    lefts += [path / name for name in (LexicalFiles(path, _SCHEMA).unlisted() or [] if path.is_dir() else [])]
    for left in lefts:
        with written(left):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    return [left.name for left in lefts]


def _load(path: Path, library: str) -> LexicalIndex | None:
    """The index at ``path``; ``None`` when it cannot be read, or not with our rules, or is another library's."""
    if LexicalFiles(path, _SCHEMA).damage():
        return None
    try:
        with _Sound(path):
            seen = _version(path)
            index = opened(path)
            note = _note(index.searcher())
        expected = {"library": library, "terms": TERMS_VERSION, "format": FORMAT}
        if note is None or not expected.items() <= note.items():
            return None
        return LexicalIndex(index, path, library, seen)
    except LibraryError:
        return None


def _version(path: Path | None) -> _Version:
    """What changes with every commit: tantivy replaces ``meta.json`` whole."""
    if path is None:
        return None
    try:
        state = (path / "meta.json").stat()
    except OSError as error:
        raise IndexDamaged(f"The keyword index at {path} is gone: {error.strerror}.", hint=_REST) from error
    return state.st_ino, state.st_mtime_ns, state.st_size


class _Sound:
    """Raises tantivy's errors, and panics of its Rust code over damaged bytes, as Ammon's."""

    def __init__(self, path: Path | None) -> None:
        self._name = path or "memory"

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is ValueError and "No space left" in str(error):
            raise LibraryError(
                f"The disk is full; the keyword index at {self._name} is as it was.",
                hint="Free some space and run the command again; it goes on where it stopped.",
            ) from error
        # the class of a panic cannot be imported, and is no Exception
        if kind in (ValueError, TypeError) or (kind is not None and kind.__name__ == "PanicException"):
            raise IndexDamaged(f"The keyword index at {self._name} failed: {error}.", hint=_REST) from error
