"""What a search costs and what it has found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.protocol.pools import Pool, Rows, Target

Values = NDArray[np.float64]

SEEDS = range(20)


def regrets(pool: Pool, target: Target, asked: Rows) -> Values:
    """(Q,) how far the incumbent's truth is from the pool's best after each query.

    A query is one function asked for its label: asking for a twin of an architecture that was asked for costs nothing
    and tells nothing. The incumbent is the best label so far.

    Parameters
    ----------
    asked
        The architectures in the order in which they were asked for.
    """
    _, first = np.unique(pool.functions[asked], return_index=True)
    queries = asked[np.sort(first)]
    labels = target.labels[queries]
    incumbents = queries[[int(np.argmax(labels[: place + 1])) for place in range(len(queries))]]
    return np.asarray(np.nanmax(target.truth) - target.truth[incumbents])
