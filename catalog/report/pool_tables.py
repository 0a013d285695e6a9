"""The tables of one pool, from what was found about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from catalog.development import explanation
from catalog.report.pool_analysis import TRUTH, PoolAnalysis
from catalog.report.proxy_facts import PROXY_COLUMNS
from catalog.report.table import APART, REFERENCE, Column, Table, slug


def correlation_table(found: PoolAnalysis) -> Table:
    """One row a proxy with every measure of how well it ranks, and one row a reference line."""
    pool = found.pool
    counts = {name: [counted[proxy] for proxy in found.proxies] for name, counted in _guards(found).items()}
    table = found.table.with_columns(**{name: pl.Series(values, dtype=pl.Int64) for name, values in counts.items()})
    lines = found.references.rename({"name": "proxy"}).with_columns(pl.format("{} (reference)", "proxy").alias("proxy"))
    frame = pl.concat([table, lines], how="diagonal_relaxed")
    return Table(
        slug("correlation", pool.space, pool.target),
        f"How well proxies rank {pool.target} of {pool.space}",
        frame,
        _correlation_columns(pool.target),
        note="Brackets hold 95 % intervals. Slanted rows are what the proxies are held against.",
        marks={row: APART for row, remark in enumerate(table["remark"]) if remark is not None}
        | dict.fromkeys(range(table.height, frame.height), REFERENCE),
    )


def _guards(found: PoolAnalysis) -> dict[str, dict[str, int]]:
    return {"left_out": found.pool.left_out, "disconnected": found.pool.disconnected}


def _correlation_columns(target: str) -> tuple[Column, ...]:
    against = "Difference of tau to params on the rows that both cover"
    return (
        Column("proxy", is_number=False),
        Column("kendall_tau", "tau-b", 3, "Kendall's tau-b over all rows", "kendall_tau_low", "kendall_tau_high"),
        Column("spearman_rho", "rho", 3, "Spearman's rho over all rows", "spearman_rho_low", "spearman_rho_high"),
        Column(
            *("top_kendall_tau", "tau-b in the top 10 %", 3, "Kendall's tau-b inside the true top 10 %: never compare"),
            *("top_kendall_tau_low", "top_kendall_tau_high"),
        ),
        Column("n", "n", help="Architectures that the row is taken over"),
        Column("coverage", "coverage", 1, "Share of the architectures with a target that have a score", is_share=True),
        *(
            Column(f"precision_{k}", f"precision {k} %", 1, f"Share of the true top {k} % in its own", is_share=True)
            for k in (1, 5, 10)
        ),
        Column("ndcg", "NDCG", 3, "Normalised discounted cumulative gain"),
        *(
            Column(
                f"regret_{k}",
                f"regret at {k}",
                2,
                f"What the best of its top {k} lacks of the best {target} among its n",
            )
            for k in (1, 10, 100)
        ),
        Column("difference_params", "against params", 3, against, "difference_params_low", "difference_params_high"),
        Column("p_params", "p (Holm)", 3, "Of that difference, corrected for all proxies", shows_small=True),
        Column("verdict_params", "verdict", help="Whether it ranks better or worse than params", is_number=False),
        Column(
            *("difference_flops", "against FLOPs", 3, "Difference of tau to FLOPs on the rows that both cover"),
            *("difference_flops_low", "difference_flops_high"),
        ),
        Column("p_flops", "p (Holm)", 3, "Of that difference, corrected for all proxies", shows_small=True),
        Column("verdict_flops", "verdict", help="Whether it ranks better or worse than FLOPs", is_number=False),
        Column("seconds", "s / architecture", 3, "Measured when the scores were made", shows_small=True),
        Column("left_out", "left out", help="Trained on, functional twins included: not judged"),
        Column("disconnected", "ranked last", help="Refused, because no path leads from input to output"),
        Column("remark", help="Why the row stands below the others", is_number=False),
    )


def partial_table(found: PoolAnalysis) -> Table:
    """Spearman's rho that remains when params or FLOPs are given."""
    wide: pl.DataFrame | None = None
    columns = [Column("proxy", is_number=False), Column("spearman_rho", "rho", 3)]
    for (control,), group in found.partial.group_by(["control"], maintain_order=True):
        named = {name: f"{name}_given_{control}" for name in ("partial_rho", "partial_rho_low", "partial_rho_high")}
        part = group.select("proxy", "spearman_rho", *named).rename(named)
        wide = part if wide is None else wide.join(part.drop("spearman_rho"), on="proxy", how="left")
        value, low, high = named.values()
        columns.append(Column(value, f"rho given {control}", 3, "", low, high))
    frame = wide if wide is not None else pl.DataFrame({"proxy": [], "spearman_rho": []})
    title = f"What remains of rho when size is given: {found.label}"
    return Table(slug("partial", found.pool.space, found.pool.target), title, frame, tuple(columns))


