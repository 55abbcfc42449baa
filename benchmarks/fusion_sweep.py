"""How should two legs become one? Tries ways to cut terms, to fuse, and to gate, on folders in BEIR form.

    python benchmarks/fusion_sweep.py FOLDER... [--model NAME] [--cache DIR] [--out benchmarks/fusion_sweep]

One passage a document, cut at the model's longest input; dense scores by exact product; so that nothing but the
fusion differs. Writes OUT.json and OUT.md. A row is one rule for all sets: the best row is not the best of each column
but the one that loses least anywhere. Vectors are kept in DIR, since embedding is most of the time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ammon.embed import load_embedder
from ammon.evaluate import Dataset, read_dataset
from ammon.evaluate.metrics import ndcg
from ammon.search.fuse import fuse
from ammon.search.gate import LOOKED_AT
from ammon.store.local.derived import lexical, terms
from ammon.types import Candidates, Vectors

DEPTH = 200
Gate: TypeAlias = Callable[["Question"], float]
Fuse: TypeAlias = Callable[[Candidates, Candidates, float], dict[int, float]]


@dataclass(frozen=True)
class Question:
    """A question with both of its lists; ``coverage`` and ``share`` are what gates look at, in [0, 1]."""

    relevant: dict[str, int]
    dense: Candidates
    lexical: Candidates
    coverage: float
    share: float


def embedded(data: Dataset, model: str, cache: Path) -> tuple[Vectors, Vectors]:
    """Rows of the questions and of the passages."""
    file = cache / f"{data.name}-{model.replace('/', '_')}.npz"
    if not file.exists():
        embedder = load_embedder(model)
        queries = embedder.embed_queries(list(data.queries.values()))
        cache.mkdir(parents=True, exist_ok=True)
        np.savez(file, queries=queries, passages=embedder.embed_passages([each.whole for each in data.passages]))
    held = np.load(file)
    return held["queries"], held["passages"]


def nearest(rows: Vectors, query: Vectors) -> Candidates:
    """The exact product's best."""
    scores = rows @ query
    best = np.argsort(-scores, kind="stable")[:DEPTH]
    return Candidates(best.astype(np.int64), scores[best])


def indexed(data: Dataset, *, titles: bool = True) -> lexical.LexicalIndex:
    """The corpus by place."""
    index = lexical.LexicalIndex.open(None, library=data.name)
    index.apply(enumerate(each.whole if titles else each.text for each in data.passages), [], 1)
    return index


def questions(data: Dataset, queries: Vectors, passages: Vectors) -> Iterator[Question]:
    """Both lists of every question."""
    index = indexed(data)
    count = index.count()
    for (key, text), row in zip(data.queries.items(), queries, strict=True):
        words = index.search(text, DEPTH)
        distinct = list(dict.fromkeys(terms.terms(text)))
        frequency = index.document_frequency(distinct)
        rarity = {word: np.log1p((count - frequency[word] + 0.5) / (frequency[word] + 0.5)) for word in distinct}
        known = sum(rarity[word] for word in distinct if frequency[word])
        best = [data.passages[place].whole for place in words.ids[:LOOKED_AT]]
        held = max((len(terms.matching(distinct, each)) for each in best), default=0)
        coverage = float(known / max(1e-9, sum(rarity.values())))
        yield Question(dict(data.relevant[key]), nearest(passages, row), words, coverage, held / max(1, len(distinct)))


def scaled(leg: Candidates, low: float, high: float) -> dict[int, float]:
    """Scores mapped so that ``low`` is 0 and ``high`` is 1."""
    values = (leg.scores.astype(np.float64) - low) / max(high - low, 1e-9)
    return dict(zip(leg.ids.tolist(), values.tolist(), strict=True))


def summed(dense: dict[int, float], words: dict[int, float], weight: float) -> dict[int, float]:
    """The convex combination; what a leg lacks counts 0."""
    return {key: weight * dense.get(key, 0) + (1 - weight) * words.get(key, 0) for key in dense.keys() | words.keys()}


def cut(leg: Candidates, depth: int) -> Candidates:
    """The first ``depth``."""
    return Candidates(leg.ids[:depth], leg.scores[:depth])


