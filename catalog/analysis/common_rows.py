"""The rows that some columns have in common, and the columns that would cost the others too many of theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError

Mask = NDArray[np.bool_]

COMMON, OWN = "common", "own"
POOLS = (COMMON, OWN)
"""How columns are compared: on the architectures that they have in common, or each on all of its own."""

LEAST_COVERAGE = 0.5
"""Columns that cover a smaller share of the rows of the best-covered one are left out: they would cost the others."""

TOO_NARROW = "covers under half of the widest"
ELSEWHERE = "has too few architectures in common with the others"

FEW = 30
"""A column with fewer values never stands first."""


@dataclass(frozen=True, eq=False)
class Common:
    """What some columns have in common.

    Parameters
    ----------
    rows
        (n,) where every member has a value.
    members
        The columns that are compared there, in their order.
    apart
        The others, and why each stays out.
    targets
        What is ranked there; several where one pool serves several targets.
    """

    rows: Mask
    members: tuple[str, ...]
    apart: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.rows.sum())


def in_common(covered: Mapping[str, Mask]) -> Common:
    """The rows that columns have in common, and the columns that have no part in it.

    A column stays out if it covers less than `LEAST_COVERAGE` of what the widest covers, or if fewer than `FEW` rows
    would be left with it, as of a column that was scored elsewhere.

    Parameters
    ----------
    covered
        Column to (n,) the rows that it has a value for.
    """
    counts = {name: int(rows.sum()) for name, rows in covered.items()}
    widest = max(counts.values(), default=0)
    least = min(float(FEW), LEAST_COVERAGE * widest)
    apart = {name: TOO_NARROW for name, count in counts.items() if not count or count < LEAST_COVERAGE * widest}
    rows: Mask | None = None
    for name in sorted(counts.keys() - apart.keys(), key=lambda name: (-counts[name], list(counts).index(name))):
        together = covered[name] if rows is None else rows & covered[name]
        if rows is None or together.sum() >= least:
            rows = together
        else:
            apart[name] = ELSEWHERE
    if rows is None:
        rows = np.zeros(len(next(iter(covered.values()), ())), dtype=bool)
    return Common(rows, tuple(name for name in covered if name not in apart), apart)


def checked_pool(pool: str) -> str:
    """One of `POOLS`.

    Raises
    ------
    UsageError
        It is none.
    """
    if pool not in POOLS:
        raise UsageError(
            f"unknown pool {pool!r}; choose {COMMON} (the architectures that all compared columns have) or {OWN} (each "
            "column on all of its own)."
        )
    return pool
