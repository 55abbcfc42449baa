"""Labelled sets in BEIR form, read from a folder: ``corpus.jsonl``, ``queries.jsonl``, ``qrels.tsv``.

Thakur et al. (2021), "BEIR"; its own folders keep the judgements in ``qrels/test.tsv``, which is read as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ammon.errors import InputError, PathNotFound

FORM = "A BEIR folder holds corpus.jsonl (_id, title, text), queries.jsonl (_id, text) and qrels.tsv or qrels/test.tsv."
QRELS = ("qrels.tsv", "qrels/test.tsv")


@dataclass(frozen=True, slots=True)
class Passage:
    """One document of a corpus."""

    id: str
    title: str
    text: str

    @property
    def whole(self) -> str:
        """Title and text, as they are indexed."""
        return f"{self.title}\n\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True)
class Dataset:
    """A corpus, questions by id, and for each question the grades (1 and more) of its relevant documents by id."""

    name: str
    passages: tuple[Passage, ...]
    queries: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, int]]


def read_dataset(folder: Path) -> Dataset:
    """The set in ``folder``. Questions without a relevant document are left out: no ranking of theirs is right.

    Raises: PathNotFound when a file is missing, InputError naming file and line when one cannot be read.
    """
    if not folder.is_dir():
        raise PathNotFound(f"{folder} is not a folder.", hint=FORM)
    corpus = {row["_id"]: row for row in _rows(folder / "corpus.jsonl")}
    queries = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
    relevant: dict[str, dict[str, int]] = {}
    for query, document, grade in _judgements(_qrels(folder)):
        if grade > 0 and query in queries and document in corpus:
            relevant.setdefault(query, {})[document] = grade
    if not relevant:
        raise InputError(f"{folder} judges no document of its corpus relevant to any of its queries.", hint=FORM)
    return Dataset(
        name=folder.name,
        passages=tuple(Passage(key, row.get("title") or "", row["text"]) for key, row in corpus.items()),
        queries={query: queries[query] for query in queries if query in relevant},
        relevant=relevant,
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{path}, line {number}: no JSON ({error.msg}).", hint=FORM) from error
        if not isinstance(row, dict) or not all(isinstance(row.get(key), str) for key in ("_id", "text")):
            raise InputError(f"{path}, line {number}: needs '_id' and 'text', both text.", hint=FORM)
        yield row


def _qrels(folder: Path) -> Path:
    for name in QRELS:
        if (folder / name).is_file():
            return folder / name
    raise PathNotFound(f"{folder} holds neither {' nor '.join(QRELS)}.", hint=FORM)


def _judgements(path: Path) -> Iterator[tuple[str, str, int]]:
    """``(query, document, grade)`` from lines of three fields, or of TREC's four, with or without a head."""
    for number, line in _lines(path):
        fields = line.split("\t")
        if len(fields) == 4:
            del fields[1]
        if len(fields) == 3 and fields[2].strip().lstrip("-").isdigit():
            yield fields[0], fields[1], int(fields[2])
        elif number > 1:
            raise InputError(f"{path}, line {number}: needs query, document and whole grade, by tabs.", hint=FORM)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise PathNotFound(f"{path} is not there.", hint=FORM) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8: {error.reason}.", hint=FORM) from error
