"""Batches of cells as arrays: nothing is lost, and every result equals the one for a single cell."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture import canonical_labelling as canonical
from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from tests.catalog.graphs import cells


def batches(most: int = 6) -> st.SearchStrategy[list[CellGraph]]:
    """Cells of one size."""
    drawn = st.lists(cells(most=most), min_size=1, max_size=12)
    return drawn.map(lambda some: [cell for cell in some if cell.node_count == some[0].node_count])


@given(batches())
def test_cells_come_back_as_they_went_in(batch):
    arrays = CellArrays.of(batch)
    assert len(arrays) == len(batch)
    assert [arrays.cell(row) for row in range(len(batch))] == batch


def test_the_cells_of_a_reduction_keep_that_they_are_one():
    cell = CellGraph.build("reduce", ("input", "output"), [(0, 1)], reduction=True)
    assert CellArrays.of([cell]).cell(0, reduction=True) == cell


@given(batches())
def test_a_given_vocabulary_changes_numbers_and_nothing_else(batch):
    own = CellArrays.of(batch)
    given_names = tuple(sorted({*own.vocabulary, "conv1x1"}, reverse=True))
    other = CellArrays.of(batch, given_names)
    assert other.vocabulary == given_names
    assert np.array_equal(other.keys(), own.keys())
    assert [other.cell(row) for row in range(len(batch))] == batch


@given(batches())
def test_depths_equal_each_cells_depth(batch):
    assert CellArrays.of(batch).depths().tolist() == [cell.depth() for cell in batch]


@given(batches())
def test_canonical_order_and_encoding_equal_those_of_each_cell(batch):
    """Contracted cells, so that the canonical form differs from the native one in its order alone."""
    contracted = [ArchitectureGraph("own", (cell,)).canonical.cells[0] for cell in batch]
    same_size = [cell for cell in contracted if cell.node_count == contracted[0].node_count]
    ordered = CellArrays.of(same_size).canonically_ordered()
    assert [ordered.cell(row) for row in range(len(same_size))] == same_size
    assert ordered.encodings() == [canonical.encode(cell.operators, cell.adjacency()) for cell in same_size]


def test_representation():
    cell = CellGraph.build("normal", ("input", "conv3x3", "output"), [(0, 1), (1, 2)])
    assert repr(CellArrays.of([cell, cell])) == "CellArrays('normal', 2 cells of 3 nodes)"
