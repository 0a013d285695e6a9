"""Graphs as padded arrays: a node that says its size is another operator than one that says none."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.sizes import Size
from predictor.encoding.padded_graphs import CellBatch, from_arrays, from_graphs, index_type
from predictor.encoding.structural_prior import terms_of


def chain(*sizes: Size | None) -> ArchitectureGraph:
    """Convolutions one after the other."""
    names = ["input", *["conv"] * len(sizes), "output"]
    edges = [(place, place + 1) for place in range(len(names) - 1)]
    cell = CellGraph.build("cell", names, edges, vocabulary=SIZED_VOCABULARY, sizes=[None, *sizes, None])
    return ArchitectureGraph("mine", (cell,), SIZED_VOCABULARY)


def both(*graphs: ArchitectureGraph) -> list[CellBatch]:
    """The batch of some graphs of one size, by either way."""
    (by_graphs,) = from_graphs(graphs)
    return [by_graphs, from_arrays(CellArrays.of([graph.cells[0] for graph in graphs]))]


THREE, FIVE = Size(kernel=3), Size(kernel=5, repeats=2)


def test_a_node_keeps_what_it_says_of_its_size() -> None:
    for batch in both(chain(THREE, FIVE), chain(None, THREE)):
        operators = [SIZED_VOCABULARY[name] for name in batch.names]
        read = [[operators[index].sized() for index in row[1:3]] for row in batch.operators.tolist()]
        assert read == [[THREE, FIVE], [Size(), THREE]]


def test_the_prior_hears_of_the_sizes_of_nodes() -> None:
    for batch in both(chain(Size(kernel=1)), chain(THREE), chain(FIVE), chain(Size(kernel=5, repeats=2, channels=2))):
        capacity = terms_of([batch], 4, SIZED_VOCABULARY).capacity
        assert (np.diff(capacity) > 0).all()


@pytest.mark.parametrize(("count", "kind"), [(3, np.int16), (2**15 - 1, np.int16), (2**15, np.int32)])
def test_as_many_operators_as_there_are_have_numbers(count: int, kind: type[np.signedinteger]) -> None:
    assert index_type(count) is kind
