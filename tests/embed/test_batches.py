"""Which texts run together: each once, within the budget, with little padding."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ammon.embed.batches import BUDGET, batches, padded, rounded

LENGTHS = st.lists(st.integers(1, 512), max_size=300)


@given(lengths=LENGTHS)
def test_every_text_is_in_one_batch(lengths: list[int]) -> None:
    assert sorted(member for batch in batches(lengths) for member in batch) == list(range(len(lengths)))


@given(lengths=LENGTHS, budget=st.integers(1, 5000))
def test_a_batch_keeps_to_the_budget_or_is_one_text(lengths: list[int], budget: int) -> None:
    for batch in batches(lengths, budget=budget):
        assert len(batch) == 1 or len(batch) * rounded(max(lengths[member] for member in batch)) <= budget


@given(lengths=LENGTHS)
def test_a_text_is_padded_as_if_it_were_alone(lengths: list[int]) -> None:
    for batch in batches(lengths):
        assert len({rounded(lengths[member]) for member in batch}) == 1


def test_a_tenth_of_what_is_run_is_padding_at_most() -> None:
    lengths = np.random.default_rng(1).gamma(2, 60, 5000).clip(3, 512).astype(int).tolist()
    run = sum(len(batch) * rounded(lengths[batch[0]]) for batch in batches(lengths, budget=BUDGET))
    assert sum(lengths) / run >= 0.9


@given(length=st.integers(1, 5000))
def test_lengths_are_rounded_up_to_few(length: int) -> None:
    assert length <= rounded(length) < length + 16
    assert len({rounded(each) for each in range(1, 513)}) <= 40


def test_padding_is_masked() -> None:
    ids, mask = padded([[5, 6, 7], [8]], pad=1)
    assert ids.tolist() == [[5, 6, 7, 1, 1, 1, 1, 1], [8, 1, 1, 1, 1, 1, 1, 1]]
    assert mask.sum(1).tolist() == [3, 1]
