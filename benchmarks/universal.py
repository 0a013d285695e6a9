"""`tg_nas_universal` beside parameters, multiply-accumulates and `root_macs`, on all families and on pools inside them.

    python -m benchmarks.universal --folder DIR

The recipe has no fitted weight, so leaving a family out changes nothing: one table serves for all. Kendall's tau-b,
mean over the tasks of a space; architectures without a path share the last place. Of a pool at most 2,000 are drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from benchmarks.universal_tables import SIZES, SOURCES, Table, table_of
from predictor.universal.recipe import terms_of

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST, FEWEST = 2_000, 30
ALL = "all"


def pools(table: Table, truth: Values, pooled: Values) -> Iterator[tuple[str, Mask]]:
    """The pools inside a space, for one task."""
    known = np.isfinite(truth)
    yield ALL, known
    if known.sum() >= 200:
        quarter = np.searchsorted(np.quantile(table.sizes[known, 0], [0.25, 0.5, 0.75]), table.sizes[:, 0])
        for place in range(4):
            yield f"quarter {place + 1} by params", known & (quarter == place)
        yield "best half", known & (truth >= np.median(truth[known]))
        drawn = np.zeros(len(known), dtype=bool)
        drawn[np.random.default_rng(0).permutation(np.flatnonzero(known))[:200]] = True
        yield "random 200", drawn
        alive = known & table.connected
        if np.std(pooled[alive]) > 1e-3:
            yield "most pooled quarter", alive & (pooled >= np.quantile(pooled[alive], 0.75))
    for name, words in (("none", ("with none", "without none")), ("equal", ("equal cells", "unequal cells"))):
        mark = table.marks[name]
        yield words[0], known & mark
        yield words[1], known & ~mark


def taus(columns: Values, truth: Values, pool: Mask) -> Values | None:
    """Tau of each column in a pool; None where it is too small."""
    rows = np.flatnonzero(pool)
    if len(rows) < FEWEST:
        return None
    rows = np.random.default_rng(1).permutation(rows)[:MOST] if len(rows) > MOST else rows
    found = [kendalltau(column[rows], truth[rows]).statistic for column in columns.T]
    return np.nan_to_num(np.array(found))


def judged(table: Table) -> dict[str, Values]:
    """By pool: the mean over tasks of tau of each size and of the score."""
    terms = terms_of(table.batch)
    score = np.where(table.connected, terms.score, -np.inf)
    columns = np.column_stack([table.sizes, score])
    found: dict[str, list[Values]] = {}
    for truth in table.truths.values():
        for name, pool in pools(table, truth, np.nan_to_num(terms.pooled)):
            if (one := taus(columns, truth, pool)) is not None:
                found.setdefault(name, []).append(one)
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    print(f"| space | {' | '.join(SIZES)} | tg_nas_universal | worst pool | against the best size there |")
    print("|---|---|---|---|---|---|---|")
    every = []
    for name in SOURCES:
        found = judged(table_of(name, options.folder))
        worst = min(found, key=lambda pool: found[pool][3] - found[pool][:3].max())
        gap = found[worst][3] - found[worst][:3].max()
        every.append(found[ALL])
        print(f"| {name} | {' | '.join(f'{tau:.2f}' for tau in found[ALL])} | {worst} | {gap:+.2f} |", flush=True)
    print(f"| mean | {' | '.join(f'{tau:.3f}' for tau in np.mean(every, axis=0))} | | |")


if __name__ == "__main__":
    main()
