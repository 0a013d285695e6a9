"""Zero-cost proxies: numbers that an untrained network gives away.

It measures networks that it is given and stores nothing; jobs and columns belong to `predictor.scoring`.
"""

from __future__ import annotations

from predictor.zero_cost.measuring import MeasureConfig, Measurement, measure, measure_config, measure_many
from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import LayeredProxy, LayerwiseProxy, Proxy
from predictor.zero_cost.registry import SUITE_ZERO, proxies_named, registered

__all__ = [
    "SUITE_ZERO",
    "LayeredProxy",
    "LayerwiseProxy",
    "MeasureConfig",
    "Measurement",
    "Need",
    "Passes",
    "Proxy",
    "measure",
    "measure_config",
    "measure_many",
    "proxies_named",
    "registered",
]
