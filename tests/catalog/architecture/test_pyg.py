"""Architectures as PyTorch Geometric graphs."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY
from catalog.errors import MissingExtraError
from tests.catalog.graphs import cells, nb201


@settings(max_examples=50)
@given(cells(name="normal"), cells(name="reduce"))
def test_tensors_hold_every_node_and_edge_of_all_cells(normal, reduce):
    data = ArchitectureGraph("own", (normal, reduce)).to_pyg()
    data.validate()
    assert [data.operator_names[index] for index in data.operator] == [*normal.operators, *reduce.operators]
    assert data.cell.tolist() == [0] * normal.node_count + [1] * reduce.node_count
    edges = list(zip(*data.edge_index.tolist(), data.edge_multiplicity.tolist(), strict=True))
    shift = normal.node_count
    assert edges == [*normal.edges, *((s + shift, t + shift, count) for s, t, count in reduce.edges)]
    assert data.num_nodes == len(data.operator)


def test_a_graph_without_edges_keeps_its_shapes():
    data = nb201(*["none"] * 6).canonical.to_pyg()
    assert data.edge_index.shape == (2, 0)
    assert data.edge_multiplicity.shape == (0,)
    assert data.num_nodes == 2


def triangle() -> ArchitectureGraph:
    """Three nodes and three edges, one of them twice: sizes do not tell nodes from edges."""
    return ArchitectureGraph(
        "own", (CellGraph.build("cell", ("input", "conv3x3", "output"), [(0, 1), (1, 2), (0, 2, 2)]),)
    )


def row(length: int) -> ArchitectureGraph:
    """A chain of `length` nodes."""
    operators = ("input", *["conv3x3"] * (length - 2), "output")
    return ArchitectureGraph("own", (CellGraph.build("cell", operators, pairwise(range(length))),))


@settings(max_examples=50)
@given(cells(name="normal"))
def test_every_attribute_is_known_for_what_it_belongs_to(cell):
    data = ArchitectureGraph("own", (cell,)).to_pyg()
    if data.num_edges:
        assert set(data.edge_attrs()) == {"edge_index", "edge_multiplicity"}
        assert set(data.node_attrs()) == {"operator", "cell", "sizes"}


def test_as_many_edges_as_nodes_confuse_nobody():
    """PyG tells nodes' attributes from edges' by their length and, where that is equal, by the name."""
    import torch
    from torch_geometric.transforms import ToUndirected

    data = triangle().to_pyg()
    assert (data.num_nodes, data.num_edges) == (3, 3)
    part = data.subgraph(torch.tensor([0, 2]))
    assert (part.edge_index.tolist(), part.edge_multiplicity.tolist()) == ([[0], [1]], [2])
    assert part.operator.tolist() == data.operator[[0, 2]].tolist()
    both = ToUndirected()(triangle().to_pyg())
    assert both.num_edges == len(both.edge_multiplicity) == 6


@pytest.mark.parametrize("more", [0, 1])
def test_names_are_kept_where_there_are_as_many_nodes_or_edges(more):
    """A list of 20 names was cut to the nodes of a subgraph where the graph had 20 nodes."""
    import torch

    data = row(len(VOCABULARY) + more).to_pyg()
    part = data.subgraph(torch.arange(3))
    assert list(part.operator_names) == list(data.operator_names) == [operator.name for operator in VOCABULARY]
    assert part.operator_names == data.operator_names
    assert repr(part.operator_names) == "OperatorNames(20)"
    assert data.clone().to("cpu").operator_names[3] == "conv1x1"
    assert len({data.operator_names, part.operator_names}) == 1


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