def information_table(found: PoolAnalysis) -> Table:
    """Mutual information of each proxy with the target, beside what shuffled targets give."""
    columns = (
        Column("proxy", is_number=False),
        Column("information", "bits", 3, "Mutual information with the target on rank bins, less its mean under chance"),
        Column("plug_in", "uncorrected", 3, "As estimated, before chance is taken off"),
        Column("null_mean", "chance", 3, "The same estimate for shuffled targets, on average"),
        Column("p_holm", "p (Holm)", 3, "Permutation test, corrected by Holm's method", shows_small=True),
        Column("bins", "bins", help="Rank bins of each side"),
        Column("n", "n"),
    )
    title = f"Information about the target: {found.label}"
    return Table(slug("information", found.pool.space, found.pool.target), title, found.information, columns)


def gain_table(found: PoolAnalysis) -> Table:
    """What each proxy adds to all the others together."""
    columns = (
        Column("proxy", is_number=False),
        Column("gain", "gain in tau-b", 4, "Out of fold: all proxies, less all but this one", "gain_low", "gain_high"),
        Column("p_holm", "p (Holm)", 3, "Corrected by Holm's method", shows_small=True),
        Column("all_kendall_tau", "all proxies", 3, "tau-b of the model with all proxies, out of fold"),
        Column("without_kendall_tau", "without it", 3, "tau-b of the model without this proxy, out of fold"),
        Column("n", "n", help="Architectures that all proxies of the model cover"),
    )
    title = f"What each proxy adds to the others: {found.label}"
    return Table(slug("gain", found.pool.space, found.pool.target), title, found.gain, columns)


def pairs_table(found: PoolAnalysis) -> Table:
    """The best pairs of proxies."""
    columns = (
        Column("first", is_number=False),
        Column("second", is_number=False),
        Column("kendall_tau", "tau-b together", 3, "Out of fold", "kendall_tau_low", "kendall_tau_high"),
        Column("best_single", "better of the two", is_number=False),
        Column("gain", "gain over it", 3, "In tau-b, on the same rows", "gain_low", "gain_high"),
        Column("p_corrected", "p (corrected)", 3, "Of that gain, for the number of all pairs", shows_small=True),
        Column("n", "n"),
    )
    title = f"The best pairs: {found.label}"
    return Table(slug("pairs", found.pool.space, found.pool.target), title, found.pairs, columns)


def bias_table(found: PoolAnalysis) -> Table:
    """Correlation of each proxy, and of the target, with simple counts of structure."""
    wide = found.bias.pivot(on="structure", index="proxy", values="spearman_rho", aggregate_function="first")
    truth = {
        str(structure): group["truth_rho"].drop_nulls().first()
        for (structure,), group in found.bias.group_by(["structure"], maintain_order=True)
    }
    first = pl.DataFrame({"proxy": [f"{TRUTH} (reference)"], **{name: [value] for name, value in truth.items()}})
    frame = pl.concat([first, wide], how="diagonal_relaxed")
    columns = (Column("proxy", is_number=False), *(Column(name, name, 2) for name in truth))
    return Table(
        slug("bias", found.pool.space, found.pool.target),
        f"What proxies lean towards: {found.label}",
        frame,
        columns,
        note="Spearman's rho with counts of structure; compare each with what the target itself leans towards.",
        marks={0: REFERENCE},
    )


