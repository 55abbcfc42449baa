"""The keyword index: BM25 as by hand, filters that cost no row, and commits that survive a kill."""

from __future__ import annotations

import json
import math
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ammon.errors import LibraryDamaged
from ammon.store.local.derived import lexical
from ammon.store.local.derived.lexical import LexicalIndex
from ammon.store.local.derived.lexical_files import LexicalFiles
from ammon.store.local.derived.terms import TERMS_VERSION, terms

WORDS = ("apple", "pear", "plum", "quince", "树", "苹果", "fig", "grape")
Texts = dict[int, str]


def filled(texts: Texts, path: Path | None = None) -> LexicalIndex:
    index = LexicalIndex.open(path, library="one")
    index.apply(texts.items(), [], 1)
    return index


def field_norm(length: int) -> int:
    """Lengths as Lucene and tantivy store them in one byte: exact to 39, then 3 bits after the leading one."""
    steps = [0]
    for byte in range(1, 256):
        rest = byte - 24
        if rest < 16:
            steps.append(byte)
        else:
            exponent, mantissa = rest // 8 - 1, rest % 8
            steps.append(24 + ((8 + mantissa) << exponent))
    return max(step for step in steps if step <= length)


def by_hand(texts: Texts, query: str) -> dict[int, float]:
    """BM25 with k1 = 1.2 and b = 0.75 over every text, term by term. The index's mark counts as one empty text."""
    bags = {key: Counter(terms(text)) for key, text in texts.items()}
    count = len(texts) + 1
    average = sum(sum(bag.values()) for bag in bags.values()) / count
    scores: dict[int, float] = {}
    for term, weight in Counter(terms(query)).items():
        frequency = sum(term in bag for bag in bags.values())
        idf = math.log1p((count - frequency + 0.5) / (frequency + 0.5))
        for key, bag in bags.items():
            if bag[term]:
                norm = 1.2 * (0.25 + 0.75 * field_norm(sum(bag.values())) / average)
                scores[key] = scores.get(key, 0) + weight * idf * 2.2 * bag[term] / (bag[term] + norm)
    return scores


some_text = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)
some_texts = st.dictionaries(st.integers(1, 200), some_text, max_size=25)


@settings(max_examples=40)
@given(some_texts, st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), st.integers(1, 30))
def test_scores_and_order_are_those_of_bm25_by_hand(texts: Texts, query: str, k: int) -> None:
    found = filled(texts).search(query, k)
    expected = by_hand(texts, query)
    assert len(found) == min(k, len(expected))
    assert found.scores == pytest.approx([expected[key] for key in found.ids], rel=1e-3, abs=1e-3)
    best = sorted(expected.values(), reverse=True)[:k]
    assert found.scores == pytest.approx(best, rel=1e-3, abs=1e-3)


@settings(max_examples=40)
@given(some_texts, st.sets(st.integers(0, 200)), st.integers(1, 12), st.booleans())
def test_a_filter_gives_what_sifting_the_whole_list_gives(texts: Texts, kept: set[int], k: int, inside: bool) -> None:
    index = filled(texts)
    allowed = np.zeros(max(kept, default=0) + 1, bool)
    allowed[list(kept)] = True
    whole = index.search("apple 苹果 fig", 1000)
    expected = [key for key in whole.ids.tolist() if key in kept][:k]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "FEW_ALLOWED", 10_000 if inside else -1)
        assert expected == index.search("apple 苹果 fig", k, allowed).ids.tolist()


def test_equal_texts_come_in_the_order_of_their_ids_at_any_k() -> None:
    index = filled(dict.fromkeys(range(300, 0, -1), "the same words"))
    for k in (1, 7, 100, 299):
        assert index.search("same words", k).ids.tolist() == list(range(1, k + 1))


def test_ties_hold_across_commits() -> None:
    index = LexicalIndex.open(None, library="one")
    for key in (5, 3, 9, 1):
        index.apply([(key, "one and the same text")], [], key)
    assert index.search("same text", 3).ids.tolist() == [1, 3, 5]


def test_a_selective_filter_on_a_large_index_still_gives_k() -> None:
    index = filled({key: "common word " + "rare " * (key % 2) for key in range(1, 6001)})
    allowed = np.zeros(6001, bool)
    allowed[2::2] = True
    allowed[:2000] = False
    wide = np.ones(6001, bool)
    wide[1:1000] = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexical, "FEW_ALLOWED", 100)
        assert index.search("rare common", 10, allowed).ids.tolist() == list(range(2000, 2020, 2))
        assert index.search("rare common", 5, wide).ids.tolist() == [1001, 1003, 1005, 1007, 1009]


