"""Which architectures have labels, and which are tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.protocol.pools import Pool, Rows, Values

SEEDS = range(10)
FIRST_SEED = 1000


@dataclass(frozen=True)
class Draw:
    """One draw of labels.

    Parameters
    ----------
    drawn
        The architectures whose labels are known, in the order of the draw.
    tested
        The rest of the pool, without functional twins of them.
    """

    drawn: Rows
    tested: Rows


def draw(pool: Pool, labels: int, seed: int) -> Draw:
    """Draw so many architectures: a larger draw of the same seed holds the smaller one."""
    drawn = np.random.default_rng(FIRST_SEED + seed).permutation(pool.labelled)[:labels]
    is_seen = np.isin(pool.functions[pool.tested], pool.functions[drawn])
    return Draw(drawn, pool.tested[~is_seen])


def labels_of(pool: Pool, drawn: Rows, labels: Values) -> Values:
    """(A,) as a predictor is given them: each function's mean at its first member, NaN elsewhere and without a path."""
    usable = drawn[pool.given.connected[drawn]]
    found = np.full(len(pool), np.nan)
    places = pool.first_twins[usable]
    for place in np.unique(places):
        found[place] = labels[usable[places == place]].mean()
    return found
