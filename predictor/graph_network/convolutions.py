"""Layers that carry messages along edges, equal to torch-geometric's of the same parameters.

They exist because importing torch-geometric takes longer than scoring a space; a test holds both equal.

Shapes: ``hidden`` (N, D), ``edges`` (2, E), source above target; result (N, D').
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from predictor.graph_network.batch import Adjacency, gathered, shares

Convolution = Callable[[int, int], nn.Module]
"""Makes a layer from a width to a width, with the call ``layer(hidden, edges)``."""


class GCNConvolution(nn.Module):
    r"""Mean over neighbours and itself, :math:`x'_v = \sum_u (d_u d_v)^{-1/2} W x_u + b`, d counting the node itself.

    Kipf and Welling, "Semi-supervised classification with graph convolutional networks", 2017 (arXiv 1609.02907);
    torch-geometric's ``GCNConv``.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.lin = nn.Linear(inputs, outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, hidden: Tensor, edges: Tensor) -> Tensor:
        """One round of messages."""
        count = len(hidden)
        itself = torch.arange(count, device=hidden.device)
        sources, targets = torch.cat([edges, itself.expand(2, -1)], dim=1)
        root = torch.bincount(targets, minlength=count).to(hidden.dtype).rsqrt()
        messages = self.lin(hidden)[sources] * (root[sources] * root[targets]).unsqueeze(-1)
        return gathered(messages, targets, count) + self.bias


class GINConvolution(nn.Module):
    r"""Sum over neighbours, :math:`x'_v = \mathrm{MLP}((1 + \epsilon) x_v + \sum_u x_u)`.

    Xu et al., "How powerful are graph neural networks?", 2019 (arXiv 1810.00826); torch-geometric's ``GINConv`` with a
    trained epsilon.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.nn = nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU(), nn.Linear(outputs, outputs))
        self.eps = nn.Parameter(torch.zeros(1))

    def forward(self, hidden: Tensor, edges: Tensor | Adjacency) -> Tensor:
        """One round of messages."""
        if isinstance(edges, Adjacency):
            heard = edges.heard(hidden)
        else:
            sources, targets = edges
            heard = gathered(hidden[sources], targets, len(hidden))
        out: Tensor = self.nn((1 + self.eps) * hidden + heard)
        return out


class EdgeAttention(nn.Module):
    r"""Attention of each node over the sources of its edges, :math:`x'_v = W_s x_v + \sum_u \alpha_{vu} W_v x_u`.

    Shi et al., "Masked label prediction", 2021 (arXiv 2009.03509); torch-geometric's ``TransformerConv``. With an edge
    between any two nodes of a graph it is the self-attention of a transformer.

    Parameters
    ----------
    heads
        Attentions side by side, each of a part of the width.
    """

    def __init__(self, inputs: int, outputs: int, heads: int = 4) -> None:
        super().__init__()
        if outputs % heads:
            raise ValueError(f"a width of {outputs} has no {heads} equal parts.")
        self.heads = heads
        self.lin_query = nn.Linear(inputs, outputs)
        self.lin_key = nn.Linear(inputs, outputs)
        self.lin_value = nn.Linear(inputs, outputs)
        self.lin_skip = nn.Linear(inputs, outputs)

    def forward(self, hidden: Tensor, edges: Tensor) -> Tensor:
        """One round of messages."""
        sources, targets = edges
        query, key, value = (
            part(hidden).unflatten(-1, (self.heads, -1)) for part in (self.lin_query, self.lin_key, self.lin_value)
        )  # (N, H, D / H)
        scores = (query[targets] * key[sources]).sum(dim=-1) / math.sqrt(query.shape[-1])  # (E, H)
        weights = shares(scores, targets, len(hidden)).unsqueeze(-1)
        heard = gathered(weights * value[sources], targets, len(hidden)).flatten(1)
        out: Tensor = heard + self.lin_skip(hidden)
        return out


CONVOLUTIONS: dict[str, Convolution] = {"gcn": GCNConvolution, "gin": GINConvolution, "attention": EdgeAttention}
"""The layers by name."""
