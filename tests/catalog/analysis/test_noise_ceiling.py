"""The agreement of the truth with itself, and the reference lines."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.stats

from catalog.analysis.noise_ceiling import noise_ceiling, reference_lines


def test_pairs_of_repeats_and_each_against_the_others() -> None:
    generator = np.random.default_rng(0)
    repeats = generator.normal(size=(80, 1)) + 0.5 * generator.normal(size=(80, 3))
    repeats[:30, 2] = math.nan
    frame = noise_ceiling(repeats)
    assert frame.select("first", "second", "n").rows() == [
        (1, 2, 80), (1, 3, 50), (2, 3, 50), (1, 0, 80), (2, 0, 80), (3, 0, 50),
    ]  # fmt: skip
    expected = scipy.stats.kendalltau(repeats[:, 0], repeats[:, 1]).statistic
    assert frame["kendall_tau"][0] == pytest.approx(expected)
    expected = scipy.stats.spearmanr(repeats[:, 0], np.nanmean(repeats[:, 1:], axis=1)).statistic
    assert frame["spearman_rho"][3] == pytest.approx(expected)


@pytest.mark.parametrize("repeats", [np.zeros((0, 0)), np.zeros((5, 0)), np.zeros((5, 1)), []])
def test_fewer_than_two_repeats_have_no_ceiling(repeats: np.ndarray) -> None:
    assert noise_ceiling(repeats).is_empty()
    assert reference_lines(np.arange(5.0), {}, repeats)["name"].to_list() == ["random"]


def test_the_ceiling_is_the_mean_over_pairs() -> None:
    generator = np.random.default_rng(0)
    repeats = generator.normal(size=(200, 1)) + 0.5 * generator.normal(size=(200, 3))
    pairs = noise_ceiling(repeats)[:3]
    lines = reference_lines(repeats.mean(axis=1), {"params": repeats[:, 0]}, repeats)
    assert lines["name"].to_list() == ["random", "params", "noise ceiling"]
    assert lines["kendall_tau"][0] == 0
    assert lines["kendall_tau"][2] == pytest.approx(pairs["kendall_tau"].mean())
    assert lines["kendall_tau_low"][2] == pytest.approx(pairs["kendall_tau_low"].min())


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_give_defined_results(rows: int) -> None:
    frame = noise_ceiling(np.zeros((rows, 2)))
    assert frame["n"].to_list() == [rows] * 3
    assert frame["kendall_tau"].to_list() == [None] * 3


def test_the_ceiling_of_nas_bench_201(data_dir: Path) -> None:
    """CIFAR-10 has up to three seeds; 12 epochs rank far below what another seed does, most of all in the top."""
    final = pl.read_csv(data_dir / "nb201" / "nb201_v1.1_200ep.csv.gz")
    short = pl.read_csv(data_dir / "nb201" / "nb201_12ep.csv.gz")
    seeds = final["cifar10_test_acc_seeds"].str.split(";").list.to_struct(fields=["1", "2", "3"]).struct.unnest()
    lines = reference_lines(
        final["cifar10_test_acc"], {"12 epochs": short["cifar10_valid_acc"]}, seeds.cast(pl.Float64).to_numpy()
    )
    tau = dict(lines.select("name", "kendall_tau").rows())
    assert tau["12 epochs"] == pytest.approx(0.594, abs=5e-4)
    assert tau["noise ceiling"] == pytest.approx(0.908, abs=5e-4)
