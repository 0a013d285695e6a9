"""The encoder: the nodes of a computation graph in, one vector of the whole network out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from catalog.architecture.computation.arrays import ComputationBatch
from catalog.architecture.operators import Vocabulary
from predictor.computation_graph.features import SIZE, node_features, weights
from predictor.computation_graph.readouts import READOUTS, mean
from predictor.computation_graph.words import table_of
from predictor.door import Given
from predictor.graph_network.batch import GraphBatch
from predictor.graph_network.encoder import EncoderLayer, GraphEncoderConfig

Values = NDArray[np.float64]
Rows = NDArray[np.int64]

READ_AT_ONCE = 256
"""Graphs that are read together; fewer where each node attends to all others."""
AT_ONCE = 64
"""Graphs that are encoded together: their nodes' vectors stay near the processor."""


@dataclass(frozen=True)
class Networks:
    """Computation graphs as the encoder takes them.

    Parameters
    ----------
    graphs
        Features, edges and owners of their nodes.
    weights
        (N,) how much each node counts in the read-out: its repeats.
    """

    graphs: GraphBatch
    weights: Tensor

    @classmethod
    def of(cls, batch: ComputationBatch, vocabulary: Vocabulary) -> Networks:
        """The graphs of a batch."""
        features = node_features(batch, table_of(batch.words, batch.kinds, vocabulary))
        graphs = GraphBatch(
            torch.from_numpy(features),
            torch.from_numpy(np.stack([batch.source, batch.target])),
            torch.from_numpy(batch.graph_of_node),
            len(batch),
        )
        return cls(graphs, torch.from_numpy(batch.nodes.repeats.astype(np.float32)))

    @classmethod
    def joined(cls, parts: Sequence[Networks]) -> Networks:
        """All networks of some in one."""
        graphs = GraphBatch.of([(part.graphs.features.numpy(), part.graphs.edges.numpy()) for part in parts])
        return cls(graphs, torch.cat([part.weights for part in parts]))


class NetworkEncoder(nn.Module):
    """Rounds of messages over nodes; a graph's vector has the mean of its nodes before, between and after them.

    Shapes: features (N, `SIZE`); `nodes` gives (layers + 1) times (N, `width`), the result is (G, `vector`).
    """

    def __init__(self, config: GraphEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Linear(SIZE, config.width)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.norms = nn.ModuleList(nn.LayerNorm(config.width) for _ in range(config.layers))

    @property
    def vector(self) -> int:
        """Width of a graph's vector."""
        return (self.config.layers + 1) * self.config.width

    def nodes(self, graphs: GraphBatch) -> list[Tensor]:
        """The nodes' vectors before, between and after the rounds."""
        complete = graphs.complete if self.config.attends else None
        is_read_alone = torch.is_inference_mode_enabled() and self.config.convolution == "gin"
        edges = graphs.adjacencies if is_read_alone else graphs.edges
        hidden = self.embedding(graphs.features)  # (N, D)
        found = [hidden]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            hidden = layer(hidden, edges, complete)  # (N, D)
            found.append(norm(hidden))
        return found

    def forward(self, networks: Networks) -> Tensor:
        """The vectors of some networks; 0 for one without nodes."""
        return mean(self.nodes(networks.graphs), networks.graphs, networks.weights)

    def __repr__(self) -> str:
        count = sum(parameter.numel() for parameter in self.parameters())
        kind = "transformer" if self.config.attends else "graph network"
        return f"NetworkEncoder({kind}, {self.config.layers} x {self.config.width}, {count:,} parameters)"


def untrained(config: GraphEncoderConfig, seed: int) -> NetworkEncoder:
    """An encoder with random weights that only its seed decides."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NetworkEncoder(config).eval()


def encoded(encoders: Sequence[NetworkEncoder], given: Given, rows: Rows) -> tuple[Mapping[str, Values], Values]:
    """By read-out, (R, F) vectors of some architectures; and (R, 2) logarithms of their parameters and costs.

    A total that is not known is NaN.
    """
    found: defaultdict[str, list[Values]] = defaultdict(list)
    sizes = [np.empty((0, 2))]
    for batch in _batches(given, rows, attends=any(encoder.config.attends for encoder in encoders)):
        with torch.inference_mode():
            for networks in _pieces(Networks.of(batch, given.vocabulary), batch):
                hidden = [encoder.nodes(networks.graphs) for encoder in encoders]
                for name, read in READOUTS.items():
                    vectors = [read(nodes, networks.graphs, networks.weights) for nodes in hidden]
                    found[name].append(torch.cat(vectors, dim=1).double().numpy())
        sizes.append(_sizes(batch))
    return {name: np.concatenate(vectors) for name, vectors in found.items()}, np.concatenate(sizes)


def _pieces(networks: Networks, batch: ComputationBatch) -> Iterator[Networks]:
    """The same networks, `AT_ONCE` by `AT_ONCE`."""
    graphs = networks.graphs
    for start in range(0, max(1, len(batch)), AT_ONCE):
        end = min(start + AT_ONCE, len(batch))
        nodes = slice(*batch.first_node[[start, end]].tolist())
        edges = graphs.edges[:, slice(*batch.first_edge[[start, end]].tolist())] - nodes.start
        piece = GraphBatch(graphs.features[nodes], edges, graphs.owner[nodes] - start, end - start)
        yield Networks(piece, networks.weights[nodes])


def _sizes(batch: ComputationBatch) -> Values:
    total = np.bincount(batch.graph_of_node, weights(batch), minlength=len(batch))
    return np.log1p(np.stack([total, batch.totals()[1]], axis=1))


def pieces(given: Given, rows: Rows, *, attends: bool) -> Iterator[Networks]:
    """The networks of some architectures in their order, few at once."""
    for batch in _batches(given, rows, attends=attends):
        yield from _pieces(Networks.of(batch, given.vocabulary), batch)


def _batches(given: Given, rows: Rows, *, attends: bool) -> Iterator[ComputationBatch]:
    """Few at once, as the memory of a processor likes them; a batch of none if there are none."""
    size = READ_AT_ONCE // 8 if attends else READ_AT_ONCE
    for start in range(0, max(1, len(rows)), size):
        yield given.networks(rows[start : start + size])
