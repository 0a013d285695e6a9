"""NAS-Bench-101 modules as the network computes them: projections, concatenation and channels made explicit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.encoding.padded_graphs import NORMAL_CELL_WEIGHT, PADDING, CellBatch

NAMES = ("input", "output", "conv1x1", "conv3x3", "maxpool3x3", "concat")
_INPUT, _OUTPUT, _PROJECTION, _CONCAT = 0, 1, 2, 5


def module_cells(
    names: tuple[str, ...],
    operators: NDArray[np.integer[Any]],
    adjacency: NDArray[np.unsignedinteger[Any]],
    owner: NDArray[np.int64] | None = None,
) -> CellBatch:
    """Modules of one size (Ying et al. 2019, arXiv 1902.09635) as explicit cells.

    The module's input reaches an interior vertex, or the output, through a 1x1 projection; the interior vertices that
    feed the output are concatenated and so share its channels; a vertex that feeds other vertices only has as many
    channels as the widest of them. Places: input, projections to the interior, projection to the output, interior,
    concatenation, output.

    Parameters
    ----------
    names
        Operator names that `operators` indexes.
    operators
        (B, V) the native module, input first, output last.
    adjacency
        (B, V, V) its matrix, in the benchmark's own order: another order may change the channels.
    """
    count, vertices = operators.shape
    inner = vertices - 2
    size = 2 * inner + 4
    lookup = np.array([NAMES.index(name) if name in NAMES else PADDING for name in names], dtype=np.int16)
    cells = np.full((count, size), PADDING, dtype=np.int16)
    links = np.zeros((count, size, size), dtype=np.uint8)
    scale = np.ones((count, size), dtype=np.float32)
    widths = vertex_widths(adjacency)
    projected, direct = slice(1, 1 + inner), 1 + inner
    interior, concat, output = slice(2 + inner, 2 + 2 * inner), size - 2, size - 1

    cells[:, 0], cells[:, output] = _INPUT, _OUTPUT
    cells[:, interior] = lookup[operators[:, 1:-1]]
    from_input, to_output = adjacency[:, 0, 1:-1], adjacency[:, 1:-1, -1]
    cells[:, projected] = np.where(from_input > 0, _PROJECTION, PADDING)
    cells[:, direct] = np.where(adjacency[:, 0, -1] > 0, _PROJECTION, PADDING)
    joined = to_output.any(axis=1)
    cells[:, concat] = np.where(joined, _CONCAT, PADDING)

    links[:, 0, projected] = from_input
    places = np.arange(inner)
    links[:, 1 + places, 2 + inner + places] = from_input
    links[:, interior, interior] = adjacency[:, 1:-1, 1:-1]
    links[:, interior, concat] = to_output
    links[:, concat, output] = joined
    links[:, 0, direct] = links[:, direct, output] = adjacency[:, 0, -1]

    scale[:, interior] = widths[:, 1:-1] ** 2
    scale[:, projected] = widths[:, 1:-1]
    return CellBatch(
        NAMES,
        cells,
        links,
        scale,
        np.arange(count) if owner is None else owner,
        np.full(count, NORMAL_CELL_WEIGHT, dtype=np.float32),
    )


def vertex_widths(adjacency: NDArray[np.unsignedinteger[Any]]) -> NDArray[np.float32]:
    """(B, V) channels of each vertex as a share of the output's; rounding to whole channels is left out."""
    count, vertices, _ = adjacency.shape
    linked = adjacency > 0
    joined = np.maximum(linked[:, 1:-1, -1].sum(axis=1), 1)
    widths = np.zeros((count, vertices), dtype=np.float32)
    widths[:, [0, -1]] = 1.0
    for vertex in range(vertices - 2, 0, -1):
        inherited = np.where(linked[:, vertex, 1:-1], widths[:, 1:-1], 0.0).max(axis=1, initial=0.0)
        widths[:, vertex] = np.where(linked[:, vertex, -1], 1.0 / joined, inherited)
    return widths
