"""From an origin to an embedder: take the build from the cache, or build it and put it there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ammon.embed import cache as builds
from ammon.embed import runtime
from ammon.embed.encoder import Facts, LocalEmbedder
from ammon.embed.specification import Origin

if TYPE_CHECKING:
    from tokenizers import Tokenizer

GRAPH = "graph.blob"
TOKENIZER = "tokenizer.json"


def open_embedder(origin: Origin, cache: Path | None, threads: int) -> LocalEmbedder:
    """Return the embedder of ``origin``, built at most once for each folder ``cache`` and kind of machine."""
    program, facts, folder = open_graph(origin, cache, threads)

    def tokenize() -> Tokenizer:
        return _tokenizer(origin, folder)

    known = Facts(
        origin.name, facts["fingerprint"], origin.dim, origin.max_tokens, origin.languages, origin.prompts, origin.pad
    )
    return LocalEmbedder(known, program, tokenize)


def open_graph(
    origin: Origin, cache: Path | None, threads: int
) -> tuple[runtime.Program, Mapping[str, Any], Path | None]:
    """Return the program graph, the manifest's facts, and the folder of the build (None: it is in memory only)."""
    folder = builds.place(cache or builds.default_folder(), origin.name, f"{origin.stamp()} {runtime.version()}")
    found = builds.find(folder)
    if found is not None:
        program = runtime.restore(found.folder / GRAPH, threads)
        if program is not None:
            return program, found.facts, found.folder
    program = runtime.compile_graph(origin.build(), threads)
    facts = {"name": origin.name, "fingerprint": origin.fingerprint()}
    files = {GRAPH: program.export(), TOKENIZER: origin.tokenize().to_str().encode()}
    saved = builds.save(folder, files, facts)
    return program, facts, saved.folder if saved else None


def _tokenizer(origin: Origin, folder: Path | None) -> Tokenizer:
    from tokenizers import Tokenizer

    if folder is None:
        return origin.tokenize()
    return Tokenizer.from_file(str(folder / TOKENIZER))
