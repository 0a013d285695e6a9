"""Proxies across spaces and targets: one matrix of tau with intervals, and the mean rank over tasks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from catalog.analysis.evaluation import mean_ranks
from catalog.development import explanation
from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.table import Column, Table

_TAU = ("kendall_tau", "kendall_tau_low", "kendall_tau_high")


def task_table(pools: Sequence[PoolAnalysis]) -> Table:
    """One row a proxy, one column a task (a space and a target), best mean rank first.

    Only proxies that every task has are given a mean rank.
    """
    long = pl.concat([found.table.select(pl.lit(found.label).alias("task"), "proxy", *_TAU) for found in pools])
    frame = mean_ranks(long.select("task", "proxy", "kendall_tau"))
    columns = [
        Column("proxy", is_number=False),
        Column("mean_rank", "mean rank", 2, "Over the tasks, 1 is best; only for proxies that every task has"),
        Column("mean_tau", "mean tau-b", 3),
        Column("worst_tau", "worst tau-b", 3),
        Column("tasks", "tasks"),
    ]
    for found in pools:
        named = {name: f"{found.pool.space}.{found.pool.target}.{name}" for name in _TAU}
        frame = frame.join(found.table.select("proxy", *_TAU).rename(named), on="proxy", how="left")
        value, low, high = named.values()
        columns.append(Column(value, found.label, 3, "Kendall's tau-b", low, high))
    frame = frame.sort(["mean_rank", "mean_tau"], descending=[False, True], nulls_last=True, maintain_order=True)
    title = f"Proxies over {len(pools)} tasks"
    meanings = dict.fromkeys(explanation(found.pool.space, found.developed) for found in pools if found.developed)
    note = " ".join(["Kendall's tau-b with 95 % intervals.", *meanings])
    return Table("tasks", title, frame, tuple(columns), note=note)
