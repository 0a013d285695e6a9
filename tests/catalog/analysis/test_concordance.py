"""Concordant pairs row by row, against counting all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalog.analysis.concordance import concordance, untied
from catalog.analysis.correlation import Ranking


def counted(first: NDArray[np.float64], second: NDArray[np.float64]) -> list[int]:
    signs = np.sign(first[:, None] - first) * np.sign(second[:, None] - second)
    return [int(count) for count in signs.sum(axis=1)]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=80))
def test_every_row_counts_its_own_pairs(pairs: list[tuple[int, int]]) -> None:
    first, second = (np.array([pair[side] for pair in pairs], dtype=np.float64) for side in (0, 1))
    assert concordance(Ranking(first), Ranking(second)).tolist() == counted(first, second)
    assert untied(Ranking(first)).tolist() == [int((first != value).sum()) for value in first]


@pytest.mark.parametrize("count", [63, 64, 65, 127, 129, 1000])
@pytest.mark.parametrize("distinct", [3, 50, 10**9])
def test_around_the_block_sizes(count: int, distinct: int) -> None:
    generator = np.random.default_rng(count)
    first = generator.integers(distinct, size=count).astype(np.float64)
    second = first // 2 + generator.integers(distinct, size=count)
    assert concordance(Ranking(first), Ranking(second)).tolist() == counted(first, second)
