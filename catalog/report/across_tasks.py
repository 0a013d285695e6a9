"""Proxies across spaces and targets: one matrix of tau with intervals, and the mean rank over tasks.

Within a space all tasks are compared on one pool, so that neither the proxy nor the task is compared on other
architectures than its neighbours; what has no part in that pool stands below.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from catalog.analysis.common_rows import FEW
from catalog.analysis.evaluation import mean_ranks
from catalog.development import explanation
from catalog.report.figure import listed
from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.table import APART, Column, Table

_TAU = ("kendall_tau", "kendall_tau_low", "kendall_tau_high")


def task_table(pools: Sequence[PoolAnalysis]) -> Table:
    """One row a proxy, one column a task (a space and a target), best mean rank first.

    Only proxies that every task has, and that are compared with the others there, are given a mean rank. A task with
    too few architectures for that has its column, and no part in ranks and means.
    """
    large = [found for found in pools if not found.is_small]
    long = pl.concat([_of_task(found) for found in large or pools])
    aside = long.filter(pl.col("remark").is_not_null()).group_by("proxy", maintain_order=True).agg(_remarks())
    compared, others = (long.join(aside, on="proxy", how=how) for how in ("anti", "semi"))
    below = mean_ranks(others.select("task", "proxy", "kendall_tau")).with_columns(mean_rank=pl.lit(None, pl.Float64))
    frame = pl.concat([mean_ranks(compared.select("task", "proxy", "kendall_tau")), below])
    frame = frame.join(aside, on="proxy", how="left", maintain_order="left")
    columns = [
        Column("proxy", is_number=False),
        Column("mean_rank", "mean rank", 2, "Over the tasks, 1 is best; only for proxies that every task compares"),
        Column("mean_tau", "mean tau-b", 3),
        Column("worst_tau", "worst tau-b", 3),
        Column("tasks", "tasks"),
    ]
    counts = []
    for found in pools:
        named = {name: f"{found.pool.space}.{found.pool.target}.{name}" for name in (*_TAU, "n", "coverage")}
        frame = frame.join(found.table.select("proxy", *named).rename(named), on="proxy", how="left")
        value, low, high, n, coverage = named.values()
        columns.append(Column(value, found.label, 3, "Kendall's tau-b", low, high))
        share = f"Share of those with the target that have a score: {found.label}"
        counts.append(Column(n, f"n, {found.label}", help=f"Architectures that tau-b is taken over: {found.label}"))
        counts.append(Column(coverage, f"coverage, {found.label}", 1, share, is_share=True))
    columns += [Column("remark", is_number=False), *counts]
    order = [pl.col("remark").is_not_null(), pl.col("mean_rank"), pl.col("mean_tau")]
    frame = frame.sort(order, descending=[False, False, True], nulls_last=True, maintain_order=True)
    title = f"Proxies over {len(pools)} tasks"
    marks = {row: APART for row, remark in enumerate(frame["remark"]) if remark is not None}
    behind = [name for name in frame.columns if name == "remark" or name.endswith((".n", ".coverage"))]
    frame = frame.select(pl.exclude(behind), *behind)
    meanings = dict.fromkeys(explanation(found.pool.space, found.developed) for found in pools if found.developed)
    note = " ".join(["Kendall's tau-b with 95 % intervals.", *meanings])
    return Table("tasks", title, frame, tuple(columns), note=note, marks=marks)


def shared_pools(pools: Sequence[PoolAnalysis]) -> list[str]:
    """Which tasks are compared on which architectures, a sentence each."""
    common = {
        (found.pool.space, *shared.targets): shared for found in pools if (shared := found.pool.common) is not None
    }
    return [
        f"{listed([f'{space} · {target}' for target in targets])}: over {len(shared):,} architectures, those that "
        f"{len(shared.members)} {'proxies' if len(shared.members) > 1 else 'proxy'} cover."
        for (space, *targets), shared in common.items()
    ]


def targets_told(pools: Sequence[PoolAnalysis]) -> list[str]:
    """What has to be known of the tasks beside one another, a sentence each."""
    kinds = {
        "Less is better of {}; tau-b is turned, so that a positive one means the same everywhere.": [
            found.label for found in pools if found.pool.target_direction < 0
        ],
        "Measured with a supernet's weights, and not trained: {}.": [
            found.label for found in pools if found.is_of_supernet
        ],
        f"Fewer than {FEW} architectures, so that it has no part in ranks and means: {{}}.": [
            found.label for found in pools if found.is_small and not all(one.is_small for one in pools)
        ],
    }
    return [sentence.format(listed(labels)) for sentence, labels in kinds.items() if labels]


def _of_task(found: PoolAnalysis) -> pl.DataFrame:
    return found.table.select(pl.lit(found.label).alias("task"), "proxy", "kendall_tau", "remark")


def _remarks() -> pl.Expr:
    """Why a proxy is not compared, once for each reason."""
    return pl.col("remark").unique(maintain_order=True).str.join("; ")
