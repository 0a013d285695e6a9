"""A graph encoder: messages both ways along the edges, and with them the attention of a transformer."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from predictor.graph_network.batch import Adjacency, GraphBatch, mean_of_nodes
from predictor.graph_network.convolutions import CONVOLUTIONS, EdgeAttention


@dataclass(frozen=True)
class GraphEncoderConfig:
    """Everything that decides the shape of an encoder.

    Parameters
    ----------
    width
        Of a node's vector, and of a graph's.
    layers
        Rounds.
    heads
        Of the attention.
    convolution
        How edges carry messages: ``gcn``, ``gin`` or ``attention``.
    attends
        Whether each node attends to all nodes of its graph, too: then it is a graph transformer.
    expansion
        Inner width of the feed-forward as a multiple of the width.
    """

    width: int = 64
    layers: int = 3
    heads: int = 4
    convolution: str = "gin"
    attends: bool = True
    expansion: int = 4


class EncoderLayer(nn.Module):
    """One pre-norm residual round: what feeds a node, what it feeds, all nodes of its graph; then a feed-forward.

    Self-attention beside a layer that aggregates along edges is the block of Lu et al., "PINAT: A permutation
    invariance augmented transformer for NAS predictor", 2023 (AAAI), in the form that needs no cross attention.

    Shapes: (N, D) to (N, D).
    """

    def __init__(self, config: GraphEncoderConfig) -> None:
        super().__init__()
        width, make = config.width, CONVOLUTIONS[config.convolution]
        self.before = nn.LayerNorm(width)
        self.along = make(width, width)
        self.against = make(width, width)
        self.attention = EdgeAttention(width, width, config.heads) if config.attends else None
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, config.expansion * width),
            nn.GELU(),
            nn.Linear(config.expansion * width, width),
        )

    def forward(self, hidden: Tensor, edges: Tensor | tuple[Adjacency, Adjacency], complete: Tensor | None) -> Tensor:
        """One round; `complete` are the edges between all nodes of a graph."""
        normed = self.before(hidden)
        along, against = edges if isinstance(edges, tuple) else (edges, edges.flip(0))
        heard = self.along(normed, along) + self.against(normed, against)
        if self.attention is not None and complete is not None:
            heard = heard + self.attention(normed, complete)
        hidden = hidden + heard
        out: Tensor = hidden + self.feed_forward(hidden)
        return out


class GraphEncoder(nn.Module):
    """A vector of each graph: the mean of its nodes' vectors after some rounds.

    Shapes: features (N, F); result (G, `width`).
    """

    def __init__(self, features: int, config: GraphEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Linear(features, config.width)
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)

    def forward(self, graphs: GraphBatch) -> Tensor:
        """The vectors of the graphs of a batch."""
        complete = graphs.complete if self.config.attends else None
        hidden = self.embedding(graphs.features)  # (N, D)
        for layer in self.layers:
            hidden = layer(hidden, graphs.edges, complete)  # (N, D)
        return mean_of_nodes(self.norm(hidden), graphs.owner, graphs.count)  # (G, D)

    def __repr__(self) -> str:
        count = sum(parameter.numel() for parameter in self.parameters())
        config = self.config
        attends = ", attending" if config.attends else ""
        return f"GraphEncoder({config.layers} x {config.width} {config.convolution}{attends}, {count:,} parameters)"
