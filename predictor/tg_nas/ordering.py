"""Operator ordering: theory's partial order of strength, used as training pairs that need no label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from predictor.encoding.padded_graphs import CellBatch

WEAKER_TO_STRONGER: tuple[tuple[str, str], ...] = (
    ("avg_pool_3x3", "conv1x1"),
    ("max_pool_3x3", "conv1x1"),
    ("maxpool3x3", "conv1x1"),
    ("maxpool3x3", "conv3x3"),
    ("avg_pool_3x3", "conv3x3"),
    ("conv1x1", "conv3x3"),
    ("conv1x1", "sep_conv_3x3"),
    ("avg_pool_3x3", "max_pool_3x3"),
    ("max_pool_3x3", "dil_conv_3x3"),
    ("max_pool_3x3", "sep_conv_3x3"),
    ("avg_pool_3x3", "sep_conv_3x3"),
    ("avg_pool_3x3", "dil_conv_5x5"),
    ("dil_conv_3x3", "sep_conv_3x3"),
    ("dil_conv_5x5", "sep_conv_5x5"),
    ("sep_conv_3x3", "conv3x3"),
)
"""Pairs in which the second operator has more weights and mixes more, in the same place of the same graph."""


def ordered_pairs(
    batch: CellBatch, candidates: tuple[str, ...], generator: np.random.Generator
) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Operators of the batch's graphs with one random node made weak, and the same node made strong; each (B, N).

    Parameters
    ----------
    batch
        Graphs whose names contain every operator of `WEAKER_TO_STRONGER`.
    candidates
        Operators whose nodes may be replaced; a graph without one of them is given twice unchanged.
    generator
        Draws the nodes and the pairs.
    """
    place = {name: index for index, name in enumerate(batch.names)}
    replaceable = np.isin(batch.operators, [place[name] for name in candidates if name in place])
    rows = np.flatnonzero(replaceable.any(axis=1))
    chosen = (replaceable * generator.random(replaceable.shape)).argmax(axis=1)
    pairs = np.array([(place[weak], place[strong]) for weak, strong in WEAKER_TO_STRONGER], dtype=np.int16)
    drawn = pairs[generator.integers(len(pairs), size=len(batch))]
    weak, strong = batch.operators.copy(), batch.operators.copy()
    weak[rows, chosen[rows]] = drawn[rows, 0]
    strong[rows, chosen[rows]] = drawn[rows, 1]
    return weak, strong
