"""From an origin to something that runs: take the build from the cache, or build it and put it there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ammon.embed import cache as builds
from ammon.embed import runtime
from ammon.embed.e5 import BEGIN, END, UNKNOWN
from ammon.embed.encoder import Facts, LocalEmbedder
from ammon.embed.reranker import Reranker
from ammon.embed.specification import Origin
from ammon.embed.tokens import Reader
from ammon.embed.unigram import Pieces, Unigram

if TYPE_CHECKING:
    from tokenizers import Tokenizer

GRAPH = "graph.blob"
TOKENIZER = "tokenizer.json"
PIECES = "pieces.table"
Kind: TypeAlias = Literal["embedding", "scoring"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that runs: its program, what its manifest says, and its build's folder (None: it is in memory only)."""

    origin: Origin
    program: runtime.Program
    facts: Mapping[str, Any]
    folder: Path | None

    def widened(self, threads: int) -> runtime.Program | None:
        """Return the program for ``threads``; None where that is what there is already."""
        if runtime.few(threads) == runtime.many(threads):
            return None
        if self.folder is None:
            return runtime.compile_graph(self.origin.build(), threads)
        return runtime.restore(self.folder / GRAPH, threads)

    def tokenize(self) -> Tokenizer:
        """Return the model's tokenizer, which neither cuts nor pads."""
        from tokenizers import Tokenizer

        return self.origin.tokenize() if self.folder is None else Tokenizer.from_file(str(self.folder / TOKENIZER))

    def unigram(self) -> Unigram | None:
        """Return the quick reader of short texts; None where the model is no XLM-R or the build is in memory only."""
        if self.origin.pieces is None or self.folder is None:
            return None
        return Unigram(Pieces.open(self.folder / PIECES), unknown=UNKNOWN, begin=BEGIN, end=END)


def open_embedder(origin: Origin, cache: Path | None, threads: int) -> LocalEmbedder:
    """Return the embedder of ``origin``, built at most once for each folder ``cache`` and kind of machine."""
    opened = open_model(origin, "embedding", cache, runtime.few(threads))
    facts = Facts(
        name=origin.name,
        fingerprint=opened.facts["fingerprint"],
        dim=origin.dim,
        max_tokens=origin.max_tokens,
        languages=origin.languages,
        prompts=origin.prompts,
        pad=origin.pad,
        pools_prompt=origin.settings.get("pools_prompt", True),
    )
    programs = runtime.Programs(opened.program, lambda: opened.widened(threads))
    return LocalEmbedder(facts, programs, Reader(opened.tokenize, origin.max_tokens, opened.unigram()))


def open_reranker(origin: Origin, cache: Path | None, threads: int) -> Reranker:
    """Return the cross-encoder of ``origin``, built at most once, as `open_embedder` does."""
    opened = open_model(origin, "scoring", cache, threads)
    return Reranker(origin.name, opened.program, opened.tokenize(), max_tokens=origin.max_tokens, pad=origin.pad)


def open_model(origin: Origin, kind: Kind, cache: Path | None, threads: int) -> Opened:
    """Return the model of ``origin``, from the cache where its build is there and sound."""
    made_from = f"{kind} {origin.stamp()} {runtime.version()}"
    folder = builds.place(cache or builds.default_folder(), origin.name, made_from)
    found = builds.find(folder)
    if found is not None:
        program = runtime.restore(found.folder / GRAPH, threads)
        if program is not None:
            return Opened(origin, program, found.facts, found.folder)
    return build(origin, kind, folder, threads)


def build(origin: Origin, kind: Kind, folder: Path, threads: int) -> Opened:
    """Return the model of ``origin`` built from its files, and put into ``folder`` if that can be written."""
    program = runtime.compile_graph(origin.build(), threads)
    facts = {
        "name": origin.name,
        "kind": kind,
        "fingerprint": origin.fingerprint(),
        "dim": origin.dim,
        "max_tokens": origin.max_tokens,
        "languages": sorted(origin.languages),
        "source": str(origin.files[0].parent),
    }
    files = {GRAPH: program.export(), TOKENIZER: origin.tokenize().to_str().encode()}
    if origin.pieces is not None:
        files[PIECES] = origin.pieces()
    saved = builds.save(folder, files, facts)
    return Opened(origin, program, facts, saved.folder if saved else None)