@pytest.mark.parametrize("query", ["", "   ", "?!", "unheard", "\x00"])
def test_a_query_without_a_known_term_finds_nothing(query: str) -> None:
    assert len(filled({1: "apple"}).search(query, 10)) == 0


def test_no_hits_are_wanted_or_allowed() -> None:
    index = filled({1: "apple"})
    assert len(index.search("apple", 0)) == 0
    assert len(index.search("apple", 10, np.zeros(5, bool))) == 0
    assert len(index.search("apple", 10, np.zeros(0, bool))) == 0


def test_one_chinese_character_finds_its_texts() -> None:
    index = filled({1: "喝水很重要", 2: "今天下雨", 3: "water"})
    assert index.search("水", 10).ids.tolist() == [1]


def test_a_whole_document_as_the_query_finds_itself_first() -> None:
    chance = np.random.default_rng(3)
    texts = {key: " ".join(f"w{word}" for word in chance.integers(0, 3000, 400)) for key in range(1, 200)}
    index = filled(texts)
    for key in (1, 77, 199):
        assert index.search(texts[key], 3).ids[0] == key


def test_applying_twice_is_applying_once() -> None:
    index = filled({1: "apple", 2: "pear"})
    for _ in range(2):
        index.apply([(2, "plum"), (3, "apple fig")], [1], 7)
        assert (index.count(), index.sequence) == (2, 7)
        assert index.search("apple", 5).ids.tolist() == [3]
        assert len(index.search("pear", 5)) == 0
    index.apply([], [1, 2, 3, 99], 8)
    assert (index.count(), index.sequence) == (0, 8)


def test_an_id_given_twice_keeps_its_last_text() -> None:
    index = LexicalIndex.open(None, library="one")
    index.apply([(1, "apple"), (1, "pear")], [], 1)
    assert index.count() == 1
    assert index.search("apple pear", 5).ids.tolist() == [1]
    assert len(index.search("apple", 5)) == 0


def test_what_was_applied_is_there_when_opened_again(tmp_path: Path) -> None:
    filled({1: "apple"}, tmp_path / "index")
    again = LexicalIndex.open(tmp_path / "index", library="one")
    assert (again.sequence, again.count()) == (1, 1)
    assert again.search("apple", 1).ids.tolist() == [1]


def test_another_reader_sees_a_commit_after_reload(tmp_path: Path) -> None:
    index = filled({1: "apple"}, tmp_path / "index")
    reader = LexicalIndex.open(tmp_path / "index", library="one")
    index.apply([(2, "apple pie")], [], 2)
    assert reader.count() == 1
    reader.reload()
    assert (reader.count(), reader.sequence) == (2, 2)


def test_two_writers_in_turn_lose_nothing(tmp_path: Path) -> None:
    one, other = (LexicalIndex.open(tmp_path / "index", library="one") for _ in range(2))
    for turn in range(1, 7):
        (one if turn % 2 else other).apply([(turn, "apple")], [], turn)
    one.reload()
    assert (one.count(), one.sequence) == (6, 6)


def test_two_writers_in_turn_lose_track_of_no_file(tmp_path: Path) -> None:
    one, other = (LexicalIndex.open(tmp_path / "words", library="one") for _ in range(2))
    for number in range(1, 13):
        writer = (one, other)[number % 2]
        writer.reload()
        writer.apply([(number, f"apple {number}")], [], number)
    assert LexicalFiles(tmp_path / "words", lexical._SCHEMA).unlisted() == []


def test_an_index_of_another_library_or_of_other_rules_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled({1: "apple"}, tmp_path / "index")
    assert LexicalIndex.open(tmp_path / "index", library="two").sequence == 0
    filled({1: "apple"}, tmp_path / "index")
    monkeypatch.setattr(lexical, "TERMS_VERSION", -1)
    assert LexicalIndex.open(tmp_path / "index", library="one").sequence == 0


