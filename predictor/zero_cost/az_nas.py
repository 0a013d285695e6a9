"""AZ-NAS: four views of an untrained network that complement one another.

Lee and Ham, "AZ-NAS: Assembling zero-cost proxies for network architecture search", 2024 (arXiv 2403.19232).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from catalog.errors import ProxyError
from predictor.zero_cost.blocks import by_position
from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, Proxy


class Expressivity(Proxy):
    r"""Entropy of the normalised eigenvalues of the feature covariance, summed over the blocks.

    Direction: higher is better. Cost: one forward. Data: none (noise).
    """

    name = "az_expressivity"
    version = DRAWN_BY_LAYER
    needs = Need.BLOCKS

    def measure(self, passes: Passes) -> float:
        return float(sum(passes.blocks.entropies))


class Progressivity(Proxy):
    """Smallest growth of that entropy from a block to the next.

    Direction: higher is better. Cost: that of ``az_expressivity``, which it shares. Data: none (noise).
    """

    name = "az_progressivity"
    version = DRAWN_BY_LAYER
    needs = Need.BLOCKS

    def measure(self, passes: Passes) -> float:
        entropies = passes.blocks.entropies
        if len(entropies) < 2:
            raise ProxyError("progressivity needs at least two blocks")
        return min(after - before for before, after in pairwise(entropies))


class Trainability(Proxy):
    r"""Mean over the blocks of :math:`2 - s - 1/s`, s the spectral norm of :math:`E[g_{in} g_{out}^\top]`.

    Random signs :math:`g_{out}` at a block's output are carried back to its input; 0 means that gradients keep their
    size, and it is the best value. A block that divides the resolution has the pixels of its input folded into
    channels; tokens are positions as pixels are.

    Direction: higher is better. Cost: one backward through the blocks. Data: none (noise). A block that changes
    nothing has no trainability, so the network has none.
    """

    name = "az_trainability"
    version = DRAWN_BY_LAYER
    needs = Need.BLOCKS

    def measure(self, passes: Passes) -> float:
        values = [_trainability(*pair) for pair in passes.blocks.gradients]
        if not values:
            raise ProxyError("trainability needs at least two blocks")
        return float(sum(values) / len(values))


class Complexity(Proxy):
    """Multiply-accumulates of one image: ``flops`` under AZ-NAS's name.

    Direction: higher is better. Cost: none worth naming. Data: none.
    """

    name = "az_complexity"
    needs = Need.COUNTS
    native = True

    def measure(self, passes: Passes) -> float:
        return float(passes.counts[1])


def _trainability(outgoing: Tensor, incoming: Tensor) -> float:
    """2 - s - 1 / s of one block from gradients at its output and at its input."""
    if outgoing.shape == incoming.shape and torch.equal(outgoing, incoming):
        raise ProxyError("a block hands on its input unchanged")
    if incoming.ndim == 4:
        incoming = _folded(incoming, outgoing.shape[2:])
    after = by_position(outgoing)
    norm = float(torch.linalg.matrix_norm(by_position(incoming).T @ after / len(after), ord=2))
    return 2.0 - norm - 1.0 / (norm + 1e-6)


def _folded(incoming: Tensor, pixels: Sequence[int]) -> Tensor:
    """Gradients at a block's input with as many pixels as its output has, the others folded into channels."""
    factor = incoming.shape[2] // pixels[0]
    if [edge * factor for edge in pixels] != list(incoming.shape[2:]):
        before, after = ("x".join(map(str, edges)) for edges in (incoming.shape[2:], pixels))
        raise ProxyError(f"a block makes {before} pixels {after}, which no folding of pixels into channels does")
    return torch.nn.functional.pixel_unshuffle(incoming, factor) if factor > 1 else incoming
