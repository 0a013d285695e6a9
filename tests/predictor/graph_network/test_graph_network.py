"""Layers on joined graphs: equal to torch-geometric's, blind to how graphs are joined and nodes are numbered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from predictor.graph_network.batch import GraphBatch, mean_of_nodes, sum_of_nodes
from predictor.graph_network.convolutions import CONVOLUTIONS, EdgeAttention, GCNConvolution, GINConvolution
from predictor.graph_network.encoder import GraphEncoder, GraphEncoderConfig
from predictor.graph_network.positions import laplacian_positions

Graph = tuple[np.ndarray, np.ndarray]


def random_graph(nodes: int, generator: np.random.Generator) -> Graph:
    links = np.triu(generator.random((nodes, nodes)) < 0.4, k=1)
    return generator.normal(size=(nodes, 6)).astype(np.float32), np.stack(np.nonzero(links)).astype(np.int64)


@pytest.fixture
def graphs() -> list[Graph]:
    generator = np.random.default_rng(0)
    return [random_graph(nodes, generator) for nodes in (5, 1, 8, 2)]


def geometric_gcn() -> nn.Module:
    from torch_geometric.nn import GCNConv

    return GCNConv(6, 8)


def geometric_gin() -> nn.Module:
    from torch_geometric.nn import GINConv

    return GINConv(nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8)), train_eps=True)


def geometric_attention() -> nn.Module:
    from torch_geometric.nn import TransformerConv

    return TransformerConv(6, 2, heads=4)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [(GCNConvolution, geometric_gcn), (GINConvolution, geometric_gin), (EdgeAttention, geometric_attention)],
)
def test_a_layer_is_that_of_torch_geometric(
    ours: Callable[[int, int], nn.Module], theirs: Callable[[], nn.Module], graphs: list[Graph]
) -> None:
    batch = GraphBatch.of(graphs)
    layer, other = ours(6, 8), theirs()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=torch.Generator().manual_seed(parameter.numel()))
        other.load_state_dict(layer.state_dict())
        torch.testing.assert_close(layer(batch.features, batch.edges), other(batch.features, batch.edges))


def test_pooling_is_that_of_torch_geometric(graphs: list[Graph]) -> None:
    from torch_geometric.nn import global_add_pool, global_mean_pool

    batch = GraphBatch.of(graphs)
    for ours, theirs in ((sum_of_nodes, global_add_pool), (mean_of_nodes, global_mean_pool)):
        torch.testing.assert_close(
            ours(batch.features, batch.owner, batch.count), theirs(batch.features, batch.owner, batch.count)
        )


def test_complete_edges_join_the_nodes_of_a_graph_and_no_others(graphs: list[Graph]) -> None:
    batch = GraphBatch.of(graphs)
    owner = batch.owner.tolist()
    expected = {(a, b) for a in range(16) for b in range(16) if owner[a] == owner[b]}
    edges = list(map(tuple, batch.complete.T.tolist()))
    assert len(edges) == len(expected)
    assert set(edges) == expected


@pytest.mark.parametrize("attends", [True, False])
@pytest.mark.parametrize("convolution", list(CONVOLUTIONS))
def test_a_graphs_vector_depends_on_nothing_but_the_graph(convolution: str, attends: bool, graphs: list[Graph]) -> None:
    """Alone, among others, and with its nodes in another order."""
    torch.manual_seed(0)
    encoder = GraphEncoder(6, GraphEncoderConfig(width=8, layers=2, convolution=convolution, attends=attends))
    with torch.no_grad():
        together = encoder(GraphBatch.of(graphs))
        alone = torch.cat([encoder(GraphBatch.of([graph])) for graph in graphs])
        torch.testing.assert_close(together, alone)
        features, edges = graphs[2]
        order = np.random.default_rng(1).permutation(len(features))
        shuffled = (features[order], np.argsort(order)[edges])
        torch.testing.assert_close(encoder(GraphBatch.of([shuffled])), together[2:3])


def test_directions_of_edges_count(graphs: list[Graph]) -> None:
    encoder = GraphEncoder(6, GraphEncoderConfig(width=8, layers=1))
    features, edges = graphs[0]
    with torch.no_grad():
        forth, back = encoder(GraphBatch.of([(features, edges), (features, edges[::-1].copy())]))
    assert not torch.allclose(forth, back)


def test_positions_are_eigenvectors_with_a_sign() -> None:
    edges = np.array([[0, 1, 2], [1, 2, 3]])
    positions = laplacian_positions(4, edges, 5)
    assert positions.shape == (4, 5)
    assert np.all(positions[:, 3:] == 0)  # four nodes have three eigenvectors but the first
    assert np.all(positions[0, :3] > 0)
    np.testing.assert_allclose(positions[:, :3].T @ positions[:, :3], np.eye(3), atol=1e-6)


def test_an_encoder_tells_its_shape() -> None:
    encoder = GraphEncoder(6, GraphEncoderConfig(width=8, layers=2))
    assert repr(encoder) == "GraphEncoder(2 x 8 gin, attending, 2,396 parameters)"
    with pytest.raises(ValueError, match="no 4 equal parts"):
        GraphEncoder(6, GraphEncoderConfig(width=6))
