"""Fusion: every candidate once, in the order of a convex combination, and no leg that found nothing has a say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ammon.search.fuse import fuse
from ammon.types import Candidates


def ranked(scores: dict[int, float]) -> Candidates:
    order = sorted(scores, key=lambda key: (-scores[key], key))
    return Candidates(np.array(order, np.int64), np.array([scores[key] for key in order], np.float32))


legs = st.dictionaries(st.integers(1, 40), st.floats(0.015625, 32, width=32), max_size=30).map(ranked)
EMPTY = ranked({})


@given(legs, legs, st.floats(0, 1), st.integers(1, 40))
def test_the_union_comes_back_once_and_best_first(
    dense: Candidates, lexical: Candidates, weight: float, k: int
) -> None:
    found = fuse(dense, lexical, weight=weight, depth=k)
    assert set(found.ids) == set(dense.ids) | set(lexical.ids)
    assert len(found) == len(set(found.ids.tolist()))
    assert all(0 <= score <= 1 for score in found.scores)
    assert list(found.scores) == sorted(found.scores, reverse=True)


@given(legs, legs, st.floats(0, 1), st.integers(1, 12))
def test_a_document_has_the_best_of_both_legs(dense: Candidates, lexical: Candidates, weight: float, many: int) -> None:
    if not len(dense) or not len(lexical):
        weight = 1.0 if len(dense) else 0.0

    def best(found: Candidates) -> dict[int, float]:
        scores: dict[int, float] = {}
        for chunk, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True):
            scores[chunk % many] = max(score, scores.get(chunk % many, 0.0))
        return scores

    meaning, words = (best(fuse(dense, lexical, weight=share)) for share in (1.0, 0.0))
    found = fuse(dense, lexical, weight=weight, documents=lambda ids: ids % many)
    assert set(found.ids) == set(dense.ids) | set(lexical.ids)
    expected = {each: weight * meaning[each] + (1 - weight) * words[each] for each in meaning}
    assert best(found) == pytest.approx(expected, abs=1e-5)


@given(legs, legs, st.floats(0, 1))
def test_it_is_the_combination_by_hand(dense: Candidates, lexical: Candidates, weight: float) -> None:
    if not len(dense) or not len(lexical):
        weight = 1.0 if len(dense) else 0.0
    low = float(dense.scores[-1]) if len(dense) else 0.0
    if len(dense) and low == dense.scores[0]:
        low -= 1
    expected: dict[int, float] = dict.fromkeys([*dense.ids.tolist(), *lexical.ids.tolist()], 0.0)
    for key, score in zip(dense.ids.tolist(), dense.scores.tolist(), strict=True):
        expected[key] += weight * (score - low) / (float(dense.scores[0]) - low)
    for key, score in zip(lexical.ids.tolist(), lexical.scores.tolist(), strict=True):
        expected[key] += (1 - weight) * score / float(lexical.scores[0])
    found = fuse(dense, lexical, weight=weight, depth=100)
    assert found.scores == pytest.approx([expected[key] for key in found.ids.tolist()], abs=1e-5)


@given(legs)
def test_one_leg_alone_keeps_its_order(leg: Candidates) -> None:
    assert fuse(leg, EMPTY).ids.tolist() == leg.ids.tolist()
    assert fuse(EMPTY, leg).ids.tolist() == leg.ids.tolist()


@given(legs, legs, st.integers(0, 30))
def test_a_longer_list_changes_nothing_within_the_depth(dense: Candidates, lexical: Candidates, more: int) -> None:
    depth = 10
    short = fuse(cut(dense, depth), cut(lexical, depth), weight=0.5, depth=depth)
    deep = fuse(cut(dense, depth + more), cut(lexical, depth + more), weight=0.5, depth=depth)
    again = dict(zip(deep.ids.tolist(), deep.scores.tolist(), strict=True))
    assert [again[key] for key in short.ids.tolist()] == pytest.approx(short.scores.tolist(), abs=1e-6)
    best = [key for key in short.ids.tolist() if again[key] > 0]
    assert deep.ids.tolist()[: len(best)] == best


def cut(leg: Candidates, depth: int) -> Candidates:
    return Candidates(leg.ids[:depth], leg.scores[:depth])


def test_equal_scores_are_ordered_by_id() -> None:
    assert fuse(ranked({9: 1.0, 4: 1.0, 6: 1.0}), EMPTY).ids.tolist() == [4, 6, 9]


def test_a_lone_accidental_word_does_not_beat_both_legs_agreeing() -> None:
    dense = ranked({1: 0.9, 2: 0.85, 3: 0.5})
    lexical = ranked({1: 10.0, 3: 1.0})
    assert fuse(dense, lexical).ids.tolist() == [1, 2, 3]
