"""Values that a measure can have at all: what lies outside is no measurement, whatever file says it.

The ranges are wide on purpose. They say what a number in this unit can mean, not what is usual: a training of a second
and one of thirty years both pass, one of 2e20 seconds does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from catalog.tables.measures import known_measure


@dataclass(frozen=True)
class Range:
    """The values from `low` to `high`, and the unit that they are in."""

    low: float
    high: float
    unit: str | None = None

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        limits = f"of {self.low:g} or more" if self.high == math.inf else f"from {self.low:g} to {self.high:g}"
        return limits + unit


_BY_UNIT = {
    "percent": (0.0, 100.0),
    "s": (0.0, 1e9),  # thirty years
    "ms": (0.0, 1e9),  # twelve days for one batch
    "mJ": (0.0, 1e12),
    "multiply-accumulates": (0.0, 1e18),
    "operations per byte": (0.0, 1e12),
}

_COUNTS = "parameters tuned_parameters params live_params init_channels layers"
_COSTS = (
    "live_flops macs multiply_accumulates memory peak_memory memory_usage model_size power edp co2 throughput fps"
    " time runtime run_time inference_time train_time"
)
_ERRORS = (
    "mse rmse mae mape fid perplexity bits_per_byte bits_per_character error top1_error top5_error error_rate"
    " word_error_rate wer character_error_rate cer phone_error_rate"
)
_BY_NAME = {
    **dict.fromkeys(_COUNTS.split(), (0.0, 1e15)),
    **dict.fromkeys(_COSTS.split(), (0.0, math.inf)),
    **dict.fromkeys(_ERRORS.split(), (0.0, math.inf)),
}
"""Names without a unit of their own whose values are never negative."""

SECONDS = Range(*_BY_UNIT["s"], "s")
"""Of the time that a score took."""


def plausible(name: str) -> Range | None:
    """The values that a metric or proxy of this name can have; None where any number may be one."""
    unit = known_measure(name).unit
    if unit in _BY_UNIT:
        return Range(*_BY_UNIT[unit], unit)
    limits = _BY_NAME.get(name.lower())
    return Range(*limits) if limits else None
