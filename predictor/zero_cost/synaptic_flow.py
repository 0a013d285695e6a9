"""Synaptic flow: how much signal survives when every weight counts as positive."""

from __future__ import annotations

import math

from torch import Tensor

from catalog.errors import ProxyError
from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, LayerwiseProxy, Proxy, per_layer


class SynFlow(LayerwiseProxy):
    r"""Sum of :math:`|\theta| \cdot \partial R/\partial|\theta|` on the input of ones, without normalisation.

    Tanaka et al., "Pruning neural networks without any data by iteratively conserving synaptic flow", 2020
    (arXiv 2006.05467). So that nothing but positive flow remains, ReLU6 has no bound, and no gradient goes through the
    weights of an attention.

    Direction: higher is better. Cost: one forward and backward of one image, in double precision. Data: none.
    Range: many orders of magnitude, so ``logsynflow`` is stored beside it, and of each layer the natural logarithm.
    """

    name = "synflow"
    version = DRAWN_BY_LAYER
    needs = Need.SYNAPTIC

    def layer_values(self, passes: Passes) -> Tensor:
        return per_layer(passes.synaptic)

    def layer_parts(self, passes: Passes) -> dict[str, float | None]:
        return {name: _logarithm(value) for name, value in super().layer_parts(passes).items()}


class NormedSynFlow(LayerwiseProxy):
    r"""Sum of :math:`|\theta \cdot \partial R/\partial\theta|` on the input of ones, with normalisation in place.

    What Dong et al., "ParZC: Parametric zero-cost proxies for efficient NAS", 2025 (arXiv 2402.02105), take of each
    layer under the name of synflow.

    Direction: higher is better, by that descent. Cost: one forward and backward of one image, in double precision.
    Data: none. Of each layer the natural logarithm is stored.
    """

    name = "synflow_normed"
    needs = Need.NORMED_SYNAPTIC

    def layer_values(self, passes: Passes) -> Tensor:
        return per_layer([flow.abs() for flow in passes.normed_synaptic])

    def layer_parts(self, passes: Passes) -> dict[str, float | None]:
        return {name: _logarithm(value) for name, value in super().layer_parts(passes).items()}


def _logarithm(value: float | None) -> float | None:
    """The natural logarithm; None of nothing and of zero."""
    return math.log(value) if value else None


class LogSynFlow(Proxy):
    """Natural logarithm of ``synflow``; NAS-Bench-Suite-Zero publishes it under the name of ``synflow``.

    Direction: higher is better. Cost: that of ``synflow``, which it shares. Data: none.
    """

    name = "logsynflow"
    version = DRAWN_BY_LAYER
    needs = Need.SYNAPTIC

    def measure(self, passes: Passes) -> float:
        flow = float(per_layer(passes.synaptic).sum())
        if flow <= 0:
            raise ProxyError(f"synflow is {flow}, which has no logarithm")
        return math.log(flow)
