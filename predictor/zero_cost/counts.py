"""What can be counted without running anything."""

from __future__ import annotations

from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import Proxy


class Params(Proxy):
    """Trainable parameters of the network that was measured, dead operators included.

    Direction: higher is better. Cost: none worth naming. Data: none.
    """

    name = "params"
    needs = Need.COUNTS
    native = True

    def measure(self, passes: Passes) -> float:
        return float(passes.counts[0])


class Flops(Proxy):
    """Multiply-accumulates of convolutions and classifier for one image, dead operators included.

    Direction: higher is better. Cost: none worth naming. Data: none. NAS-Bench-Suite-Zero counts BatchNorm and pooling
    too, which changes a few ranks.
    """

    name = "flops"
    needs = Need.COUNTS
    native = True

    def measure(self, passes: Passes) -> float:
        return float(passes.counts[1])