def ceiling_table(found: PoolAnalysis) -> Table:
    """How well trainings of the same architectures with different seeds agree."""
    columns = (
        Column("first", "trainings", is_number=False),
        Column("second", "against", is_number=False),
        Column("kendall_tau", "tau-b", 3, "", "kendall_tau_low", "kendall_tau_high"),
        Column("spearman_rho", "rho", 3),
        Column("top_kendall_tau", "tau-b in the top 10 %", 3),
        Column("n", "n"),
    )
    others = pl.when(pl.col("second") == 0).then(pl.lit("mean of the others")).otherwise(_ordinal("second"))
    frame = found.ceiling.with_columns(first=_ordinal("first"), second=others)
    title = f"Agreement of seeds: {found.label}"
    return Table(slug("ceiling", found.pool.space, found.pool.target), title, frame, columns)


def seeds_table(found: PoolAnalysis) -> Table:
    """How much the rankings of seeded proxies depend on their seed."""
    columns = (
        Column("proxy", is_number=False),
        Column("seeds", "seeds"),
        Column("kendall_tau_mean", "tau-b of a seed", 3, "Kendall's tau-b of one seed's scores, on average"),
        Column("kendall_tau_deviation", "standard deviation", 3, "Of that tau-b over the seeds"),
        Column("kendall_tau_least", "least", 3),
        Column("kendall_tau_most", "most", 3),
        Column("between_seeds", "tau-b between seeds", 3, "1 if the seed does not matter"),
    )
    title = f"Seeds of the proxies: {found.label}"
    return Table(slug("seeds", found.pool.space, found.pool.target), title, found.seeds, columns)


def _ordinal(column: str) -> pl.Expr:
    return pl.format("seed {}", pl.col(column))


def sources_table(found: PoolAnalysis) -> Table:
    """Where the numbers came from."""
    columns = (
        Column("column", is_number=False),
        Column("source", is_number=False),
        Column("kind", is_number=False),
        Column("path", "file", is_number=False),
        Column("row_count", "rows of the file"),
        Column("used", "used here"),
        Column("version", is_number=False),
        Column("licence", is_number=False),
        Column("sha256", is_number=False),
    )
    title = f"Sources: {found.label}"
    return Table(slug("sources", found.pool.space, found.pool.target), title, found.sources, columns)


def proxies_table(found: PoolAnalysis) -> Table:
    """What the proxies are."""
    title = f"Proxies: {found.label}"
    return Table(slug("proxies", found.pool.space, found.pool.target), title, found.proxy_facts, PROXY_COLUMNS)


_TABLES: dict[str, Callable[[PoolAnalysis], Table]] = {
    "correlation": correlation_table,
    "partial": partial_table,
    "information": information_table,
    "gain": gain_table,
    "pairs": pairs_table,
    "bias": bias_table,
    "ceiling": ceiling_table,
    "seeds": seeds_table,
    "sources": sources_table,
    "proxies": proxies_table,
}
"""The tables of a pool by the names under which the page's template asks for them, in the order of the files."""


def named_tables(found: PoolAnalysis) -> dict[str, Table]:
    """What the page shows of a pool, by name."""
    return {name: _with_meaning(found, make(found)) for name, make in _TABLES.items()}


def _with_meaning(found: PoolAnalysis, table: Table) -> Table:
    """The table with development numbers called so in its note, if it has any."""
    cells = {cell for column in table.frame.select(pl.col(pl.String)) for cell in column if cell is not None}
    quoted = [name for name in found.developed if name in cells]
    if not quoted:
        return table
    return replace(table, note=f"{table.note} {explanation(found.pool.space, quoted)}".strip())


def pool_tables(found: PoolAnalysis) -> list[Table]:
    """All tables of the pool, as they are written to files."""
    frames = {"curve": found.curve, "any_time": found.any_time, "quantiles": found.quantiles}
    matrices = {"spearman": found.matrix, "overlap": found.overlap, "against_best": found.against_best}
    pool = found.pool
    return [
        *named_tables(found).values(),
        *(Table.of(slug(name, pool.space, pool.target), name, frame) for name, frame in (frames | matrices).items()),
    ]