@pytest.mark.parametrize("harm", ["cut", "gone", "no meta", "meta", "a file"])
def test_a_damaged_index_is_made_anew(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "index"
    filled(dict.fromkeys(range(100), "apple pie"), path)
    data = next(path.glob("*.term"))
    if harm == "cut":
        data.write_bytes(data.read_bytes()[:10])
    elif harm == "gone":
        data.unlink()
    elif harm == "no meta":
        (path / "meta.json").unlink()
    elif harm == "meta":
        (path / "meta.json").write_text("{")
    else:
        for file in path.iterdir():
            file.unlink()
        path.rmdir()
        path.write_text("no index")
    index = LexicalIndex.open(path, library="one")
    assert (index.sequence, index.count()) == (0, 0)
    index.apply([(1, "apple")], [], 1)
    assert index.search("apple", 1).ids.tolist() == [1]
    assert [file.name for file in tmp_path.iterdir()] == ["index"]


def test_flipped_bits_are_told_by_file(tmp_path: Path) -> None:
    index = filled({key: f"apple pie {key}" for key in range(500)}, tmp_path / "index")
    assert index.damage() == []
    data = next((tmp_path / "index").glob("*.idx"))
    content = bytearray(data.read_bytes())
    content[len(content) // 3] ^= 0x40
    data.write_bytes(content)
    assert index.damage() == [f"{data.name} is missing or does not match its checksum"]


def test_an_index_that_vanished_is_told_as_damage(tmp_path: Path) -> None:
    index = filled({1: "apple"}, tmp_path / "index")
    (tmp_path / "index").rename(tmp_path / "elsewhere")
    with pytest.raises(LibraryDamaged, match="is gone"):
        index.reload()


def test_an_error_while_texts_are_read_changes_nothing_and_frees_the_lock(tmp_path: Path) -> None:
    index = filled({1: "apple"}, tmp_path / "index")

    def broken() -> object:
        yield 2, "pear"
        raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="the caller's own"):
        index.apply(broken(), [1], 9)  # type: ignore[arg-type]
    index.apply([(3, "plum")], [], 2)
    assert (index.count(), index.sequence) == (2, 2)
    assert index.search("apple pear plum", 5).ids.tolist() == [1, 3]


CHILD = """
import sys
from pathlib import Path
from ammon.store.local.derived.lexical import LexicalIndex
from ammon.store.local.derived.lexical_files import LexicalFiles
index = LexicalIndex.open(Path(sys.argv[1]), library="one")
for step in range(index.sequence + 1, 10_000):
    index.apply([(step * 10 + part, f"apple {step}") for part in range(10)], [step * 10 - 7], step)
    print(step, flush=True)
"""


def test_a_kill_leaves_the_sequence_and_the_texts_of_one_commit(tmp_path: Path) -> None:
    path = tmp_path / "index"
    acknowledged = 0
    for lines in (2, 3, 1):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        for _ in range(lines):
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        index = LexicalIndex.open(path, library="one")
        assert index.sequence >= acknowledged
        expected = {s * 10 + part for s in range(1, index.sequence + 1) for part in range(10)}
        expected -= {s * 10 - 7 for s in range(1, index.sequence + 1)}
        assert set(index.search("apple", 10**6).ids.tolist()) == expected
        assert index.damage() == []


def test_rewriting_everything_many_times_keeps_the_size_bounded(tmp_path: Path) -> None:
    path = tmp_path / "index"
    texts = {key: f"apple pie number {key} " * 20 for key in range(200)}
    index = filled(texts, path)
    once = sum(file.stat().st_size for file in path.iterdir())
    for turn in range(20):
        index.apply(texts.items(), [], turn + 2)
    assert index.count() == len(texts)
    assert sum(file.stat().st_size for file in path.iterdir()) < 4 * once


def test_document_frequencies_are_counts_of_texts() -> None:
    index = filled({1: "apple apple", 2: "apple pear", 3: "fig"})
    assert index.document_frequency(["appl", "pear", "plum"]) == {"appl": 2, "pear": 1, "plum": 0}


def test_the_mark_is_json_that_tells_the_rules(tmp_path: Path) -> None:
    index = filled({1: "apple"}, tmp_path / "index")
    note = lexical._note(index._searcher)
    assert json.loads(json.dumps(note)) == {
        "library": "one", "terms": TERMS_VERSION, "format": lexical.FORMAT, "sequence": 1
    }  # fmt: skip


def test_flipped_bits_never_raise_anything_but_damage(tmp_path: Path) -> None:
    path = tmp_path / "index"
    filled({key: f"apple pie {key} {'fig ' * (key % 7)}" for key in range(1, 1500)}, path)
    chance = np.random.default_rng(11)
    files = [file for kind in ("idx", "term", "fieldnorm", "fast") for file in path.glob(f"*.{kind}")]
    for turn in range(24):
        file = files[turn % len(files)]
        content = file.read_bytes()
        broken = bytearray(content)
        for place in chance.integers(0, len(content), 6):
            broken[place] ^= 0xFF
        file.write_bytes(broken)
        damaged = tmp_path / str(turn)
        shutil.copytree(path, damaged)
        file.write_bytes(content)
        try:
            LexicalIndex.open(damaged, library="one").search("apple fig 7 700", 50)
        except LibraryDamaged as error:
            assert str(damaged) in str(error)
