"""One pool for all that is compared: the architectures that the compared columns have in common.

A proxy that was scored for easy architectures alone would rank them better than one that was scored for all. So columns
are compared where all of them have a value. A column that covers little would cost the others most of theirs: it stays
out, and is judged on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from catalog.analysis.common_rows import COMMON, FEW, OWN, Common, in_common
from catalog.analysis.pool import Pool


def narrowed(pools: Sequence[Pool]) -> list[Pool]:
    """Pools of the same architectures, each with the scores of those alone that all of them have in common.

    One pool serves all targets, so that a proxy can be compared over them; a target that covers little of the widest
    has a pool of its own. Proxies that cover little keep all their scores; see `Pool.common`.
    """
    targets = in_common({str(place): pool.known for place, pool in enumerate(pools)})
    together = [pools[int(place)] for place in targets.members]
    found: dict[int, Pool] = {}
    if together:
        scores = {name: ~np.isnan(column) for pool in together for name, column in pool.scores.items()}
        common = in_common({name: rows & targets.rows for name, rows in scores.items()})
        common = replace(common, targets=tuple(dict.fromkeys(pool.target for pool in together)))
        found = {int(place): _within(pools[int(place)], common) for place in targets.members}
    for place in map(int, targets.apart):
        pool = pools[place]
        alone = in_common({name: ~np.isnan(column) & pool.known for name, column in pool.scores.items()})
        found[place] = _within(pool, replace(alone, targets=(pool.target,)))
    return [found[place] for place in range(len(pools))]


def _within(pool: Pool, common: Common) -> Pool:
    members = tuple(name for name in pool.scores if name in common.members)
    apart = {name: common.apart[name] for name in pool.scores if name in common.apart}
    common = replace(common, members=members, apart=apart)  # a target of one pool may be a proxy of another
    scores = {
        name: np.where(common.rows, column, np.nan) if name in members else column
        for name, column in pool.scores.items()
    }
    last = {name: int((np.isneginf(column) & pool.known).sum()) for name, column in scores.items()}
    return replace(pool, scores=scores, disconnected=last, common=common)


def ranked(frame: pl.DataFrame, pool: Pool) -> pl.DataFrame:
    """Rows of proxies, best tau first, with what they are judged on.

    Columns that stay out of the common pool come after those in it, and what has few values last.

    Parameters
    ----------
    frame
        One row a proxy: ``proxy``, ``n``, ``missing``, ``coverage``, ``kendall_tau`` and more.

    Returns
    -------
    polars.DataFrame
        The same columns, ``missing`` and ``coverage`` being those of the column itself, and behind them ``pool``
        (`COMMON` or `OWN`) and ``remark`` (why a row stands where it stands; NULL where there is nothing to say).
    """
    names = list(frame["proxy"])
    known = int(pool.known.sum())
    own = [pool.covered[name] for name in names]
    apart = {} if pool.common is None else pool.common.apart
    is_few, is_apart = pl.col("n") < FEW, pl.col("proxy").is_in(list(apart))
    reasons = pl.Series([apart.get(name) for name in names], dtype=pl.String)
    rows = frame.with_columns(
        missing=known - pl.Series(own, dtype=pl.Int64),
        coverage=pl.Series([count / known if known else None for count in own], dtype=pl.Float64),
        pool=pl.lit(OWN) if pool.common is None else pl.when(is_apart).then(pl.lit(OWN)).otherwise(pl.lit(COMMON)),
        remark=pl.when(is_few).then(pl.lit(f"fewer than {FEW} values")).otherwise(reasons),
    )
    order = [is_few, is_apart, pl.col("kendall_tau")]
    return rows.sort(order, descending=[False, False, True], nulls_last=True, maintain_order=True)


def sentences(pool: Pool, frame: pl.DataFrame) -> list[str]:
    """What a reader has to know about what `ranked` rows are judged on; nothing where all cover everything.

    Parameters
    ----------
    frame
        What `ranked` gave.
    """
    return [*_of_the_common_pool(pool), *_of_few(frame)]


def _of_the_common_pool(pool: Pool) -> list[str]:
    common, known = pool.common, int(pool.known.sum())
    if common is None or not common.members or (len(common) == known and not common.apart):
        return []
    narrowest = min(common.members, key=lambda name: pool.covered[name])
    fewest = f"; the narrowest, {narrowest}, has {pool.covered[narrowest]:,}" if len(common.members) > 1 else ""
    columns = f"all {len(common.members)} columns" if fewest else narrowest
    others = "".join(f" and {target}" for target in common.targets if target not in (pool.target, *common.members))
    said = [
        f"Compared on {len(common):,} of the {known:,} architectures with {pool.target}, those with a value in "
        f"{columns}{others}{fewest}."
    ]
    counts = ", ".join(f"{name} ({pool.covered[name]:,}) {reason}" for name, reason in common.apart.items())
    if counts:
        said.append(f"Listed below, judged on all architectures of its own: {counts}.")
    return said


def _of_few(frame: pl.DataFrame) -> list[str]:
    few = frame.filter(pl.col("n") < FEW)
    if few.is_empty():
        return []
    counts = ", ".join(f"{name} ({count})" for name, count in few.select("proxy", "n").iter_rows())
    return [f"Fewer than {FEW} values, too few to be first: {counts}."]
