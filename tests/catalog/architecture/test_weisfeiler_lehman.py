"""Weisfeiler-Lehman colours see surroundings, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import CellGraph
from catalog.architecture.weisfeiler_lehman import colours

CHAIN = CellGraph.build("cell", ["input", "conv3x3", "conv1x1", "conv3x3", "output"], [(0, 1), (1, 2), (2, 3), (3, 4)])
FORK = CellGraph.build(
    "cell", ["input", "conv3x3", "conv1x1", "conv3x3", "output"], [(0, 1), (0, 2), (1, 3), (3, 4), (2, 4)]
)
TWICE = CellGraph.build(
    "cell", ["input", "conv3x3", "conv1x1", "conv3x3", "output"], [(0, 1, 2), (1, 2), (2, 3), (3, 4)]
)


def of(*cells: CellGraph, rounds: int = 2) -> list[np.ndarray]:
    arrays = CellArrays.of(cells)
    return list(colours(arrays.keys(), arrays.adjacency, rounds))


def test_the_first_colour_is_the_operator_and_each_round_looks_an_edge_further() -> None:
    first, second, third = of(CHAIN)
    assert first[0, 1] == first[0, 3] != first[0, 2]
    assert second[0, 1] != second[0, 3]  # one reads the input, the other the 1x1 convolution
    assert len({*third[0].tolist()}) == 5


def test_they_depend_on_neither_order_nor_batch() -> None:
    arrays = CellArrays.of([CHAIN, FORK])
    order = np.array([0, 2, 1, 3, 4])
    turned = arrays.keys()[:, order], arrays.adjacency[:, order][:, :, order]
    for straight, other in zip(of(CHAIN, FORK), colours(*turned, 2), strict=True):
        np.testing.assert_array_equal(straight[:, order], other)
    np.testing.assert_array_equal(of(CHAIN, FORK)[2][1:], of(FORK)[2])


@pytest.mark.parametrize("other", [FORK, TWICE])
def test_other_edges_and_other_multiplicities_are_other_surroundings(other: CellGraph) -> None:
    chain, found = of(CHAIN), of(other)
    np.testing.assert_array_equal(chain[0], found[0])
    assert chain[1][0, 1] != found[1][0, 1] or chain[1][0, 3] != found[1][0, 3]


def test_they_are_the_same_on_every_machine() -> None:
    assert [int(one[0, 2]) for one in of(CHAIN)] == SEEN


SEEN = [12692740685501589473, 13718193738010432025, 17834457244405578267]
