"""What a model is before it is a graph: sizes, pooling, prompts, tokenizer, weights. Every origin gives one of these.

Knows nothing of where a model comes from (`packaged`, `folder`, `hub`) nor of how it is run (`runtime`, `encoder`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openvino import Model
    from tokenizers import Tokenizer

FORMAT = 2  # raise when what `build` writes changes, so that older caches are left alone


@dataclass(frozen=True, slots=True)
class Prompts:
    """What stands before a text. ``instructed`` wraps a caller's instruction: ``{}`` is where it goes, and the
    whole replaces ``query``; empty means the model knows no instructions and one given is simply put in front.
    """

    query: str = ""
    passage: str = ""
    instructed: str = ""

    def for_query(self, instruction: str) -> str:
        """Return the prefix of a query, with the caller's ``instruction`` in place of the model's own if given."""
        if not instruction:
            return self.query
        return self.instructed.replace("{}", instruction) if self.instructed else f"{instruction.rstrip()} "


@dataclass(frozen=True, slots=True)
class Origin:
    """A model that can be built: ``build`` gives its graph, ``tokenize`` its tokenizer, ``pieces`` (where it is
    XLM-R's) the vocabulary for `ammon.embed.unigram`; all are slow and run once.

    ``files`` are what it is made of, and what makes two builds equal.
    """

    name: str
    files: tuple[Path, ...]
    dim: int
    max_tokens: int
    prompts: Prompts
    build: Callable[[], Model]
    tokenize: Callable[[], Tokenizer]
    languages: frozenset[str] = frozenset()
    settings: Mapping[str, Any] = field(default_factory=dict)
    pad: int = 0
    pieces: Callable[[], bytes] | None = None

    def stamp(self) -> str:
        """Return a digest of name, settings and the files' paths, sizes and times: cheap, changes when they do."""
        stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in self.files]
        return _digest([repr((FORMAT, self.name, stats, self._meaning())).encode()])

    def fingerprint(self) -> str:
        """Return a digest of the files' bytes, the settings and the prompts; reads every file."""
        return _digest([repr(self._meaning()).encode(), *(path.read_bytes() for path in self.files)])

    def _meaning(self) -> tuple[Any, ...]:
        return self.prompts, self.max_tokens, sorted(self.settings.items())


def _digest(parts: Iterable[bytes]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
