"""The spread of a proxy over its seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from catalog.analysis.correlation import kendall_tau
from catalog.analysis.seeds import seed_spread


def test_the_spread_by_hand() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=50)
    seeds = truth[:, None] + generator.normal(size=(50, 3))
    seeds[:5, 2] = math.nan
    row = seed_spread({"proxy": seeds}, truth).row(0, named=True)
    taus = [kendall_tau(seeds[:, 0], truth), kendall_tau(seeds[:, 1], truth), kendall_tau(seeds[5:, 2], truth[5:])]
    assert row["seeds"] == 3
    assert row["kendall_tau_mean"] == pytest.approx(np.mean(taus))
    assert row["kendall_tau_deviation"] == pytest.approx(np.std(taus, ddof=1))
    assert (row["kendall_tau_least"], row["kendall_tau_most"]) == pytest.approx((min(taus), max(taus)))
    pairs = [
        kendall_tau(seeds[start:, one], seeds[start:, two]) for one, two, start in ((0, 1, 0), (0, 2, 5), (1, 2, 5))
    ]
    assert row["between_seeds"] == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_and_seeds_give_defined_results(rows: int) -> None:
    truth = np.arange(float(rows))
    frame = seed_spread({"one": truth[:, None], "none": np.zeros((rows, 0))}, truth)
    assert frame["seeds"].to_list() == [1, 0]
    assert frame["kendall_tau_mean"].to_list() == [1 if rows == 2 else None, None]
    assert frame["kendall_tau_deviation"].to_list() == frame["between_seeds"].to_list() == [None, None]
