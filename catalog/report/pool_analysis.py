"""Everything that a report says about one pool: the frames of `catalog.analysis`, computed once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.analysis.bias import structure_bias
from catalog.analysis.common_pool import ranked, sentences
from catalog.analysis.common_rows import FEW
from catalog.analysis.evaluation import evaluate
from catalog.analysis.gain import added_gain, best_pairs
from catalog.analysis.independence import Clustering, cluster, partial_spearman, spearman_matrix
from catalog.analysis.information import information_curve, mutual_information
from catalog.analysis.noise_ceiling import noise_ceiling, reference_lines
from catalog.analysis.overlap import top_overlap
from catalog.analysis.pool import Pool
from catalog.analysis.provenance import (
    developed_on,
    is_of_supernet,
    read_columns,
    read_repeats,
    read_seconds,
    read_seeds,
    read_sources,
    read_structure,
    read_training_sizes,
    short_training,
)
from catalog.analysis.ranking import any_time, by_quantile
from catalog.analysis.seeds import seed_spread
from catalog.analysis.significance import paired_differences
from catalog.report.proxy_facts import read_proxies
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]

REFERENCES = ("params", "flops")
"""What every proxy is held against: counting parameters, and counting multiply-accumulates."""

TRUTH = "target"
"""The target's name among proxies, in matrices."""


@dataclass(frozen=True, eq=False)
class PoolAnalysis:
    """What is known about the proxies of one pool.

    Parameters
    ----------
    pool
        The rows, the target and the scores.
    sources
        Where the numbers came from; see `catalog.analysis.provenance.read_sources`.
    proxy_facts
        What the proxies are; see `catalog.report.proxy_facts.read_proxies`.
    table
        One row a proxy; see `catalog.analysis.evaluation.evaluate` and, for the order, `catalog.analysis.common_pool`.
    compared
        What is to be known about the architectures that proxies are compared on, a sentence each.
    references
        The same coefficients for what the proxies are held against; see `reference_lines`.
    against_best
        Each proxy against the first of `table` on the rows that both cover; see `paired_differences`.
    repeats
        Trainings of one architecture with different seeds.
    ceiling
        How well those agree; see `noise_ceiling`.
    seeds
        What the seeds of seeded proxies change; see `catalog.analysis.seeds.seed_spread`.
    lines
        Reference to the column that it was read from; see `reference_columns`.
    any_time, quantiles
        See `catalog.analysis.ranking`.
    matrix, clustering
        Spearman's rho of proxies and target with each other, and their tree.
    developed
        The proxies whose numbers are development numbers; see `catalog.analysis.provenance.developed_on`.
    is_of_supernet
        Whether the target was measured with a supernet's weights.
    training_sizes
        How many labels predictors were trained on; see `catalog.analysis.provenance.read_training_sizes`.
    partial, bias, information, curve, gain, pairs, overlap
        See the modules of `catalog.analysis` of these names.
    """

    pool: Pool
    sources: pl.DataFrame
    proxy_facts: pl.DataFrame
    table: pl.DataFrame
    compared: tuple[str, ...]
    references: pl.DataFrame
    against_best: pl.DataFrame
    repeats: int
    ceiling: pl.DataFrame
    seeds: pl.DataFrame
    lines: dict[str, str]
    any_time: pl.DataFrame
    quantiles: pl.DataFrame
    matrix: pl.DataFrame
    clustering: Clustering
    partial: pl.DataFrame
    bias: pl.DataFrame
    information: pl.DataFrame
    curve: pl.DataFrame
    gain: pl.DataFrame
    pairs: pl.DataFrame
    overlap: pl.DataFrame
    training_sizes: pl.DataFrame
    developed: tuple[str, ...] = ()
    is_of_supernet: bool = False

    @property
    def label(self) -> str:
        """The pool's name on the page."""
        return f"{self.pool.space} · {self.pool.target}"

    @property
    def digits(self) -> int:
        """Digits behind the point that tell the targets of the pool apart, two at least."""
        spread = float(np.std(self.pool.truth[self.pool.judged])) if self.pool.judged.any() else 0.0
        return max(2, 1 - math.floor(math.log10(spread))) if spread else 2

    @property
    def is_small(self) -> bool:
        """Whether it has too few architectures for any proxy to be compared."""
        return int(self.pool.judged.sum()) < FEW

    @property
    def proxies(self) -> list[str]:
        """The proxies in the order of the table."""
        return list(self.table["proxy"])

    @property
    def apart(self) -> list[str]:
        """The proxies that are judged on other architectures than those that the rest is compared on."""
        common = self.pool.common
        return [] if common is None else [name for name in self.proxies if name in common.apart]

    def __repr__(self) -> str:
        return f"PoolAnalysis({self.label!r}, {len(self.proxies)} proxies)"