def min_max(depth: int) -> Fuse:
    """Ammon's own rule, at any depth."""

    def combine(dense: Candidates, words: Candidates, weight: float) -> dict[int, float]:
        found = fuse(cut(dense, depth), cut(words, depth), weight=weight, depth=depth)
        return dict(zip(found.ids.tolist(), found.scores.tolist(), strict=True))

    return combine


def z_scores(dense: Candidates, words: Candidates, weight: float) -> dict[int, float]:
    """Standard deviations above the list's end."""

    def of(leg: Candidates) -> dict[int, float]:
        return scaled(leg, float(leg.scores[-1]), float(leg.scores[-1] + leg.scores.std() * 5)) if len(leg) else {}

    return summed(of(cut(dense, 100)), of(cut(words, 100)), weight)


def ranks(dense: Candidates, words: Candidates, weight: float) -> dict[int, float]:
    """Reciprocal rank fusion, k = 60 (Cormack et al. 2009), with weights."""

    def of(leg: Candidates) -> dict[int, float]:
        return {int(key): 1 / (61 + place) for place, key in enumerate(leg.ids[:100])}

    return summed(of(dense), of(words), weight)


def fixed(dense: Candidates, words: Candidates, weight: float) -> dict[int, float]:
    """(cos - 0.7) / 0.3, which fits multilingual-e5-small alone, and BM25 over the list's best."""
    high = float(words.scores[0]) if len(words) else 1.0
    return summed(scaled(cut(dense, 100), 0.7, 1.0), scaled(cut(words, 100), 0.0, high), weight)


def rules() -> Iterator[tuple[str, Fuse, float, Gate]]:
    """Name, fusion, dense weight, and what the keyword leg's weight is multiplied by."""
    for weight in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
        yield f"min-max {weight}", min_max(100), weight, lambda _: 1.0
    for weight in (0.5, 0.6):
        yield f"z-scores {weight}", z_scores, weight, lambda _: 1.0
        yield f"RRF-60 {weight}", ranks, weight, lambda _: 1.0
        yield f"fixed scales {weight}", fixed, weight, lambda _: 1.0
    for depth in (20, 50, 200):
        yield f"min-max 0.5, depth {depth}", min_max(depth), 0.5, lambda _: 1.0
    yield "min-max 0.5 × known share of rarity", min_max(100), 0.5, lambda q: q.coverage
    yield "min-max 0.5 × share held", min_max(100), 0.5, lambda q: q.share
    for full in (0.1, 0.2, 0.3, 0.4, 0.5):
        yield f"min-max 0.5 × share held / {full}", min_max(100), 0.5, gate(full)
    for weight in (0.4, 0.45, 0.55, 0.6):
        yield f"min-max {weight} × share held / 0.3", min_max(100), weight, gate(0.3)
    yield "z-scores 0.5 × share held / 0.3", z_scores, 0.5, gate(0.3)
    yield "z-scores 0.6 × share held / 0.3", z_scores, 0.6, gate(0.3)


def gate(full: float) -> Gate:
    """The share of the question that the best keyword hits hold, over ``full``, at most 1."""
    return lambda question: min(1.0, question.share / full)


def fused(asked: list[Question], names: list[str], combine: Fuse, weight: float, trust: Gate) -> float:
    """Mean nDCG@10 of one rule."""

    def one(question: Question) -> float:
        scores = combine(question.dense, question.lexical, 1 - (1 - weight) * trust(question))
        best = sorted(scores, key=lambda key: (-scores[key], key))[:10]
        return ndcg([names[place] for place in best], question.relevant)

    return float(np.mean([one(question) for question in asked]))


def unstemmed(word: str) -> str:
    """The word itself."""
    return word


