"""Evaluation: sets are read or refused by line, metrics are trec_eval's, reports are for people and programs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from ammon.errors import InputError, PathNotFound
from ammon.evaluate import audit, evaluate, read_dataset
from ammon.evaluate.metrics import ndcg, recall, reciprocal_rank
from ammon.types import Candidates, Mode, Vectors

CORPUS = '{"_id": "d1", "title": "Apples", "text": "ripen in autumn"}\n{"_id": "d2", "text": "pears"}\n'
QUERIES = '{"_id": "q1", "text": "which fruit?"}\n{"_id": "q2", "text": "unjudged"}\n{"_id": "q3", "text": "pears?"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq3\td2\t1\nq3\tgone\t1\n"


def written(folder: Path, corpus: str = CORPUS, queries: str = QUERIES, qrels: str = QRELS) -> Path:
    (folder / "corpus.jsonl").write_text(corpus, "utf-8")
    (folder / "queries.jsonl").write_text(queries, "utf-8")
    (folder / "qrels.tsv").write_text(qrels, "utf-8")
    return folder


def test_a_set_is_read_with_its_judged_questions(tmp_path: Path) -> None:
    data = read_dataset(written(tmp_path))
    assert data.name == tmp_path.name
    assert [(each.id, each.whole) for each in data.passages] == [("d1", "Apples\n\nripen in autumn"), ("d2", "pears")]
    assert data.queries == {"q1": "which fruit?", "q3": "pears?"}
    assert data.relevant == {"q1": {"d1": 2}, "q3": {"d2": 1}}


@pytest.mark.parametrize("qrels", ["q1\td1\t1\n", "q1 0 d1 1\n".replace(" ", "\t"), "\ufeffq\tc\ts\r\nq1\td1\t1\r\n"])
def test_judgements_come_in_three_fields_or_four_with_or_without_a_head(tmp_path: Path, qrels: str) -> None:
    assert read_dataset(written(tmp_path, qrels=qrels)).relevant == {"q1": {"d1": 1}}


def test_judgements_are_found_where_beir_keeps_them(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels.tsv").rename(tmp_path / "qrels" / "test.tsv")
    assert set(read_dataset(tmp_path).relevant) == {"q1", "q3"}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"corpus": CORPUS + "{nonsense"}, r"corpus\.jsonl, line 3: no JSON"),
        ({"corpus": '{"_id": 7, "text": "x"}'}, r"corpus\.jsonl, line 1: needs '_id' and 'text'"),
        ({"queries": '{"_id": "q"}'}, r"queries\.jsonl, line 1: needs"),
        ({"queries": "[]"}, r"queries\.jsonl, line 1: needs"),
        ({"qrels": QRELS + "q1\td1\tvery\n"}, r"qrels\.tsv, line 6: needs query"),
        ({"qrels": "q\tc\ts\nq1\td1\t0\n"}, "judges no document"),
    ],
)
def test_a_broken_set_is_refused_by_file_and_line(tmp_path: Path, broken: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_dataset(written(tmp_path, **broken))
    assert "BEIR folder" in caught.value.hint


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels.tsv", ""])
def test_a_missing_file_is_named(tmp_path: Path, missing: str) -> None:
    folder = written(tmp_path) / ("" if missing else "nowhere")
    (tmp_path / missing).unlink() if missing else None
    with pytest.raises(PathNotFound, match=missing or "nowhere"):
        read_dataset(folder)


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (written(tmp_path) / "corpus.jsonl").write_bytes(b'{"_id": "\xff"}')
    with pytest.raises(InputError, match="is not UTF-8"):
        read_dataset(tmp_path)


documents = st.integers(0, 30).map("d{}".format)


@given(st.lists(documents, unique=True, max_size=30), st.dictionaries(documents, st.integers(1, 3), min_size=1))
def test_metrics_are_those_of_trec_eval(ranking: list[str], relevant: dict[str, int]) -> None:
    run = {"q": {document: -float(rank) for rank, document in enumerate(ranking)}}
    expected = {nDCG @ 10: 0.0, R @ 15: 0.0, RR @ 10: 0.0}
    if ranking:
        expected = ir_measures.calc_aggregate(list(expected), {"q": relevant}, run)
    assert ndcg(ranking, relevant) == pytest.approx(expected[nDCG @ 10])
    assert recall(ranking, relevant, 15) == pytest.approx(expected[R @ 15])
    assert reciprocal_rank(ranking, relevant) == pytest.approx(expected[RR @ 10])


def test_nothing_relevant_is_nothing_reached() -> None:
    assert ndcg(["a"], {}) == recall(["a"], {}) == reciprocal_rank(["a"], {}) == 0.0


def test_a_report_has_a_leg_a_mode_and_reads_well(tmp_path: Path) -> None:
    asked: list[tuple[str, Mode]] = []

    def search(question: str, mode: Mode) -> list[str]:
        asked.append((question, mode))
        return ["d1", "d2"] if mode == "hybrid" else ["d2"]

    report = evaluate(search, read_dataset(written(tmp_path)), ("lexical", "hybrid"))
    assert len(asked) == 4
    assert [leg.mode for leg in report.legs] == ["lexical", "hybrid"]
    assert report.legs[0].ndcg_10 == pytest.approx(0.5)
    assert report.ndcg == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert report.legs[1].mrr_10 == pytest.approx(0.75)
    assert report.legs[1].recall_100 == 1
    assert 0 <= report.legs[0].p50_ms <= report.legs[0].p95_ms <= report.legs[0].p99_ms
    lines = report.audited(0.9987).text().splitlines()
    assert lines[0].endswith("2 documents, 2 queries")
    assert [line.split()[0] for line in lines[2:4]] == ["lexical", "hybrid"]
    assert lines[4].endswith("recall@10 0.9987")
    assert json.loads(json.dumps(report.as_json()))["ndcg"] == report.ndcg


def exact(rows: Vectors, vector: Vectors, k: int) -> Candidates:
    scores = rows @ vector
    best = np.argsort(-scores, kind="stable")[:k]
    return Candidates(best.astype(np.int64), scores[best])


def test_an_audit_counts_what_the_index_missed() -> None:
    chance = np.random.default_rng(1)
    rows = chance.standard_normal((200, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    def blind(vector: Vectors, k: int) -> Candidates:
        found = exact(rows, vector, k + 1)
        return Candidates(found.ids[1:], found.scores[1:])

    queries = rows[:20]
    assert audit(lambda vector, k: exact(rows, vector, k), lambda vector, k: exact(rows, vector, k), queries) == 1.0
    assert audit(blind, lambda vector, k: exact(rows, vector, k), queries) == pytest.approx(0.9)
    assert audit(blind, blind, []) == 1.0


def test_equal_passages_are_equal_answers_to_an_audit() -> None:
    rows = np.tile(np.eye(4, dtype=np.float32)[:1], (30, 1))

    def last(vector: Vectors, k: int) -> Candidates:
        found = exact(rows, vector, 30)
        return Candidates(found.ids[-k:], found.scores[-k:])

    assert audit(last, lambda vector, k: exact(rows, vector, k), rows[:3]) == 1.0


DATA = Path(os.environ.get("AMMON_DATA", Path(__file__).parents[3] / "shared" / "data")) / "retrieval"


@pytest.mark.skipif(not DATA.is_dir(), reason="the development sets are not here; AMMON_DATA names their folder")
def test_bm25_over_own_terms_reaches_what_was_measured() -> None:
    from ammon.store.local.derived.lexical import LexicalIndex

    for name, least in (("xquad_zh", 0.96), ("xquad_en", 0.965)):
        data = read_dataset(DATA / name)
        index = LexicalIndex.open(None, library=name)
        index.apply(enumerate(each.whole for each in data.passages), [], 1)

        def search(question: str, _mode: Mode, index: LexicalIndex = index) -> list[str]:
            return [data.passages[place].id for place in index.search(question, 100).ids]  # noqa: B023

        assert evaluate(search, data, ("lexical",)).ndcg >= least
