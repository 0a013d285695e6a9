"""What proxies say of a network's layers, pooled: sums by stage and operator, and the skeleton's layers by role."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from predictor.door import Given, Layers

Values = NDArray[np.float64]

READ = ("grad_norm", "snip", "synflow")
"""Proxies whose layers are read where a catalog has them."""
LOGARITHMS = ("synflow",)
"""Of these the table holds natural logarithms: the values overflow."""
NOTHING = -745.0
"""The logarithm of a sum of no layers: about that of the smallest number above 0."""


def pooled(given: Given) -> dict[str, Values]:
    """By proxy, role, stage and operator: (A,) the logarithm of the sum of the layers' magnitudes.

    NaN for an architecture whose network nobody has measured.
    """
    found: dict[str, Values] = {}
    for proxy, layers in given.optional_layers.items():
        for name, sums in _sums(layers, proxy in LOGARITHMS).items():
            found[f"{proxy}:{name}"] = np.where(layers.network < 0, np.nan, sums[layers.network])
    return found


def absent(given: Given) -> Values:
    """(A,) what a sum is of that no network of the pool has: of nothing, or unknown where no network was measured."""
    measured = np.zeros(len(given), dtype=bool)
    for layers in given.optional_layers.values():
        measured |= layers.network >= 0
    return np.where(measured, NOTHING, np.nan)


def _sums(layers: Layers, are_logarithms: bool) -> dict[str, Values]:
    """By role, stage and operator, (M,) logarithms of sums."""
    with np.errstate(divide="ignore"):
        logs = layers.values[:, 0] if are_logarithms else np.log(np.abs(layers.values[:, 0]))
    logs = np.where(np.isfinite(logs), logs, NOTHING)
    keys = np.array(
        [
            f"{role}.{stage}.{operator}"
            for role, stage, operator in zip(layers.role, layers.stage.tolist(), layers.operator, strict=True)
        ]
    )
    found = {}
    for key in np.unique(keys).tolist():
        sums = np.full(layers.networks, NOTHING)
        is_one = keys == key
        np.logaddexp.at(sums, layers.owner[is_one], logs[is_one])
        found[key] = sums
    return found
