"""Units that a user's table may have, and what makes them the catalog's: percent, seconds, milliseconds, counts."""

from __future__ import annotations

from decimal import Decimal

from catalog.tables.measures import known_measure
from ingest.reading.percents import is_accuracy

PERCENT = "percent"

_FACTORS = {
    PERCENT: {PERCENT: "1", "fraction": "100"},
    "s": {"s": "1", "ms": "0.001", "min": "60", "h": "3600"},
    "ms": {"ms": "1", "s": "1000", "us": "0.001"},
    "mJ": {"mJ": "1", "J": "1000", "uJ": "0.001"},
    "multiply-accumulates": {"multiply-accumulates": "1", "millions": "1000000", "billions": "1000000000"},
    None: {"thousands": "1000", "millions": "1000000", "billions": "1000000000"},
}
"""The catalog's unit, and what values in another one are multiplied by; None stands for plain counts."""

_COUNTS = frozenset({"parameters", "params"})


def unit_of(metric: str, said: str | None) -> str | None:
    """The unit in which a metric is stored: the catalog's own, else what its user says."""
    known = PERCENT if is_accuracy(metric) else known_measure(metric).unit
    return known or (None if metric in _COUNTS else said)


def factor(metric: str, said: str | None) -> Decimal | None:
    """What makes values in the unit that is said values in the catalog's; None where the unit is none of this metric.

    A metric that the catalog does not know is kept in the unit that its user says.
    """
    known = unit_of(metric, said)
    if said is None or said == known:
        return Decimal(1)
    if known is not None or metric in _COUNTS:
        found = _FACTORS.get(known, {}).get(said)
        return None if found is None else Decimal(found)
    return Decimal(1)


def allowed(metric: str) -> str:
    """The units that values of a metric may have, for a message."""
    return ", ".join(_FACTORS.get(unit_of(metric, None), {})) or "none"
