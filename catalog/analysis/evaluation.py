"""The table of one pool: everything that is asked of each proxy, in one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.correlation import TOP_SHARE, Ranking, top_rows
from catalog.analysis.intervals import intervals, intervals_of
from catalog.analysis.jackknife import Comparisons, Groups
from catalog.analysis.ranking import quality
from catalog.analysis.significance import compare, holm, p_value

Values = NDArray[np.float64]

REFERENCES = ("params", "flops")
"""What every proxy has to beat."""


def evaluate(
    scores: Mapping[str, ArrayLike],
    truth: ArrayLike,
    *,
    references: Sequence[str] = REFERENCES,
    reference_values: Mapping[str, ArrayLike] | None = None,
    seconds: Mapping[str, float] | None = None,
    groups: Groups | None = None,
) -> pl.DataFrame:
    """Everything that is asked of each proxy. All values are turned so that higher is better, NaN where there is none.

    Parameters
    ----------
    scores
        Proxy name to its scores, minus infinity for what ranks last.
    truth
        What they are to rank.
    references
        The proxies that each one is compared with.
    reference_values
        Scores of references that are not among `scores`.
    seconds
        Proxy name to its cost an architecture, where it is known.
    groups
        (n,) equal numbers for rows that are one draw, such as architectures that compute the same function.

    Returns
    -------
    polars.DataFrame
        One row a proxy, in the order of `scores`; NULL where a number is not defined:

        * ``proxy``, ``n`` (rows with score and truth), ``missing`` (with truth only), ``coverage``;
        * ``kendall_tau`` (tau-b), ``spearman_rho`` and, among the ``top_n`` true best 10 %, ``top_kendall_tau``, each
          with the ends ``_low`` and ``_high`` of its 95 % interval; the last takes the best 10 % as given;
        * precision, NDCG, best and regret as in `catalog.analysis.ranking.quality`;
        * ``p_random``: two-sided p-value for tau 0, after Holm's correction over the proxies;
        * for each reference r ``difference_{r}`` of the taus with its interval, ``p_{r}`` after Holm's correction, and
          ``verdict_{r}``, as in `catalog.analysis.significance.paired_differences`;
        * ``seconds`` an architecture.
    """
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in scores.items()}
    others = {name: np.asarray(values, dtype=np.float64) for name, values in (reference_values or {}).items()}
    target = np.asarray(truth, dtype=np.float64)
    comparisons = Comparisons({**others, **columns}, target, groups)
    rows = [{"proxy": name, **_coefficients(comparisons, name)} for name in columns]
    corrected = holm([row.pop("p_random") for row in rows])
    table = pl.DataFrame(rows, schema=_SCHEMA)
    table = table.join(quality(columns, target).drop("n"), on="proxy", how="left", maintain_order="left")
    table = table.with_columns(p_random=pl.Series(corrected, dtype=pl.Float64).fill_nan(None))
    present = [reference for reference in references if reference in comparisons.columns]
    differences = compare(comparisons, list(columns), present)
    for reference in references:
        table = table.hstack(_against(differences, reference, list(columns)))
    costs = [(seconds or {}).get(name) for name in columns]
    return table.with_columns(seconds=pl.Series(costs, dtype=pl.Float64))


def mean_ranks(table: pl.DataFrame) -> pl.DataFrame:
    """How proxies rank over several tasks.

    Parameters
    ----------
    table
        One row a task and proxy: ``task``, ``proxy``, ``kendall_tau``.

    Returns
    -------
    polars.DataFrame
        One row a proxy, best first: ``proxy``, ``tasks`` (in which its tau is defined), ``mean_rank``, ``mean_tau``,
        ``worst_tau``. Ranks count from 1, the highest tau first, ties sharing their mean; they are given to the proxies
        that have a tau in every task, and among these only, or a proxy would gain by leaving out a task that is hard.
    """
    known = table.select("task", "proxy", "kendall_tau").drop_nulls()
    tasks = pl.col("task").n_unique()
    everywhere = (
        known.group_by("proxy")
        .agg(tasks.cast(pl.Int64).alias("tasks"))
        .filter(pl.col("tasks") == known["task"].n_unique())
    )
    ranked = known.join(everywhere, on="proxy", how="semi").with_columns(
        rank=pl.col("kendall_tau").rank("average", descending=True).over("task")
    )
    result = known.group_by("proxy").agg(
        tasks.cast(pl.Int64).alias("tasks"),
        mean_tau=pl.col("kendall_tau").mean(),
        worst_tau=pl.col("kendall_tau").min(),
    )
    result = result.join(ranked.group_by("proxy").agg(mean_rank=pl.col("rank").mean()), on="proxy", how="left")
    result = result.sort(["mean_rank", "proxy"], nulls_last=True)
    return result.select("proxy", "tasks", "mean_rank", "mean_tau", "worst_tau")


def _coefficients(comparisons: Comparisons, name: str) -> dict[str, Any]:
    known = comparisons.rows(name)
    with_truth = int(comparisons.rows().sum())
    score, truth = comparisons.columns[name][known], comparisons.truth[known]
    count = len(truth)
    found = comparisons.both(name, known)
    tau, rho = intervals_of(found, Ranking(score), Ranking(truth))
    top = top_rows(truth, TOP_SHARE)
    groups = found[0].groups
    top_tau, _ = intervals(Ranking(score[top]), Ranking(truth[top]), None if groups is None else groups[top])
    return {
        "n": count,
        "missing": with_truth - count,
        "coverage": count / with_truth if with_truth else None,
        **tau.named("kendall_tau"),
        **rho.named("spearman_rho"),
        "top_n": int(top.sum()),
        **top_tau.named("top_kendall_tau"),
        "p_random": p_value(tau.value, found[0].error, found[0].draws),
    }


def _against(differences: pl.DataFrame, reference: str, proxies: Sequence[str]) -> pl.DataFrame:
    """The columns that compare each proxy with one reference; NULL if it was not compared."""
    rows = pl.DataFrame({"proxy": proxies}, schema={"proxy": pl.String})
    found = rows.join(
        differences.filter(pl.col("reference") == reference), on="proxy", how="left", maintain_order="left"
    )
    return found.select(
        pl.col("difference").alias(f"difference_{reference}"),
        pl.col("difference_low").alias(f"difference_{reference}_low"),
        pl.col("difference_high").alias(f"difference_{reference}_high"),
        pl.col("p_holm").alias(f"p_{reference}"),
        pl.col("verdict").alias(f"verdict_{reference}"),
    )


_SCHEMA = {
    "proxy": pl.String,
    "n": pl.Int64,
    "missing": pl.Int64,
    "coverage": pl.Float64,
    **{f"kendall_tau{end}": pl.Float64 for end in ("", "_low", "_high")},
    **{f"spearman_rho{end}": pl.Float64 for end in ("", "_low", "_high")},
    "top_n": pl.Int64,
    **{f"top_kendall_tau{end}": pl.Float64 for end in ("", "_low", "_high")},
}