def lexical_variants(data: Dataset) -> Iterator[tuple[str, float]]:
    """nDCG@10 of the keyword leg alone, with terms cut in other ways."""
    leg: Any = lexical  # as a value whose parts may be swapped
    plain, stem = terms.terms, terms._stem  # noqa: SLF001 - a variant of a private rule
    yield "keyword: no titles", alone(data, indexed(data, titles=False))
    leg.terms = lambda text: [term for term in plain(text) if len(term) > 1 or term.isascii()]
    yield "keyword: pairs without single characters", alone(data, indexed(data))
    leg.terms = lambda text: [term for term in plain(text) if len(term) != 2 or term.isascii()]
    yield "keyword: single characters without pairs", alone(data, indexed(data))
    leg.terms = plain
    terms._stem = unstemmed  # noqa: SLF001 - a variant of a private rule
    terms._known.clear()  # noqa: SLF001 - a variant of a private rule
    yield "keyword: no stems", alone(data, indexed(data))
    terms._stem = stem  # noqa: SLF001 - a variant of a private rule
    terms._known.clear()  # noqa: SLF001 - a variant of a private rule
    index = indexed(data)
    leg.terms = lambda text: list(dict.fromkeys(plain(text)))
    yield "keyword: each query term once", alone(data, index)
    for part in (0.1, 0.3):
        limit = part * index.count()
        leg.terms = lambda text, most=limit: rare(index, plain(text), most)
        yield f"keyword: no query terms in over {part:.0%} of texts", alone(data, index)
    leg.terms = plain


def rare(index: lexical.LexicalIndex, found: list[str], most: float) -> list[str]:
    """Terms that at most ``most`` texts hold; all of them where none is so rare."""
    frequency = index.document_frequency(found)
    return [term for term in found if frequency[term] <= most] or found


def alone(data: Dataset, index: lexical.LexicalIndex) -> float:
    """Mean nDCG@10 of an index."""
    names = [each.id for each in data.passages]

    def one(key: str, text: str) -> float:
        return ndcg([names[place] for place in index.search(text, 10).ids], data.relevant[key])

    return float(np.mean([one(key, text) for key, text in data.queries.items()]))


def places(leg: Candidates, names: list[str]) -> list[str]:
    """Document ids of a list."""
    return [names[place] for place in leg.ids]


def sweep(data: Dataset, queries: Vectors, passages: Vectors) -> dict[str, float]:
    """Every rule on one set."""
    names = [each.id for each in data.passages]
    asked = list(questions(data, queries, passages))
    table = {
        "dense alone": float(np.mean([ndcg(places(q.dense, names), q.relevant) for q in asked])),
        "keyword alone": float(np.mean([ndcg(places(q.lexical, names), q.relevant) for q in asked])),
    }
    for name, combine, weight, trust in rules():
        table[name] = fused(asked, names, combine, weight, trust)
    table.update(lexical_variants(data))
    shares: NDArray[np.float64] = np.percentile([q.share for q in asked], (5, 50, 95))
    print(f"{data.name}: share held, 5 %, median, 95 %: {shares.round(2).tolist()}", file=sys.stderr)
    return table


def markdown(table: dict[str, dict[str, float]]) -> str:
    """One row a rule; the last column is its worst loss against the better leg, where it fuses both."""
    sets = list(table)
    lines = [f"| rule | {' | '.join(sets)} | worst against the better leg |", "|---|" + "---|" * (len(sets) + 1)]
    for rule in table[sets[0]]:
        worst = min(
            table[each][rule] - max(table[each][leg] for leg in ("dense alone", "keyword alone")) for each in sets
        )
        last = "" if "alone" in rule or rule.startswith("keyword") else f"{worst:+.4f}"
        lines.append(f"| {rule} | {' | '.join(f'{table[each][rule]:.4f}' for each in sets)} | {last} |")
    return "\n".join(lines)


def main() -> None:
    """Read the arguments, sweep, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--model", default="multilingual-e5-small")
    parser.add_argument("--cache", type=Path, default=Path(".fusion_sweep"))
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(""))
    given = parser.parse_args()
    table = {}
    for folder in given.folders:
        data = read_dataset(folder)
        table[data.name] = sweep(data, *embedded(data, given.model, given.cache))
    given.out.with_suffix(".json").write_text(json.dumps({"model": given.model, "ndcg_10": table}, indent=1) + "\n")
    given.out.with_suffix(".md").write_text(f"nDCG@10 with {given.model}\n\n{markdown(table)}\n")
    print(markdown(table))


if __name__ == "__main__":
    main()
