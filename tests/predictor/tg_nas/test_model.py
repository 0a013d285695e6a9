"""The network: equal to torch-geometric, blind to padding and to the order of the nodes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from catalog.architecture.operators import VOCABULARY
from catalog.errors import UsageError
from predictor.encoding.padded_graphs import PADDING, CellBatch, from_graphs
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.features import feature_size, operator_features
from predictor.tg_nas.model import TGNASNetwork
from tests.predictor.tg_nas.graphs import random_graphs

CONFIG = TGNASConfig(width=16, layers=2)


def network() -> TGNASNetwork:
    torch.manual_seed(0)
    return TGNASNetwork(feature_size(CONFIG), CONFIG).eval()


def outputs(model: TGNASNetwork, batch: CellBatch) -> torch.Tensor:
    table = torch.from_numpy(operator_features([VOCABULARY[name] for name in batch.names], CONFIG))
    operators = torch.from_numpy(batch.operators.astype(np.int64))
    with torch.no_grad():
        return model(
            table, operators, torch.from_numpy(batch.adjacency.astype(np.float32)), torch.from_numpy(batch.scale)
        )


def test_dense_layers_of_torch_geometric_give_the_same_scores() -> None:
    from torch_geometric.nn import DenseGraphConv

    ours, theirs = network(), TGNASNetwork(feature_size(CONFIG), CONFIG, DenseGraphConv).eval()
    theirs.load_state_dict(ours.state_dict())
    for batch in from_graphs(random_graphs(20)):
        torch.testing.assert_close(outputs(ours, batch), outputs(theirs, batch))


def test_sparse_layers_and_pooling_of_torch_geometric_give_the_same_scores() -> None:
    """`GraphConv` on edges and `global_add_pool`, as one would write the model for a torch-geometric loader."""
    from torch_geometric.data import Batch
    from torch_geometric.nn import GraphConv, global_add_pool

    ours, graphs = network(), [graph for graph in random_graphs(20, seed=1) if graph.is_connected]
    expected = torch.empty(len(graphs))
    for batch in from_graphs(graphs):
        expected[torch.from_numpy(batch.owner)] = outputs(ours, batch)
    data = Batch.from_data_list([graph.to_pyg() for graph in graphs])
    names = [name for graph in graphs for cell in graph.cells for name in cell.operators]
    table = torch.from_numpy(operator_features([VOCABULARY[name] for name in names], CONFIG))
    weight = data.edge_multiplicity.float()
    with torch.no_grad():
        hidden = torch.relu(ours.operator(table))
        for messages in ours.rounds:
            heard = torch.zeros_like(hidden)
            for layer, edges in ((messages.sources, data.edge_index), (messages.targets, data.edge_index.flip(0))):
                sparse = GraphConv(CONFIG.width, CONFIG.width)
                sparse.load_state_dict(layer.state_dict())
                heard += sparse(hidden, edges, weight)
            hidden = hidden + torch.relu(messages.norm(heard))
        sizes = torch.bincount(data.batch).float().unsqueeze(1)
        found = ours.head(global_add_pool(hidden, data.batch) / sizes.sqrt()).squeeze(-1)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_empty_places_do_not_leak_into_the_score() -> None:
    batch = from_graphs(random_graphs(10, seed=2))[-1]
    wide = CellBatch(
        batch.names,
        np.pad(batch.operators, ((0, 0), (0, 5)), constant_values=PADDING),
        np.pad(batch.adjacency, ((0, 0), (0, 5), (0, 5))),
        np.pad(batch.scale, ((0, 0), (0, 5)), constant_values=1.0),
        batch.owner,
        batch.weight,
    )
    torch.testing.assert_close(outputs(network(), wide), outputs(network(), batch))


def test_the_order_of_the_nodes_does_not_matter() -> None:
    batch = from_graphs(random_graphs(10, seed=3))[-1]
    order = np.random.default_rng(0).permutation(batch.operators.shape[1])
    shuffled = CellBatch(
        batch.names,
        batch.operators[:, order],
        batch.adjacency[:, order][:, :, order],
        batch.scale[:, order],
        batch.owner,
        batch.weight,
    )
    torch.testing.assert_close(outputs(network(), shuffled), outputs(network(), batch), atol=1e-5, rtol=1e-5)


def test_the_representation_says_what_it_is() -> None:
    # 394 features: 384 of the sentence, 10 descriptors
    assert repr(TGNASNetwork(feature_size(TGNASConfig()), TGNASConfig())) == (
        "TGNASNetwork(394 features, 2 x 64, 62,849 parameters)"
    )


def test_an_operator_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="nameless"):
        TGNASConfig(embedding="none", descriptors=False)
