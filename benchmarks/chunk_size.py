"""How long should a passage be? Cuts the corpus of BEIR folders at several sizes; a document ranks as its best passage.

    python benchmarks/chunk_size.py FOLDER... [--sizes 128 256 384 480] [--documents 1500] [--out benchmarks/chunk_size]

``--documents`` keeps to a sample that holds every relevant document, since embedding is most of the time; absolute
figures are then too high, and only those of one column compare. Writes OUT.json after every row.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from ammon.embed import load_embedder
from ammon.evaluate import Dataset, read_dataset
from ammon.evaluate.metrics import ndcg
from ammon.search.fuse import fuse
from ammon.split import splitter
from ammon.store.local.derived.lexical import LexicalIndex
from ammon.types import Candidates, Document, Vectors

DEPTH = 100


def sampled(data: Dataset, most: int) -> Dataset:
    """The set with at most ``most`` documents, every relevant one among them."""
    wanted = {key for grades in data.relevant.values() for key in grades}
    others = [each for each in data.passages if each.id not in wanted]
    chosen = np.random.default_rng(7).permutation(len(others))[: max(0, most - len(wanted))]
    kept = wanted | {others[place].id for place in chosen}
    return replace(data, passages=tuple(each for each in data.passages if each.id in kept))


def by_document(leg: Candidates, owner: list[str]) -> list[str]:
    """Documents in the order of their best passage."""
    return list(dict.fromkeys(owner[place] for place in leg.ids))


def measure(data: Dataset, size: int, model: str, threads: int, queries: Vectors) -> dict[str, float]:
    """nDCG@10 of both legs and of the fusion, and how many passages there are."""
    embedder = load_embedder(model, threads=threads)
    cut = splitter(None, max_tokens=size, count=lambda text: embedder.count_tokens([text])[0])
    owner, texts = [], []
    for passage in data.passages:
        for chunk in cut(Document(passage.id, passage.whole)):
            owner.append(passage.id)
            texts.append(chunk.text)
    rows = embedder.embed_passages(texts)
    index = LexicalIndex.open(None, library=data.name)
    index.apply(enumerate(texts), [], 1)
    reached = []
    for (key, text), query in zip(data.queries.items(), queries, strict=True):
        scores = rows @ query
        best = np.argsort(-scores, kind="stable")[:DEPTH].astype(np.int64)
        legs = [Candidates(best, scores[best]), index.search(text, DEPTH)]
        reached.append([ndcg(by_document(leg, owner), data.relevant[key]) for leg in (*legs, fuse(*legs))])
    dense, words, hybrid = np.mean(reached, axis=0).tolist()
    return {"passages": len(texts), "dense": dense, "lexical": words, "hybrid": hybrid}


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 256, 384, 480])
    parser.add_argument("--documents", type=int, default=1500)
    parser.add_argument("--model", default="multilingual-e5-small")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(""))
    given = parser.parse_args()
    table: dict[str, dict[str, dict[str, float]]] = {}
    for folder in given.folders:
        data = sampled(read_dataset(folder), given.documents)
        queries = load_embedder(given.model, threads=given.threads).embed_queries(list(data.queries.values()))
        for size in given.sizes:
            table.setdefault(data.name, {})[str(size)] = measure(data, size, given.model, given.threads, queries)
            result = json.dumps({"model": given.model, "documents": given.documents, "sets": table}, indent=1)
            given.out.with_suffix(".json").write_text(result + "\n")
            print(data.name, size, table[data.name][str(size)], flush=True)


if __name__ == "__main__":
    main()
