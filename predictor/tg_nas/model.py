"""The network of TG-NAS: message passing along and against the data flow, from operator facts to one number."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from predictor.tg_nas.config import TGNASConfig

Convolution = Callable[[int, int], nn.Module]
"""Makes a layer with the call ``layer(x, adj, mask)``; torch-geometric's `DenseGraphConv` is one."""


class GraphConvolution(nn.Module):
    r"""Graph convolution :math:`x'_v = W_1 x_v + W_2 \sum_u a_{vu} x_u + b` on padded batches.

    Morris et al., "Weisfeiler and Leman go neural", 2019 (arXiv 1810.02244). Parameter by parameter it is
    torch-geometric's ``DenseGraphConv``, and a test holds both equal; it exists because importing torch-geometric
    takes longer than scoring a space, and scoring must start quickly. Training uses torch-geometric's own.

    Shapes: ``x`` (B, N, D), ``adj`` (B, N, N) with row = receiver, ``mask`` (B, N); result (B, N, D').
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.lin_rel = nn.Linear(in_channels, out_channels)
        self.lin_root = nn.Linear(in_channels, out_channels, bias=False)

    def forward(self, x: Tensor, adj: Tensor, mask: Tensor) -> Tensor:
        """One round of messages."""
        out: Tensor = self.lin_rel(torch.bmm(adj, x)) + self.lin_root(x)
        return out * mask.unsqueeze(-1)


class MessagePassing(nn.Module):
    """One residual round in both directions: what feeds a node, and what it feeds."""

    def __init__(self, width: int, convolution: Convolution) -> None:
        super().__init__()
        self.sources = convolution(width, width)
        self.targets = convolution(width, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, hidden: Tensor, adjacency: Tensor, mask: Tensor) -> Tensor:
        """(B, N, D) to (B, N, D)."""
        heard = self.sources(hidden, adjacency.transpose(1, 2), mask) + self.targets(hidden, adjacency, mask)
        return hidden + torch.relu(self.norm(heard)) * mask.unsqueeze(-1)


class TGNASNetwork(nn.Module):
    r"""Score of a cell: :math:`w^\top \mathrm{MLP}(n^{-1/2} \sum_v h_v)` over the nodes that are there.

    After Qiao et al., "TG-NAS", 2024 (arXiv 2404.00271), with a masked read-out in place of the global node, both
    directions, and numeric operator descriptors beside the sentence embedding. The sum over the square root of the
    size neither ignores how much there is (a mean would) nor grows with it alone (a sum would).
    """

    def __init__(self, features: int, config: TGNASConfig, convolution: Convolution = GraphConvolution) -> None:
        super().__init__()
        self.config = config
        self.features = features
        self.operator = nn.Linear(features, config.width)
        self.scale = nn.Linear(1, config.width, bias=False)
        self.rounds = nn.ModuleList(MessagePassing(config.width, convolution) for _ in range(config.layers))
        self.head = nn.Sequential(nn.Linear(config.width, config.width), nn.ReLU(), nn.Linear(config.width, 1))

    def forward(self, table: Tensor, operators: Tensor, adjacency: Tensor, scale: Tensor) -> Tensor:
        """Scores of cells.

        Parameters
        ----------
        table
            (V, F) features of every operator that occurs.
        operators
            (B, N) rows of `table`; negative where a place is empty.
        adjacency
            (B, N, N) edge multiplicities, row = source.
        scale
            (B, N) factor on each operator's relative parameters.
        """
        mask = (operators >= 0).to(adjacency.dtype)  # (B, N)
        nodes = nn.functional.embedding(operators.clamp(min=0), self.operator(table))  # (B, N, D): projected once
        hidden = torch.relu(nodes + self.scale(torch.log2(scale).unsqueeze(-1))) * mask.unsqueeze(-1)  # (B, N, D)
        for messages in self.rounds:
            hidden = messages(hidden, adjacency, mask)  # (B, N, D)
        size = mask.sum(dim=1, keepdim=True)  # (B, 1)
        pooled = hidden.sum(dim=1) / size.sqrt()  # (B, D)
        score: Tensor = self.head(pooled).squeeze(-1)  # (B,)
        return score

    def __repr__(self) -> str:
        config = self.config
        count = sum(parameter.numel() for parameter in self.parameters())
        return f"TGNASNetwork({self.features} features, {config.layers} x {config.width}, {count:,} parameters)"
