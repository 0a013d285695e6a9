"""Statistics of layers as ParZC's input: in network order, scaled within each network, padded with zeros."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from predictor.door import Layers

Inputs = NDArray[np.float32]

LOGARITHMS = frozenset({"synflow", "synflow_normed"})
"""Proxies whose layers are stored as logarithms."""

MEANS = frozenset({"snip", "plain", "grasp", "fisher", "synflow", "synflow_normed"})
"""Proxies of which ParZC takes the mean over the entries of a weight, where the catalog stores the sum.

Of ``fisher`` it is the mean over channels, each of which counts as often as it has weights in the sum.
"""


def statistics(layers: Layers) -> NDArray[np.float64]:
    """(L, P) what ParZC takes of each layer, up to a factor that all layers of a network have in common.

    The factor makes numbers of what only logarithms can hold, and scaling takes it away.
    """
    values = layers.values.copy()
    sizes = np.maximum(layers.parameters, 1)
    for place, name in enumerate(layers.proxies):
        if name in LOGARITHMS:
            known = np.where(np.isnan(values[:, place]), -np.inf, values[:, place])
            logarithms = known - np.log(sizes)
            most = _most(logarithms, layers.owner, layers.networks)
            values[:, place] = np.where(np.isnan(values[:, place]), 0.0, np.exp(logarithms - most[layers.owner]))
        elif name in MEANS:
            values[:, place] /= sizes
    return values


def inputs(layers: Layers, longest: int) -> tuple[Inputs, NDArray[np.bool_]]:
    """(M, P * longest) one row a network, and (M,) whether it fits.

    Proxy by proxy its layers in network order, scaled so that the least is 0 and the largest 1; then zeros. Where
    all layers are alike they are 0. A network of more than `longest` layers, or with one without a value, does not fit.
    """
    count, proxies = layers.networks, len(layers.proxies)
    values = statistics(layers)
    owner = layers.owner
    sizes = np.bincount(owner, minlength=count)
    within = np.arange(len(owner)) - (np.cumsum(sizes) - sizes)[owner]
    fits = (sizes <= longest) & (sizes > 0)
    fits[owner[~np.isfinite(values).all(axis=1)]] = False
    least, most = -_most(-values, owner, count), _most(values, owner, count)
    spread = most - least
    scaled = (values - least[owner]) / np.where(spread > 0, spread, 1.0)[owner]
    result = np.zeros((count, proxies, longest), dtype=np.float32)
    kept = fits[owner]
    result[owner[kept], :, within[kept]] = scaled[kept]
    return result.reshape(count, proxies * longest), fits


def longest_of(layers: Layers) -> int:
    """How many layers the largest network has."""
    return int(np.bincount(layers.owner).max(initial=0))


def _most(values: NDArray[np.float64], owner: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """The largest value of each network."""
    found = np.full((count, *values.shape[1:]), -np.inf)
    np.maximum.at(found, owner, values)
    return found
