"""Two columns of many rows as hexagonal bins: where the architectures are, and one of each bin to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

ACROSS = 34
DOWN = 13  # two rows of bins each


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
    """Sort rows into matplotlib's hexagons.

    Parameters
    ----------
    x, y
        Finite values.
    priority
        The row of lowest priority stands for its bin. One order for all figures lets them share the rows they show.
    """
    from matplotlib.figure import Figure

    order = np.argsort(priority, kind="stable")
    found: list[tuple[int, int]] = []  # in the order of the bins

    def note(rows: NDArray[np.int64] | list[float]) -> int:
        found.append((len(rows), int(rows[0])))
        return len(rows)

    axes = Figure().add_subplot()
    bins = axes.hexbin(x[order], y[order], order, gridsize=(ACROSS, DOWN), mincnt=1, reduce_C_function=note)
    centre_x, centre_y = np.asarray(bins.get_offsets()).T
    count, member = np.array(found).T
    (hexagon,) = bins.get_paths()  # around the origin, as wide as a bin and with two thirds of a row above
    dx, dy = np.asarray(hexagon.vertices).max(axis=0) * (2, 1.5)
    return Hexagons(centre_x, centre_y, count, member, float(dx), float(dy))
