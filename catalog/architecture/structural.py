"""Structural proxies: scores that follow from the graph alone, without building or running a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.operators import VOCABULARY, Vocabulary

Values = NDArray[np.float64]


@dataclass(frozen=True)
class StructuralProxy:
    """Name, direction and meaning of a structural proxy."""

    name: str
    description: str
    direction: int = 1
    version: str = "1"


STRUCTURAL_PROXIES = (
    StructuralProxy("params", "trainable parameters of the CIFAR-10 network"),
    StructuralProxy("flops", "multiply-accumulates of convolutions and classifier for one 32x32 image"),
    StructuralProxy("live_params", "params without the operators that lie on no input-output path"),
    StructuralProxy("live_flops", "flops without the operators that lie on no input-output path"),
    StructuralProxy("root_macs", "square roots of the layers' multiply-accumulates, summed over the live network"),
    StructuralProxy("activations", "numbers that counted layers give for one input, of the live network"),
    StructuralProxy("depth", "edges on the longest input-output path, summed over cells; 0 where there is no path"),
    StructuralProxy("n_conv", "convolutions in the native graph"),
    StructuralProxy("n_skip", "skip connections in the native graph"),
    StructuralProxy("conv_depth", "largest number of weighted operators on an input-output path, summed over cells"),
    StructuralProxy("path_count", "input-output paths, parallel copies counted, summed over cells"),
    StructuralProxy("shortest_path", "operators on the shortest input-output path, summed over cells", -1),
)
"""Every structural proxy; the first six need the network, the others only the graph."""


def count_scores(cells: CellArrays, vocabulary: Vocabulary = VOCABULARY) -> dict[str, Values]:
    """``n_conv`` and ``n_skip`` of each cell of a batch in native form; each (B,)."""
    kinds = [vocabulary[name].kind for name in cells.vocabulary]
    return {
        name: (np.array([kind == counted for kind in kinds])[cells.operators] * cells.applications())
        .sum(axis=1)
        .astype(np.float64)
        for name, counted in (("n_conv", "conv"), ("n_skip", "skip"))
    }


def graph_scores(cells: CellArrays, vocabulary: Vocabulary = VOCABULARY) -> dict[str, Values]:
    """``conv_depth``, ``path_count`` and ``shortest_path`` of each cell of a batch in canonical form; each (B,).

    A cell without a path from input to output scores 0 paths and NaN otherwise: it has no path to measure.
    """
    linked = cells.adjacency.astype(np.float64)
    is_input = np.array([vocabulary[name].kind == "input" for name in cells.vocabulary])[cells.operators]
    weighted = np.array([vocabulary[name].has_weights for name in cells.vocabulary], dtype=np.float64)[cells.operators]
    applications = cells.applications()
    weighted = weighted * applications
    size = cells.operators.shape[1]
    deepest = np.where(is_input, 0.0, -np.inf)
    shortest = np.where(is_input, 0.0, np.inf)
    paths = is_input.astype(np.float64)
    for node in range(size):
        into = linked[:, :node, node]
        reachable = into > 0
        if not reachable.any():
            continue
        before = np.where(reachable, deepest[:, :node], -np.inf).max(axis=1)
        deepest[:, node] = np.maximum(deepest[:, node], before + weighted[:, node])
        shortest[:, node] = np.minimum(
            shortest[:, node], np.where(reachable, shortest[:, :node], np.inf).min(axis=1) + applications[:, node]
        )
        paths[:, node] += (into * paths[:, :node]).sum(axis=1)
    return {
        "conv_depth": np.where(np.isfinite(deepest[:, -1]), deepest[:, -1], np.nan),
        "path_count": paths[:, -1],
        "shortest_path": np.where(np.isfinite(shortest[:, -1]), shortest[:, -1] - 1, np.nan),
    }
