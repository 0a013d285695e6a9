"""Which numbers of a file can be worked with."""

from __future__ import annotations

from typing import Any, TypeGuard

LARGEST = 1e300
"""Sums and squares of larger numbers overflow."""


def is_number(value: Any, low: float = -LARGEST, high: float = LARGEST) -> TypeGuard[float]:
    """Whether a value is a number in an interval, and none beyond `LARGEST`; truth values and texts are none.

    A whole number may have too many digits for a float.
    """
    is_numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return is_numeric and max(low, -LARGEST) <= value <= min(high, LARGEST)


def needed(value: Any, low: float = -LARGEST, high: float = LARGEST) -> str:
    """What a message says where `is_number` does not hold: the limits, unless it is for want of any number."""
    is_numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_numeric and (low, high) == (-LARGEST, LARGEST):
        return "a number is needed"
    return f"a number from {max(low, -LARGEST):g} to {min(high, LARGEST):g} is needed"
