"""What the passes over a network leave behind for proxies to look at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class LossPass:
    """What one minibatch leaves behind; what nobody needed is None or empty."""

    codes: dict[str, Tensor]
    """For each ReLU by name (B, neurons): whether its input is positive."""
    jacobian: Tensor | None = None
    """(B, pixels)."""
    activation_gradients: dict[str, Tensor] = field(default_factory=dict)
    """For each ReLU by name (B, neurons): the gradient of the summed logits with respect to its input."""
    gradients: Sequence[Tensor] = ()
    """dL/dtheta of each layer."""
    outputs: dict[int, Tensor] = field(default_factory=dict)
    """Output of each layer by its place."""
    output_gradients: dict[int, Tensor] = field(default_factory=dict)
    hessian_gradients: Sequence[Tensor] = ()
    """H g of each layer."""
    hessian_failure: str | None = None
    """Why there is none: PyTorch cannot derive every operator twice."""
