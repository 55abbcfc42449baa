"""Answers without a language model, on labelled sets: `python benchmarks/answers.py SET…`.

A SET is a folder in BEIR form with ``answers.jsonl`` (a question counts when an answer string stands in what is
answered; to abstain counts against it), or one with ``questions.jsonl`` of paragraphs that answer or not (the balanced
accuracy of abstaining, with the paragraph given). Also counted: citations whose quote is not the document's text at its
span, and the time of `ask`, warm. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ammon import Document, Library
from ammon.answers import Answer
from ammon.asking import ask_hits
from ammon.store.local.documents import read_document

WARM_UP = 20


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines."""
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def strangers_answered(library: Library, folder: Path, every: int) -> float:
    """Which share of a set's questions is answered from the corpus of another."""
    asked = [each["text"] for each in lines(folder / "queries.jsonl") if each["text"].strip()][::every]
    return round(sum(not library.ask(question).abstained for question in asked) / len(asked), 4)


def answered(library: Library, folder: Path, every: int) -> dict[str, Any]:
    """How often what is answered in one and in two sentences holds an answer."""
    library.add(
        Document(each["_id"], each["text"], title=each.get("title", "")) for each in lines(folder / "corpus.jsonl")
    )
    known = {each["_id"]: each["answers"] for each in lines(folder / "answers.jsonl")}
    asked = [each for each in lines(folder / "queries.jsonl") if each["text"].strip() and each["_id"] in known][::every]
    right, seconds, abstained, wrong = {1: 0, 2: 0}, [], 0, 0
    for each in asked[:WARM_UP]:
        library.ask(each["text"])
    for each in asked:
        for most in right:
            started = time.perf_counter()
            answer = library.ask(each["text"], sentences=most)
            if most == 2:
                seconds.append(time.perf_counter() - started)
                abstained += answer.abstained
            right[most] += any(known_answer in answer.text for known_answer in known[each["_id"]])
            wrong += misquoted(library, answer)
    p50, p95 = np.percentile(seconds, [50, 95]) * 1e3
    return {
        "questions": len(asked),
        "1 sentence": round(right[1] / len(asked), 4),
        "2 sentences": round(right[2] / len(asked), 4),
        "abstained": round(abstained / len(asked), 4),
        "misquoted": wrong,
        "ms, p50 and p95": [round(float(p50), 1), round(float(p95), 1)],
    }


def misquoted(library: Library, answer: Answer) -> int:
    """How many citations are not the text of their document at their span."""
    texts = {each.uri: read_document(library.store.catalog, each.uri) for each in answer.citations}
    return sum(
        (document := texts[each.uri]) is None or document.text[each.span.start : each.span.end] != each.quote
        for each in answer.citations
    )


def abstention(library: Library, folder: Path, every: int) -> dict[str, Any]:
    """The balanced accuracy of abstaining where the paragraph that may hold the answer is given."""
    rows = list(lines(folder / "questions.jsonl"))[::every]
    library.add(Document(f"paragraph:{number}", row["context"]) for number, row in enumerate(rows))
    kept: dict[bool, list[bool]] = {True: [], False: []}
    for number, row in enumerate(rows):
        hits = library.search(row["text"], k=4, where={"uri": f"paragraph:{number}"})
        kept[row["answerable"]].append(not ask_hits(library, row["text"], hits).abstained)
    answerable, unanswerable = (float(np.mean(kept[kind])) for kind in (True, False))
    return {
        "questions": len(rows),
        "answerable answered": round(answerable, 4),
        "unanswerable abstained": round(1 - unanswerable, 4),
        "balanced accuracy": round((answerable + 1 - unanswerable) / 2, 4),
    }


def main() -> None:
    """Measure each set in a library of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--strangers", type=Path, help="a set about other matters, to ask its questions, too")
    parser.add_argument("--every", type=int, default=1, help="ask only every so-manieth question")
    given = parser.parse_args()
    for folder in given.sets:
        measure = answered if (folder / "answers.jsonl").exists() else abstention
        with tempfile.TemporaryDirectory() as place, Library(Path(place) / "library") as library:
            found = {"set": folder.name, **measure(library, folder, given.every)}
            if given.strangers and measure is answered:
                found["strangers answered"] = strangers_answered(library, given.strangers, given.every)
            print(json.dumps(found, indent=1, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
