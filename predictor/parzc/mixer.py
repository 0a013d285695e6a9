"""MABN, the mixer architecture with Bayesian network of ParZC, alone or beside a graph encoder."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from predictor.graph_network.batch import GraphBatch
from predictor.graph_network.encoder import GraphEncoder, GraphEncoderConfig

_RHO = -5.0
_EXPANSIONS = (4.0, 0.5)


@dataclass(frozen=True)
class MABNConfig:
    """Everything that decides the shape of a network.

    Parameters
    ----------
    inputs
        Numbers of one network: layers times proxies.
    segments, segment
        Number and width of the parts that the first layer makes.
    channels
        Width of the mixer.
    depth
        Pairs of feed-forwards.
    mixes
        Whether there is a mixer; without, the segments' mean goes to the head.
    is_bayesian
        Whether the first and last layer of the mixer are Bayesian.
    nodes
        Features of a node of the graph; 0 for statistics alone.
    """

    inputs: int
    segments: int = 16
    segment: int = 16
    channels: int = 512
    depth: int = 4
    mixes: bool = True
    is_bayesian: bool = True
    nodes: int = 0


class BayesianLinear(nn.Module):
    r"""A linear map of normally distributed weights, :math:`W = \mu + \mathrm{softplus}(\rho) \epsilon`.

    Blundell et al., "Weight uncertainty in neural networks", 2015 (arXiv 1505.05424), without its prior, as in ParZC.
    While training, epsilon is drawn anew at every call; otherwise it is 0, or what `samples` holds.

    Shapes: (..., inputs) to (..., outputs).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        plain = nn.Linear(inputs, outputs)
        self.weight_mean = nn.Parameter(plain.weight.detach().clone())
        self.bias_mean = nn.Parameter(plain.bias.detach().clone())
        self.weight_rho = nn.Parameter(torch.full((outputs, inputs), _RHO))
        self.bias_rho = nn.Parameter(torch.full((outputs,), _RHO))
        self.generator: torch.Generator | None = None
        """What draws while it is not training; None for the mean weights."""

    def forward(self, values: Tensor) -> Tensor:
        """One map, the same weights for the whole batch."""
        weight, bias = (
            self._drawn(mean, rho)
            for mean, rho in ((self.weight_mean, self.weight_rho), (self.bias_mean, self.bias_rho))
        )
        return nn.functional.linear(values, weight, bias)

    def _drawn(self, mean: Tensor, rho: Tensor) -> Tensor:
        if not self.training and self.generator is None:
            return mean
        generator = None if self.training else self.generator
        return mean + nn.functional.softplus(rho) * torch.randn(mean.shape, generator=generator)


class FeedForward(nn.Module):
    """A pre-norm residual feed-forward on channels: (..., C) to (..., C)."""

    def __init__(self, channels: int, expansion: float) -> None:
        super().__init__()
        inner = int(channels * expansion)
        self.layers = nn.Sequential(
            nn.LayerNorm(channels), nn.Linear(channels, inner), nn.GELU(), nn.Linear(inner, channels)
        )

    def forward(self, values: Tensor) -> Tensor:
        """The values plus what the layers make of them."""
        out: Tensor = values + self.layers(values)
        return out


class MABN(nn.Module):
    """Score of a network from the statistics of its layers, in the hybrid from the graph of its operators too.

    Dong et al., "ParZC: Parametric zero-cost proxies for efficient NAS", 2025 (arXiv 2402.02105), as their code has it:
    both feed-forwards of a pair act on channels: nothing mixes segments but the first layer and the mean. In the
    hybrid the mean is added to the vector of a graph encoder.

    Shapes: inputs (B, I), graphs of B graphs; result (B,).
    """

    def __init__(self, config: MABNConfig, encoder: GraphEncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config
        linear = BayesianLinear if config.is_bayesian else nn.Linear
        width = config.channels if config.mixes else config.segment
        self.first = nn.Linear(config.inputs, config.segments * config.segment)
        self.widen: nn.Module = linear(config.segment, width) if config.mixes else nn.Identity()
        mixer = [FeedForward(width, size) for _ in range(config.depth) for size in _EXPANSIONS]
        self.mixer = nn.Sequential(*mixer if config.mixes else [], nn.LayerNorm(width))
        self.head: nn.Module = linear(width, 1)
        self.encoder = GraphEncoder(config.nodes, encoder or GraphEncoderConfig()) if config.nodes else None
        self.join = nn.Linear(self.encoder.config.width, width) if self.encoder is not None else None

    def forward(self, inputs: Tensor, graphs: GraphBatch | None = None) -> Tensor:
        """Scores of a batch."""
        parts = self.first(inputs).unflatten(-1, (self.config.segments, self.config.segment))  # (B, S, W)
        mixed = self.mixer(self.widen(parts)).mean(dim=1)  # (B, C)
        if self.encoder is not None and self.join is not None:
            assert graphs is not None
            mixed = mixed + self.join(self.encoder(graphs))
        score: Tensor = self.head(mixed).squeeze(-1)  # (B,)
        return score

    @contextmanager
    def sampled(self, seed: int) -> Generator[None, None, None]:
        """Score with weights that the seed draws, the same in every call and for every batch."""
        layers = [module for module in self.modules() if isinstance(module, BayesianLinear)]
        self._reseed(layers, seed)
        handle = self.register_forward_pre_hook(lambda *_: self._reseed(layers, seed))
        try:
            yield
        finally:
            handle.remove()
            for layer in layers:
                layer.generator = None

    @staticmethod
    def _reseed(layers: list[BayesianLinear], seed: int) -> None:
        for place, layer in enumerate(layers):
            layer.generator = torch.Generator().manual_seed(seed * len(layers) + place)

    def __repr__(self) -> str:
        config = self.config
        count = sum(parameter.numel() for parameter in self.parameters())
        hybrid = f" + {self.encoder!r}" if self.encoder is not None else ""
        return f"MABN({config.inputs} inputs, {config.depth} x {config.channels}{hybrid}, {count:,} parameters)"
