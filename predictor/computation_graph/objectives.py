r"""What an encoder is pre-trained by: something that is known of every network without a label.

Contrastive (`Wirings`, and with operators in sight `Operators`), after Han et al., "A general-purpose transferable
predictor for neural architecture search", 2023 (arXiv 2302.10835): with :math:`z` the unit vectors of
a batch and :math:`d` the distances of what is known of the graphs,

.. math:: L = -\frac1B \sum_i \sum_{j \ne i} \mathrm{softmax}_j(-d_{ij} / s)\,
          \log \mathrm{softmax}_j(z_i^\top z_j / t), \qquad s = \text{the mean of all } d.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, normalize

from predictor.computation_graph.encoder import NetworkEncoder, Networks
from predictor.computation_graph.features import WORD
from predictor.computation_graph.statistics import FLOW, NAMES
from predictor.graph_network.batch import GraphBatch

TEMPERATURE = 0.1
MASKED = 0.15
"""Share of the nodes whose operator is hidden."""
PROJECTED = 64


@dataclass(frozen=True)
class Piece:
    """A batch of networks with what is known of them.

    Parameters
    ----------
    networks
        G graphs.
    spectra
        (G, `predictor.computation_graph.statistics.LEVELS`).
    statistics
        (G, `predictor.computation_graph.statistics.NAMES`), of mean 0 and deviation 1 over all that are learned from.
    operators
        (G, `predictor.computation_graph.statistics.WAVES`) which operators stand where.
    flows
        (N, 2 `predictor.computation_graph.statistics.FLOW`), of mean 0 and deviation 1 as the statistics.
    words
        (N,) which word each node is, numbered over all that are learned from.
    """

    networks: Networks
    spectra: Tensor
    statistics: Tensor
    operators: Tensor
    flows: Tensor
    words: Tensor


class Contrastive(nn.Module):
    """Networks of which something near is known get near vectors."""

    def __init__(self, encoder: NetworkEncoder, words: int) -> None:
        super().__init__()
        self.head = _head(encoder.vector, PROJECTED)

    def known(self, piece: Piece) -> Tensor:
        """(G, F) what decides how near two networks are."""
        raise NotImplementedError

    def forward(self, encoder: NetworkEncoder, piece: Piece) -> Tensor:
        """The loss."""
        vectors = normalize(self.head(encoder(piece.networks)), dim=1)
        known = self.known(piece)
        distances = torch.cdist(known, known)
        scale = distances.mean().clamp(min=1e-6)
        itself = torch.eye(len(distances), dtype=torch.bool)
        wanted = (-distances / scale).masked_fill(itself, -torch.inf).softmax(dim=1)
        likeness = (vectors @ vectors.T / TEMPERATURE).masked_fill(itself, -torch.inf).log_softmax(dim=1)
        return -(wanted * likeness.masked_fill(itself, 0.0)).sum(dim=1).mean()


class Wirings(Contrastive):
    """Near are networks whose wirings have near spectra."""

    def known(self, piece: Piece) -> Tensor:
        return piece.spectra


class Operators(Contrastive):
    """Near are networks that have like operators in like surroundings."""

    def known(self, piece: Piece) -> Tensor:
        return piece.operators


class Flow(nn.Module):
    """What comes to a node forward and backward in a network of random maps is read off the node's vector."""

    def __init__(self, encoder: NetworkEncoder, words: int) -> None:
        super().__init__()
        self.head = nn.Linear(encoder.config.width, 2 * FLOW)

    def forward(self, encoder: NetworkEncoder, piece: Piece) -> Tensor:
        """The loss."""
        return mse_loss(self.head(encoder.nodes(piece.networks.graphs)[-1]), piece.flows)


class Statistics(nn.Module):
    """Sizes, depth and shares of operators are read off a network's vector."""

    def __init__(self, encoder: NetworkEncoder, words: int) -> None:
        super().__init__()
        self.head = _head(encoder.vector, len(NAMES))

    def forward(self, encoder: NetworkEncoder, piece: Piece) -> Tensor:
        """The loss."""
        return mse_loss(self.head(encoder(piece.networks)), piece.statistics)


class Masked(nn.Module):
    """Some nodes' operators are hidden, and told from what is around them."""

    def __init__(self, encoder: NetworkEncoder, words: int) -> None:
        super().__init__()
        self.head = nn.Linear(encoder.config.width, words)

    def forward(self, encoder: NetworkEncoder, piece: Piece) -> Tensor:
        """The loss."""
        graphs = piece.networks.graphs
        hidden = torch.rand(len(graphs.features)) < MASKED
        hidden[0] = True  # a loss of no node at all is none
        features = graphs.features.clone()
        features[hidden, WORD] = 0.0
        nodes = encoder.nodes(GraphBatch(features, graphs.edges, graphs.owner, graphs.count))[-1]
        return cross_entropy(self.head(nodes[hidden]), piece.words[hidden])


def _head(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, 2 * outputs), nn.GELU(), nn.Linear(2 * outputs, outputs))


OBJECTIVES: Mapping[str, Callable[[NetworkEncoder, int], nn.Module]] = {
    "contrastive": Wirings,
    "operators": Operators,
    "statistics": Statistics,
    "masked": Masked,
    "flow": Flow,
}
"""By name; each makes its head for an encoder and a number of words, and gives the loss of a piece."""
