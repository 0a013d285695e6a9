"""Architectures as PyTorch Geometric graphs."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import MissingExtraError
from tests.catalog.graphs import cells, nb201


@settings(max_examples=50)
@given(cells(name="normal"), cells(name="reduce"))
def test_tensors_hold_every_node_and_edge_of_all_cells(normal, reduce):
    data = ArchitectureGraph("own", (normal, reduce)).to_pyg()
    data.validate()
    assert [data.operator_names[index] for index in data.operator] == [*normal.operators, *reduce.operators]
    assert data.cell.tolist() == [0] * normal.node_count + [1] * reduce.node_count
    edges = list(zip(*data.edge_index.tolist(), data.multiplicity.tolist(), strict=True))
    shift = normal.node_count
    assert edges == [*normal.edges, *((s + shift, t + shift, count) for s, t, count in reduce.edges)]
    assert data.num_nodes == len(data.operator)


def test_a_graph_without_edges_keeps_its_shapes():
    data = nb201(*["none"] * 6).canonical.to_pyg()
    assert data.edge_index.shape == (2, 0)
    assert data.multiplicity.shape == (0,)
    assert data.num_nodes == 2


def test_graphs_batch_and_convolve():
    """The tensors have the types that a batch and a graph convolution expect."""
    import torch
    from torch_geometric.data import Batch
    from torch_geometric.nn import GCNConv

    pair = CellGraph.build("cell", ("input", "output"), [(0, 1)])
    batch = Batch.from_data_list([ArchitectureGraph("own", (pair,)).to_pyg()] * 2)
    assert batch.edge_index.tolist() == [[0, 2], [1, 3]]
    features = torch.nn.functional.one_hot(batch.operator, len(batch.operator_names[0])).float()
    assert GCNConv(features.shape[1], 4)(features, batch.edge_index).shape == (4, 4)


@pytest.mark.parametrize("package", ["torch", "torch_geometric"])
def test_a_missing_package_is_named_with_its_remedy(monkeypatch, package):
    for module in ("torch_geometric.data", package):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nas-catalog\[predict\]'"):
        nb201(*["skip_connect"] * 6).to_pyg()
