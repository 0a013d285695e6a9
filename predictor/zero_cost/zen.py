"""Zen-Score: how strongly a Gaussian network reacts to a small change of its input."""

from __future__ import annotations

import math

from catalog.errors import ProxyError
from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, Proxy


class Zen(Proxy):
    r"""Expressivity :math:`\log E\|f(x) - f(x + 0.01 x')\|_1 + \sum_{BN} \log\sqrt{\bar\sigma^2}` of Gaussian weights.

    Lin et al., "Zen-NAS: A zero-shot NAS for high-performance deep image recognition", 2021 (arXiv 2102.01063), as
    NAS-Bench-Suite-Zero measures it: f are the features before pooling, both terms in training mode, and
    :math:`\bar\sigma^2` is each BatchNorm's mean running variance after the two passes.

    Direction: higher is better. Cost: two forwards. Data: none. A network without BatchNorm has no score.
    """

    name = "zen"
    version = DRAWN_BY_LAYER
    needs = Need.GAUSSIAN

    def measure(self, passes: Passes) -> float:
        difference, variances = passes.gaussian
        if difference <= 0 or min(variances) <= 0:
            raise ProxyError("the perturbation changes nothing, or a BatchNorm sees a constant")
        return math.log(difference) + sum(math.log(variance) / 2 for variance in variances)
