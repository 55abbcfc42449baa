"""Small real models of unequal size, a library to change between them, and what searches of it may give meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import tiny_models as tiny
from ammon import Document, Library, Settings, load_settings
from ammon.store.local.backlog import Filled
from bilingual import texts

NARROW = 24
"""Dimensions of the second model; the first has `tiny.HIDDEN`."""

QUESTIONS = ("price of copper", "two kinds of memory", "oldest part of the city", "a river")


@dataclass(frozen=True)
class Models:
    """Folders of two models that agree on nothing, and where their builds are kept."""

    wide: str
    narrow: str
    cache: str

    def settings(self, library: Path, **given: object) -> Settings:
        """The settings of a library whose models are built in the cache."""
        return load_settings(library, {"cache": self.cache, "threads": 1, **given}, environ={})

    def open(self, library: Path, **given: object) -> Library:
        """The library at a place."""
        return Library(library, settings=self.settings(library, **given))

    def start(self, program: str, *words: object) -> subprocess.Popen[str]:
        """A process of its own that runs ``program`` with these models' settings."""
        environ = {**os.environ, "AMMON_CACHE": self.cache, "AMMON_THREADS": "1"}
        command = [sys.executable, "-c", program, *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)


def write_models(place: Path) -> Models:
    """Write both models below ``place``."""
    wide = tiny.write_folder(place / "wide", _apart(tiny.random_weights(1)))
    narrow = tiny.write_folder(place / "narrow", _apart(tiny.random_weights(2)))
    random = np.random.default_rng(3)
    dense = {"linear.weight": random.normal(size=(NARROW, tiny.HIDDEN)), "linear.bias": random.normal(size=NARROW)}
    tiny.write_json(narrow / "2_Dense" / "config.json", {"activation_function": "torch.nn.modules.activation.Tanh"})
    tiny.write_safetensors(narrow / "2_Dense" / "model.safetensors", {k: v.astype("f4") for k, v in dense.items()})
    kinds = {"Transformer": "", "Pooling": "1_Pooling", "Dense": "2_Dense"}
    listed = [{"path": path, "type": f"sentence_transformers.models.{kind}"} for kind, path in kinds.items()]
    tiny.write_json(narrow / "modules.json", listed)
    tiny.write_json(narrow / "sentence_bert_config.json", {"max_seq_length": 40})
    return Models(str(wide), str(narrow), str(place / "cache"))


def _apart(weights: tiny.Arrays) -> tiny.Arrays:
    """Weights with which texts differ: with random biases all of them lie within a cosine of 0.99."""
    scales = {name: 0 if name.endswith("bias") else 4 if "word_embeddings" in name else 1 for name in weights}
    return {name: scales[name] * array for name, array in weights.items()}


def notes(count: int = 450) -> list[Document]:
    """Documents of a passage or a few each, no two of which are equal."""
    known = texts()
    return [Document(f"note:{number}", f"{_word(number)} {known[number % len(known)]}") for number in range(count)]


def _word(number: int) -> str:
    return "".join(chr(ord("a") + number // 26**place % 26) for place in range(3))


def make_library(place: Path, models: Models) -> Path:
    """A library of the notes below ``place``, embedded with the wide model and closed."""
    with models.open(place / "library", model=models.wide) as library:
        library.add(notes())
    return place / "library"


def nearest(library: Library, question: str, k: int = 10) -> list[int]:
    """The ids of the ``k`` passages nearest to a question by meaning."""
    return [hit.chunk_id for hit in library.search(question, k, mode="dense")]


def answers(library: Library) -> list[list[int]]:
    """What is nearest to each of the questions."""
    return [nearest(library, question) for question in QUESTIONS]


def spaces(library: Library) -> dict[str, tuple[str, int]]:
    """State and number of vectors of every space that is left, by the last part of its model's name."""
    rows = library.store.catalog.rows(
        "SELECT s.model, s.state, count(v.id) FROM space AS s LEFT JOIN vector AS v ON v.space = s.id GROUP BY s.id"
    )
    return {Path(model).name: (state, vectors) for model, state, vectors in rows}


def texts_of(library: Library) -> int:
    """How many distinct texts the library holds."""
    return int(library.store.catalog.value("SELECT count(DISTINCT text_hash) FROM chunk"))


def building_of(library: Library) -> Filled:
    """How far the change of model that is under way has come."""
    building = library.status().building
    if building is None:
        raise AssertionError("nothing is being built")
    return building


def finished(process: subprocess.Popen[str], seconds: float = 60) -> str:
    """What a process that went well has written."""
    written, errors = process.communicate(timeout=seconds)
    if process.returncode:
        raise AssertionError(errors)
    return written


def last_line(written: str) -> dict[str, int]:
    """The JSON object in the last line of what a program wrote."""
    found: dict[str, int] = json.loads(written.splitlines()[-1])
    return found


def unmixed(seen: Sequence[Sequence[list[int]]], before: list[list[int]], after: list[list[int]]) -> list[object]:
    """The answers that are neither those of before nor those of after, or come after one of after and are of before."""
    wrong: list[object] = []
    changed = False
    for number, given in enumerate(seen):
        for at, found in enumerate(given):
            changed = changed or found == after[at]
            if found != (after if changed else before)[at]:
                wrong.append((number, at, found))
    return wrong
