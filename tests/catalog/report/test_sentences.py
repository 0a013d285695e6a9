"""The summary says what the numbers support, and no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.report import Report, build_report
from catalog.report.sentences import summary
from catalog.storage.store import Store


@pytest.fixture
def found(built: Report) -> PoolAnalysis:
    """1,700 cells whose accuracy follows `good`; `noise` says nothing."""
    return built.pools[0]


def said(found: PoolAnalysis, word: str) -> str:
    """The one sentence that holds a word."""
    (sentence,) = [sentence for sentence in summary(found) if word in sentence]
    return sentence


def test_the_best_proxy_comes_first_with_its_interval(found: PoolAnalysis) -> None:
    row = found.table.row(0, named=True)
    assert row["proxy"] == "good_published"
    interval = f"{row['kendall_tau']:.3f} [{row['kendall_tau_low']:.3f}, {row['kendall_tau_high']:.3f}]"
    assert summary(found)[0] == (
        f"good_published has the highest tau-b, {interval}, over 1,700 architectures (100 % of those with a target)."
    )


def test_noise_is_neither_better_nor_adding(found: PoolAnalysis) -> None:
    verdicts = dict(found.table.select("proxy", "verdict_params").iter_rows())
    assert verdicts["noise_published"] != "better"
    assert "noise" not in said(found, "Given all the others")
    assert "good_published" in said(found, "Given all the others")
    assert "good_published" in said(found, "counting parameters")
    assert "noise" not in said(found, "counting parameters")


def test_noise_holds_no_information_and_adds_nothing(found: PoolAnalysis) -> None:
    noise = found.information.row(by_predicate=pl.col("proxy") == "noise_published", named=True)
    assert abs(noise["information"]) < 0.02
    assert noise["p_holm"] > 0.05
    gain = found.gain.row(by_predicate=pl.col("proxy") == "noise_published", named=True)
    assert gain["gain_low"] <= 0 or gain["p_holm"] > 0.05
    assert found.curve.filter(pl.col("proxy") == "good_published")["step"].to_list() == [1]


def test_published_counts_stand_in_where_ours_are_not_known(found: PoolAnalysis) -> None:
    assert found.lines == {"params": "params_published"}
    assert found.references["name"].to_list() == ["random", "params", "noise ceiling"]


def test_a_regret_names_the_architectures_that_it_is_held_against(found: PoolAnalysis) -> None:
    assert said(found, "likes best").endswith("the best of the pool.")
    partial = found.table.with_columns(n=pl.lit(1_600), missing=pl.lit(100))
    assert said(replace(found, table=partial), "likes best").endswith("the best of the 1,600 that are compared.")
    alone = partial.with_columns(pool=pl.lit("own"))
    assert said(replace(found, table=alone), "likes best").endswith("the best of the 1,600 that it scores.")


def test_a_tie_is_called_a_tie(found: PoolAnalysis) -> None:
    tied = found.against_best.with_columns(
        verdict=pl.when(pl.col("proxy") == "noise_published").then(pl.lit("tied")).otherwise(pl.col("verdict"))
    )
    assert said(replace(found, against_best=tied), "told apart") == (
        "On the architectures that both cover, good_published cannot be told apart from noise_published."
    )
    assert not [sentence for sentence in summary(found) if "told apart" in sentence]


def test_proxies_that_cannot_be_compared_are_not_counted_as_worse(found: PoolAnalysis) -> None:
    assert "each of the other" in said(found, "each of the other")
    unknown = found.against_best.with_columns(
        verdict=pl.when(pl.col("proxy") == "noise_published").then(None).otherwise(pl.lit("worse"))
    )
    count = len(found.proxies) - 2
    assert f"the other {count} proxies that can be compared with it." in said(
        replace(found, against_best=unknown), "each of the other"
    )


def test_a_proxy_that_wins_on_common_rows_is_named(found: PoolAnalysis) -> None:
    better = found.against_best.with_columns(
        verdict=pl.when(pl.col("proxy") == "noise_published").then(pl.lit("better")).otherwise(pl.col("verdict"))
    )
    assert "noise_published ranks better than good_published" in said(
        replace(found, against_best=better), "coverage differs"
    )


def test_the_noise_ceiling_comes_from_the_seeds(found: PoolAnalysis) -> None:
    assert found.repeats == 3
    row = found.references.row(by_predicate=pl.col("name") == "noise ceiling", named=True)
    below = row["kendall_tau"] - found.table["kendall_tau"][0]
    assert said(found, "noise ceiling").endswith(f"good_published is {below:.3f} below it.")
    wide = found.references.with_columns(kendall_tau_low=pl.lit(0.1))
    assert "cannot tell whether good_published is below it" in said(replace(found, references=wide), "noise ceiling")
    low = found.references.with_columns(kendall_tau_low=pl.lit(0.0), kendall_tau_high=pl.lit(0.1))
    assert "good_published is above it" in said(replace(found, references=low), "noise ceiling")
    without = replace(found, references=found.references.filter(pl.col("name") != "noise ceiling"))
    assert "no repeated trainings" in said(without, "noise ceiling")


def test_a_gain_that_is_not_sure_is_not_claimed(found: PoolAnalysis) -> None:
    unsure = found.gain.with_columns(p_holm=pl.lit(0.2))
    assert said(replace(found, gain=unsure), "Given all the others").startswith("Given all the others, none of ")


def test_a_pair_within_its_interval_is_not_above(found: PoolAnalysis) -> None:
    pair = found.pairs.head(1).with_columns(gain=0.05, gain_low=0.01, gain_high=0.09, p_corrected=0.06)
    assert "which is not surely more than" in said(replace(found, pairs=pair), "best pair")
    sure = pair.with_columns(p_corrected=0.04)
    assert "0.050 [0.010, 0.090] above" in said(replace(found, pairs=sure), "best pair")
    alone = sure["best_single_kendall_tau"][0]
    assert said(replace(found, pairs=sure), "best pair").endswith(f"alone ({alone:.3f} on the same 1,700).")


def test_a_space_without_parameter_counts_says_so(found: PoolAnalysis) -> None:
    without = replace(found, references=found.references.filter(pl.col("name") != "params"))
    assert "so no proxy is held against them" in said(without, "parameter counts")


def test_of_a_cost_a_proxy_is_held_against_few_parameters(hostile_database: Path) -> None:
    with Store.open(hostile_database) as catalog:
        report = build_report(catalog, ["many"], ["cifar10_latency_edgegpu"], ["good_published", "noise_published"])
    (found,) = report.pools
    assert found.pool.target_direction == -1
    sentence = said(found, "parameters")
    assert "none of 2 proxies surely ranks better" in sentence
    params = found.references.row(by_predicate=pl.col("name") == "params", named=True)
    assert f"tau-b {-params['kendall_tau']:.3f} [" in sentence
    assert params["kendall_tau"] < -0.3


def test_left_out_architectures_are_counted(found: PoolAnalysis) -> None:
    guarded = replace(found, pool=replace(found.pool, left_out={"good_published": 1234, "noise_published": 0}))
    assert said(guarded, "trained on").endswith(
        "are left out: 1,234 from all that are compared, because of good_published."
    )
    assert not [sentence for sentence in summary(found) if "trained on" in sentence]


def test_a_pool_without_scores_says_so(found: PoolAnalysis) -> None:
    empty = replace(found, table=found.table.with_columns(kendall_tau=pl.lit(None, dtype=pl.Float64)))
    assert summary(empty) == ["No proxy has scores that can be compared with the target for these architectures."]


@pytest.mark.parametrize("count", [1, 2, 3, 12])
def test_a_tiny_pool_is_reported_without_claims(hostile_database: Path, count: int) -> None:
    with Store.open(hostile_database) as catalog:
        first = catalog.query("SELECT min(architecture_id) AS id FROM few")["id"][0]
        where = f"architecture_id < {first + count}"
        report = build_report(catalog, ["few"], ["cifar10_test_accuracy"], ["good_published", "noise_published"], where)
    assert "few" in report.page(plotly="none")
    sentences = summary(report.pools[0])
    if count < 12:
        assert not [sentence for sentence in sentences if "better than each" in sentence or "above " in sentence]
    if count == 2:
        assert "(too few for an interval)" in sentences[0]