def find(catalog: Store, pool: Pool) -> PoolAnalysis:
    """Analyse one pool; what is no proxy, such as a reference line, is taken on the architectures that are compared."""
    scores, truth, groups = pool.scores, pool.truth, pool.draws
    compared = np.where(pool.judged, truth, np.nan)
    lines = reference_columns(catalog, pool)
    references = _references(catalog, pool, lines)
    counting = {name: references[name] for name in REFERENCES if name in references}
    repeats = read_repeats(catalog, pool)
    repeats[~pool.judged] = np.nan
    seconds = read_seconds(catalog, pool)
    table = evaluate(scores, truth, references=REFERENCES, reference_values=counting, seconds=seconds, groups=groups)
    table = ranked(_in_units_of_target(table, pool), pool)
    ordered = {name: scores[name] for name in table["proxy"]}
    best = dict(list(ordered.items())[:1])
    together = {name: scores[name] for name in ordered if pool.common is None or name in pool.common.members}
    columns = {TRUTH: truth, **ordered}
    matrix = spearman_matrix(columns)
    return PoolAnalysis(
        pool=pool,
        sources=read_sources(catalog, pool, list(lines.values())),
        proxy_facts=read_proxies(catalog, pool),
        table=table,
        compared=tuple(sentences(pool, table)),
        references=reference_lines(compared, references, repeats, groups=groups),
        against_best=paired_differences(ordered, truth, best, groups=groups),
        repeats=repeats.shape[1],
        ceiling=noise_ceiling(repeats, groups=groups),
        seeds=seed_spread(read_seeds(catalog, pool), truth),
        lines=lines,
        any_time=any_time(ordered, truth, random=compared),
        quantiles=by_quantile(ordered, truth, groups=groups),
        matrix=matrix,
        clustering=cluster(matrix),
        partial=partial_spearman(ordered, truth, counting, groups=groups),
        bias=structure_bias(ordered, truth, read_structure(catalog, pool)),
        information=mutual_information(ordered, truth, groups=groups),
        curve=information_curve(together, truth, groups=groups),
        gain=added_gain(together, truth, groups=groups),
        pairs=best_pairs(together, truth, groups=groups),
        overlap=top_overlap(columns),
        training_sizes=read_training_sizes(catalog, pool),
        developed=developed_on(catalog, pool),
        is_of_supernet=is_of_supernet(catalog, pool),
    )


def reference_columns(catalog: Store, pool: Pool) -> dict[str, str]:
    """What proxies are held against, and where it stands: counts (ours, or else published), and a short training."""
    columns = SpaceView.of(catalog, pool.space).columns
    found = {}
    for name in REFERENCES:
        places = [place for place in (name, f"{name}_published") if place in columns and place != pool.target]
        if places:
            found[name] = places[0]
    short = short_training(catalog, pool)
    return found if short is None else {**found, short[0]: short[1]}


def _references(catalog: Store, pool: Pool, lines: dict[str, str]) -> dict[str, Values]:
    columns = read_columns(catalog, pool, list(dict.fromkeys(lines.values())))
    signs = {name: 1 if name in REFERENCES else pool.target_direction for name in lines}
    return {name: columns[column] * signs[name] for name, column in lines.items()}


def _in_units_of_target(table: pl.DataFrame, pool: Pool) -> pl.DataFrame:
    """The best values found among the top k as the target has them, which for a cost is not how they were ranked."""
    found = [name for name in table.columns if name.startswith("best_")]
    return table.with_columns(pl.col(name) * pool.target_direction for name in found)
