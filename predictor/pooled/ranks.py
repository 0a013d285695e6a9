"""Scores that need a pool: ranks of several proxies put together, or a size preferred.

The number of an architecture depends on the pool it is ranked in, so whoever stores one says which pool that was. An
architecture without a value (NaN) ranks below every one that has one, in every component.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

AZ_NAS = ("az_expressivity", "az_progressivity", "az_trainability", "az_complexity")
_ROUND_OFF = 1e-9


def ranks(values: Values) -> Values:
    """Ranks from 1 (worst) to the size of the pool, equal values sharing their mean rank; NaN is worst."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(np.where(np.isnan(values), -np.inf, values)))


def te_nas(ntk_cond: Values, linear_regions: Values) -> Values:
    """Sum of the ranks of a well-conditioned kernel and of many linear regions (Chen et al. 2021, arXiv 2102.11535).

    Higher is better.
    """
    return ranks(-ntk_cond) + ranks(linear_regions)


def az_nas(expressivity: Values, progressivity: Values, trainability: Values, complexity: Values) -> Values:
    r"""Non-linear rank aggregation :math:`\sum_i \log(r_i / m)` over a pool of m (Lee and Ham 2024, arXiv 2403.19232).

    Higher is better; 0 is an architecture that is best in all four. The logarithm punishes a low rank in any one.
    """
    pool = len(expressivity)
    parts = (expressivity, progressivity, trainability, complexity)
    return np.asarray(sum(np.log(ranks(part) / pool) for part in parts))


def swap_reg(swap: Values, params: Values, *, mean: float | None = None, deviation: float | None = None) -> Values:
    r"""SWAP times :math:`\exp(-(p - \mu)^2/\sigma)` of the parameters p in thousands.

    Peng et al., "SWAP-NAS", 2024 (arXiv 2403.04161). The paper sets :math:`\mu` and :math:`\sigma` by hand to steer a
    search toward a size. Without them :math:`\mu` is the largest network of the pool and :math:`\sigma` twice the
    variance of its sizes: the bell then only grows with the size, which needs no label to choose. Higher is better.
    """
    size = params / 1e3
    centre = float(np.nanmax(size)) if mean is None else mean
    scale = max(2 * float(np.nanvar(size)), np.finfo(float).tiny) if deviation is None else deviation
    return np.asarray(swap * np.exp(-((size - centre) ** 2) / scale))


def votes(leader: Values, *members: Values) -> Values:
    r"""(k,) :math:`\max(0, c_i)/k`: what each of k members sees like the others and the leader does not see.

    From the ranks of each member, what the leader's ranks explain of them is taken away by linear regression;
    :math:`c_i` is the correlation of what is left of member i with the mean of what is left of the others. A member
    that repeats the leader, or is noise, agrees with nobody on the rest and has no vote, and nor has a single member.
    """
    explained = _standard(ranks(leader))
    left = []
    for member in members:
        shape = _standard(ranks(member))
        left.append(_standard(shape - explained * np.mean(shape * explained)))
    total = np.sum(left, axis=0)
    found = [np.mean(own * _standard((total - own) / max(1, len(members) - 1))) for own in left]
    return np.maximum(0.0, found) / len(members)


def _standard(values: Values) -> Values:
    """Mean 0 and deviation 1; all 0 where nothing but round-off differs."""
    centred = values - values.mean()
    deviation = centred.std()
    return centred / deviation if deviation > _ROUND_OFF * max(1.0, np.abs(values).max()) else np.zeros_like(centred)


def led(leader: Values, *members: Values) -> Values:
    r"""Log ranks of a leader and of members with votes, :math:`\log(r_0/m) + \sum_i w_i \log(r_i/m)`, in a pool of m.

    The weights :math:`w_i` are the members' `votes` beside the leader: together at most that of the leader. No label
    enters. Higher is better, 0 is best in all.
    """
    pool = len(leader)
    weighed = zip(votes(leader, *members), members, strict=True)
    return np.asarray(
        np.log(ranks(leader) / pool) + sum(vote * np.log(ranks(member) / pool) for vote, member in weighed)
    )
