"""Two columns of many rows as hexagonal bins: where the architectures are, and one of each bin to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

ACROSS = 34
DOWN = 13  # two rows of bins each

_NOTHING = 1e-300  # a part of a smaller span would be zero


@dataclass(frozen=True, eq=False)
class Hexagons:
    """The occupied bins.

    Parameters
    ----------
    x, y
        Their centres.
    count
        Rows in each.
    member
        One row of each.
    dx, dy
        Distance of neighbouring centres in a row of bins, and of one row from the next.
    """

    x: Values
    y: Values
    count: NDArray[np.int64]
    member: NDArray[np.int64]
    dx: float
    dy: float

    def __repr__(self) -> str:
        return f"Hexagons({len(self.x)} bins, {int(self.count.sum())} rows)"


def hexagonal_bins(x: Values, y: Values, priority: NDArray[np.int64]) -> Hexagons:
    """Sort rows into hexagons (Carr and others, "Scatterplot matrix techniques for large N", 1987).

    Hexagons are the cells of two rectangular lattices laid into each other: a row belongs to the nearer of its two
    candidate centres.

    Parameters
    ----------
    x, y
        Finite values.
    priority
        The row of lowest priority stands for its bin. One order for all figures lets them share the rows they show.
    """
    dx, dy = _span(x) / ACROSS, _span(y) / (2 * DOWN)
    across, down = (x - x.min()) / dx, (y - y.min()) / (2 * dy)  # both lattices have a centre in every unit square
    even_x, even_y = np.rint(across), np.rint(down)
    odd_x, odd_y = np.floor(across) + 0.5, np.floor(down) + 0.5
    even = (across - even_x) ** 2 + 3 * (down - even_y) ** 2 <= (across - odd_x) ** 2 + 3 * (down - odd_y) ** 2
    centre_x, centre_y = np.where(even, even_x, odd_x), np.where(even, even_y, odd_y)
    code = np.rint(centre_x * 2).astype(np.int64) * (4 * DOWN + 8) + np.rint(centre_y * 2).astype(np.int64)
    order = np.lexsort((priority, code))
    _, first, count = np.unique(code[order], return_index=True, return_counts=True)
    member = order[first]
    return Hexagons(
        x.min() + centre_x[member] * dx, y.min() + centre_y[member] * 2 * dy, count.astype(np.int64), member, dx, dy
    )


def _span(values: Values) -> float:
    span = float(values.max() - values.min())
    return span if span > _NOTHING else 1.0
