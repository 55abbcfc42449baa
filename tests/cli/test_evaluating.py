"""`ammon eval`: a labelled set is measured, and a bad one is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from ammon.cli.outcome import Exit

Run = Callable[..., Result]

TEXTS = {
    "bees": "Bees dance on the comb to tell each other where the flowers are.",
    "tea": "绿茶要用八十度的水来泡，太热会发苦。",
    "lamp": "The lamp of the lighthouse burned colza oil until 1903.",
    "river": "The Nile is the longest river of Africa.",
}
QUESTIONS = {
    "1": ("how do bees talk about flowers?", "bees"),
    "2": ("泡绿茶的水温", "tea"),
    "3": ("longest river", "river"),
}


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A set of four passages and three questions, one of them in Chinese."""
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    write_lines(folder / "corpus.jsonl", [{"_id": key, "title": "", "text": text} for key, text in TEXTS.items()])
    write_lines(folder / "queries.jsonl", [{"_id": key, "text": text} for key, (text, _) in QUESTIONS.items()])
    rows = [f"{key}\t{answer}\t1\n" for key, (_, answer) in QUESTIONS.items()]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows), "utf-8")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> str:
    return str(tmp_path / "library")


def test_people_see_each_leg_the_fusion_and_the_audit(run: Run, labelled: Path, own: str) -> None:
    result = run("eval", str(labelled), "-L", own)
    assert result.exit_code == Exit.OK
    lines = result.stdout.splitlines()
    assert lines[0] == "tiny: 4 documents, 3 queries"
    assert lines[1].split() == ["nDCG@10", "R@100", "MRR@10", "p50", "ms", "p95", "ms", "p99", "ms"]
    assert [line.split()[0] for line in lines[2:5]] == ["dense", "lexical", "hybrid"]
    assert lines[4].split()[1:4] == ["1.0000", "1.0000", "1.0000"]
    assert lines[5] == "vector index against exact search: recall@10 1.0000"


def test_programs_get_the_same_as_json(run: Run, labelled: Path, own: str) -> None:
    report = json.loads(run("eval", str(labelled), "-L", own, "--json").stdout)
    assert (report["dataset"], report["documents"], report["queries"]) == ("tiny", 4, 3)
    assert [leg["mode"] for leg in report["legs"]] == ["dense", "lexical", "hybrid"]
    assert report["ndcg"] == report["legs"][-1]["ndcg_10"] == 1.0
    assert all(0 < leg["p50_ms"] <= leg["p99_ms"] for leg in report["legs"])


def test_a_threshold_that_is_missed_ends_with_code_1(run: Run, labelled: Path, own: str) -> None:
    wrong = "query-id\tcorpus-id\tscore\n1\triver\t1\n2\tlamp\t1\n"
    (labelled / "qrels" / "test.tsv").write_text(wrong, "utf-8")
    missed = run("eval", str(labelled), "-L", own, "--min-ndcg", "0.99")
    assert missed.exit_code == Exit.CHECK
    assert "below 0.99" in missed.stderr
    assert "hybrid" in missed.stdout
    assert run("eval", str(labelled), "-L", own, "--min-ndcg", "0.01").exit_code == Exit.OK


def test_the_set_is_kept_in_a_library_of_its_own(
    run: Run, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = tmp_path / "used"
    monkeypatch.setenv("AMMON_LIBRARY", str(used))
    # Only the sets go there: a model built anew for each test would take minutes.
    monkeypatch.setattr("ammon.cli.evaluating.own_library", lambda folder, _: tmp_path / "kept" / folder.name)
    assert run("eval", str(labelled)).exit_code == Exit.OK
    assert (tmp_path / "kept" / "tiny" / "catalog.db").is_file()
    assert not used.exists()


def test_each_folder_model_and_passage_size_has_a_library_of_its_own(tmp_path: Path) -> None:
    from ammon.cli.evaluating import own_library
    from ammon.settings import Settings

    cache = str(tmp_path)
    places = {
        own_library(tmp_path / name, Settings(cache=cache, model=model, chunk_tokens=tokens))
        for name in ("a", "b")
        for model in ("", "x")
        for tokens in (100, 200)
    }
    assert len(places) == 8
    assert {place.parent for place in places} == {tmp_path / "eval"}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("corpus.jsonl", None, "corpus.jsonl"),
        ("queries.jsonl", None, "queries.jsonl"),
        ("qrels/test.tsv", None, "qrels"),
        ("corpus.jsonl", "{not json}\n", "corpus.jsonl"),
        ("corpus.jsonl", '{"text": "without an id"}\n', "corpus.jsonl"),
        ("queries.jsonl", "[1, 2]\n", "queries.jsonl"),
        ("qrels/test.tsv", "one column\nonly\n", "test.tsv"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\n1\tbees\tmany\n", "test.tsv"),
    ],
)
def test_a_malformed_set_is_told_with_the_file_and_what_it_should_hold(
    run: Run, labelled: Path, own: str, name: str, content: str | None, told: str
) -> None:
    if content is None:
        (labelled / name).unlink()
    else:
        (labelled / name).write_text(content, "utf-8")
    result = run("eval", str(labelled), "-L", own)
    assert result.exit_code == Exit.USAGE
    assert told in result.stderr
    assert "Hint: " in result.stderr
    assert result.stdout == ""
