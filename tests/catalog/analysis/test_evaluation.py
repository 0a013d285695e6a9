"""The table of a pool: its numbers are those of the parts, and noise never shines in it."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from catalog.analysis.correlation import correlate
from catalog.analysis.evaluation import evaluate, mean_ranks
from catalog.analysis.ranking import quality


def test_a_row_holds_what_the_parts_say() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=400)
    truth[:20] = math.nan
    scores = {name: truth + size * generator.normal(size=400) for name, size in (("params", 1.0), ("snip", 2.0))}
    scores["snip"][50:60] = math.nan
    scores["snip"][60:70] = -math.inf
    table = evaluate(scores, truth, seconds={"snip": 0.5})
    expected = correlate(scores, truth)
    for column in ("proxy", "n", "missing", "coverage", "kendall_tau", "spearman_rho", "top_n", "top_kendall_tau"):
        assert table[column].to_list() == pytest.approx(expected[column].to_list())
    parts = quality(scores, truth)
    assert table.select(parts.columns).equals(parts)
    assert table["seconds"].to_list() == [None, 0.5]
    row = table.row(1, named=True)
    for name in ("kendall_tau", "spearman_rho", "top_kendall_tau"):
        assert row[f"{name}_low"] < row[name] < row[f"{name}_high"]
    assert (row["verdict_params"], row["p_params"] < 0.05, row["p_random"] < 0.05) == ("worse", True, True)
    assert row["difference_params_low"] < row["difference_params"] < row["difference_params_high"] < 0
    assert row["verdict_flops"] is None  # no proxy of that name, and no values given for it


def test_references_may_be_no_proxies() -> None:
    truth = np.arange(50.0)
    generator = np.random.default_rng(0)
    given = {"flops": truth + 60 * generator.normal(size=50)}
    scores = {"good": truth + generator.normal(size=50)}
    table = evaluate(scores, truth, references=["flops"], reference_values=given)
    assert table["verdict_flops"].to_list() == ["better"]
    assert "verdict_params" not in table.columns


def test_two_noise_proxies_are_never_significant() -> None:
    """Twenty pairs: no correction for twenty families, so one false alarm would be no surprise, and two are allowed."""
    alarms = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        truth = generator.normal(size=500)
        scores = {"params": truth + generator.normal(size=500)}
        scores |= {f"noise {place}": generator.normal(size=500) for place in (1, 2)}
        noise = evaluate(scores, truth)[1:]
        assert noise["verdict_params"].to_list() == ["worse", "worse"]
        assert noise["kendall_tau"].abs().max() < 0.12
        alarms += noise["p_random"].min() < 0.05
    assert alarms <= 2


def test_the_interval_inside_the_top_is_as_wide_as_other_samples_spread() -> None:
    """It takes the top as given; that the top itself is drawn adds little."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(60):
        truth = generator.normal(size=2000)
        row = evaluate({"proxy": truth + generator.normal(size=2000)}, truth, references=[]).row(0, named=True)
        found.append((row["top_kendall_tau"], (row["top_kendall_tau_high"] - row["top_kendall_tau_low"]) / 3.92))
    taus, errors = np.transpose(found)
    assert errors.mean() == pytest.approx(taus.std(), rel=0.25)


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_few_rows_give_a_row_without_intervals(rows: int) -> None:
    truth = np.arange(float(rows))
    scores = {"same": truth, "constant": np.ones(rows), "missing": np.full(rows, math.nan)}
    table = evaluate(scores, truth)
    assert table["n"].to_list() == [rows, rows, 0]
    assert table["kendall_tau"].to_list() == [1.0 if rows > 1 else None, None, None]
    assert table["kendall_tau_low"].to_list() == [None] * 3
    assert table["p_random"].to_list() == [None] * 3


def test_mean_ranks_by_hand() -> None:
    """The third proxy lacks a task, so the others' ranks do not count it."""
    table = pl.DataFrame(
        {
            "task": ["x", "x", "x", "y", "y", "y"],
            "proxy": ["a", "b", "c", "a", "b", "c"],
            "kendall_tau": [0.5, 0.4, 0.9, 0.6, 0.6, None],
        }
    )
    expected = [("a", 2, 1.25, 0.55, 0.5), ("b", 2, 1.75, 0.5, 0.4), ("c", 1, None, 0.9, 0.9)]
    rows = mean_ranks(table).rows()
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    assert [list(row[2:]) for row in rows[:2]] == [pytest.approx(row[2:]) for row in expected[:2]]
    assert rows[2] == expected[2]
