"""How much of documents' text is read: word recall and F1 by type, strings that must be there, pages a CPU-second.

    python benchmarks/document_text.py FOLDER/index.tsv [--type pdf docx] [--recognise] [--worst 5]

The index has a line for each file: ``path``, ``type``, ``should_contain`` (empty; a text; texts between `` | `` after
``must include:``, or between `` ; `` after ``(read by eye)``) and ``ground_truth`` (empty, or the path of a file with
the text as it ought to be). Recall and F1 count words, each as often as it stands there. Files are read in this
process: what reading them costs is not mixed with what keeping them apart costs.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from ammon.sources.reading import Account, Reading
from ammon.sources.recognising import Recogniser

SHORT = 20
"""Characters of a string that is looked for whole."""

CUT = 150
"""Characters from which on a string may be cut at its end."""

_WORD = re.compile(r"\w+")
_SAID = re.compile(r"^(?:\(([^)]*)\)|(must include|first line|contains):?)\s*")
_ASIDE = re.compile(r"\s*\([^()]*\)\s*$|, rotated \d+ degrees$")
_MARKUP = re.compile(r"[|#*_`>\\\[\]]+|-{3,}")


@dataclass(slots=True)
class Score:
    """What came of one file. ``missing`` are the strings of ``wanted`` that are not in its text."""

    path: str
    type: str
    seconds: float
    pages: int
    error: str
    wanted: int = 0
    missing: list[str] = field(default_factory=list)
    recall: float | None = None
    f1: float | None = None


def words(text: str) -> Counter[str]:
    """Words of a text, whatever its markup."""
    return Counter(_WORD.findall(_MARKUP.sub(" ", text).casefold()))


def squeezed(text: str) -> str:
    """A text without white space and markup: what stands beside what, and nothing else."""
    return "".join(_WORD.findall(_MARKUP.sub("", text).casefold()))


def strings(said: str) -> list[str]:
    """The strings that a text must contain. Of what another reader read they are the words."""
    found = _SAID.match(said)
    plain = _ASIDE.sub("", said[found.end() :] if found else said)
    sort = (found[1] or found[2]) if found else ""
    match sort:
        case "must include":
            parted = plain.split(" | ")
        case "read by eye":
            parted = plain.split("; ")
        case "" | "crude reading of the file":
            # The last may be cut.
            parted = [plain] if len(plain) < SHORT else plain.split()[: -1 if len(plain) > CUT else None]
        case _:
            parted = [plain]
    return [each.strip(" |;") for each in parted if squeezed(each)]


def agreement(got: Counter[str], wanted: Counter[str]) -> tuple[float, float]:
    """Recall, and F1."""
    common = (got & wanted).total()
    recall, precision = common / max(wanted.total(), 1), common / max(got.total(), 1)
    return recall, 2 * recall * precision / max(recall + precision, 1e-9)


def scored(row: Mapping[str, str], root: Path, recogniser: Recogniser | None) -> Score:
    """The score of a file."""
    path = root / row["path"]
    data = path.read_bytes()
    started = time.process_time()
    found = Reading(path.name, Account(len(data)), recogniser=recogniser).run(data)
    seconds = time.process_time() - started
    texts = [each.document.text for each in found if each.document]
    first = found[0].document
    pages = int(first.metadata.get("pages", 0)) if first and row["type"] == "pdf" else 0
    score = Score(row["path"], row["type"], seconds, pages, found[0].error.code if found[0].error else "")
    whole, wanted = squeezed("\n".join(texts)), strings(row["should_contain"])
    score.wanted = len(wanted)
    score.missing = [each for each in wanted if squeezed(each) not in whole]
    if row["ground_truth"]:
        truth = (root / row["ground_truth"]).read_text("utf-8")
        score.recall, score.f1 = agreement(words(texts[0] if texts else ""), words(truth))
    return score


def summary(scores: Sequence[Score]) -> dict[str, float | int | None]:
    """Means of the files of one type."""
    recalls = [each.recall for each in scores if each.recall is not None]
    f1s = [each.f1 for each in scores if each.f1 is not None]
    wanted, seconds = sum(each.wanted for each in scores), sum(each.seconds for each in scores if each.pages)
    return {
        "files": len(scores),
        "with_known_text": len(f1s),
        "recall": round(sum(recalls) / len(recalls), 4) if recalls else None,
        "f1": round(sum(f1s) / len(f1s), 4) if f1s else None,
        "strings": wanted,
        "strings_found": round(1 - sum(len(each.missing) for each in scores) / wanted, 4) if wanted else None,
        "pages": sum(each.pages for each in scores),
        "pages_a_cpu_second": round(sum(each.pages for each in scores) / seconds, 1) if seconds else None,
    }


def types_of(scores: Sequence[Score]) -> Iterator[tuple[str, list[Score]]]:
    """Files by type, and all."""
    for name in sorted({each.type for each in scores}):
        yield name, [each for each in scores if each.type == name]
    yield "all", list(scores)


@cache
def recogniser_here() -> Recogniser:
    """The recogniser of the extra, which must be installed."""
    from ammon.sources.recognition import Recogniser as Installed

    return Installed()


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("--type", nargs="*", default=())
    parser.add_argument("--recognise", action="store_true", help="read pictures too")
    parser.add_argument("--worst", type=int, default=0, help="print so many of the files that miss most")
    given = parser.parse_args()
    with given.index.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if not given.type or row["type"] in given.type]
    recogniser = recogniser_here() if given.recognise else None
    scores = [scored(row, given.index.parent, recogniser) for row in rows]
    result: dict[str, object] = {name: summary(some) for name, some in types_of(scores)}
    if given.worst:
        bad = sorted(scores, key=lambda each: (-len(each.missing), 1 if each.f1 is None else each.f1))
        result["worst"] = [asdict(each) for each in bad[: given.worst]]
    print(json.dumps(result, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
