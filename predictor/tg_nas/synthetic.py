"""Random graphs without labels, on which a network learns what theory says about graphs unlike its sources."""

from __future__ import annotations

import numpy as np

from predictor.tensors import CellBatch

OPERATORS = (
    "conv1x1",
    "conv3x3",
    "max_pool_3x3",
    "avg_pool_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
    "sum",
)
_SMALLEST, _LARGEST = 3, 10


def random_cells(names: tuple[str, ...], count: int, generator: np.random.Generator) -> CellBatch:
    """Connected random cells of one random size.

    Every node has a way from the input and a way to the output; further edges come with one probability a cell, and
    one edge in ten is doubled, as contracted skips leave it.

    Parameters
    ----------
    names
        Operator names that the result indexes; must contain ``input``, ``output`` and `OPERATORS`.
    count
        Number of cells.
    generator
        Draws everything.
    """
    size = int(generator.integers(_SMALLEST, _LARGEST + 1))
    place = np.array([names.index(name) for name in OPERATORS], dtype=np.int16)
    operators = place[generator.integers(len(OPERATORS), size=(count, size))]
    operators[:, 0], operators[:, -1] = names.index("input"), names.index("output")
    density = generator.uniform(0.05, 0.7, size=(count, 1, 1))
    edges = np.triu(generator.random((count, size, size)) < density, 1)
    rows = np.arange(count)
    for node in range(1, size):
        edges[rows, generator.integers(0, node, size=count), node] |= ~edges[:, :, node].any(axis=1)
    for node in range(size - 1):
        edges[rows, node, generator.integers(node + 1, size, size=count)] |= ~edges[:, node].any(axis=1)
    doubled = generator.random(edges.shape) < 0.1
    return CellBatch(
        names,
        operators,
        (edges * (1 + doubled)).astype(np.uint8),
        np.ones(operators.shape, dtype=np.float32),
        rows,
        np.ones(count, dtype=np.float32),
    )
