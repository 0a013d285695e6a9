"""What a search must keep: the bounds of the command line, and how far a candidate breaks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from catalog.errors import UsageError
from catalog.search.expression import Expression, parse
from catalog.search.methods.problem import Candidate
from catalog.search.scores import ScoreSource, Values
from catalog.search.stored_values import Rows, StoredSpace


@dataclass(frozen=True)
class Bound:
    """One ``--max`` or ``--min``: a formula that must not exceed, or not fall below, a number."""

    formula: Expression
    limit: float
    is_upper: bool

    @classmethod
    def parse(cls, text: str, *, is_upper: bool) -> Bound:
        """Read ``params=1e6``.

        Raises
        ------
        UsageError
            The text is no formula, an equals sign and a finite number.
        """
        left, sign, right = text.rpartition("=")
        try:
            limit = float(right)
        except ValueError:
            limit = np.nan
        if not sign or not left.strip() or not np.isfinite(limit):
            option = "--max" if is_upper else "--min"
            raise UsageError(f"{option} {text!r} is no bound; write a name and a number, for example params=1e6.")
        return cls(parse(left), limit, is_upper)

    def kept(self, stored: StoredSpace, rows: Rows) -> Rows:
        """Those of some stored architectures that keep the bound, by the stored columns."""
        values = self.formula.evaluate({name: stored.columns[name][rows] for name in self.formula.names})
        return rows[values <= self.limit if self.is_upper else values >= self.limit]

    def violations(self, known: Mapping[str, Values]) -> Values:
        """(B,) by how much of the bound given values break it; NaN where the formula has no value."""
        values = self.formula.evaluate(known)
        beyond = values - self.limit if self.is_upper else self.limit - values
        return np.maximum(beyond, 0.0) / (abs(self.limit) or 1.0)


_Read = Callable[[Sequence[Candidate], Sequence[str]], Mapping[str, Values]]


@dataclass(frozen=True)
class Constraints:
    """All constraints of a search; called with candidates, it gives by how much they break them, (B,).

    Parameters
    ----------
    bounds
        The ``--max`` and ``--min`` that every candidate is held against.
    listed
        Further ones, about which the source's allowed rows say all, as about ``--where``: their amounts only lead the
        way back to what is allowed, so nothing is measured for them.
    is_narrowed
        Whether only what `ScoreSource.are_allowed` keeps the constraints.
    """

    source: ScoreSource
    bounds: Sequence[Bound]
    listed: Sequence[Bound] = ()
    is_narrowed: bool = False

    def __call__(self, candidates: Sequence[Candidate]) -> Values:
        if not self.is_narrowed:
            return self._beyond(self.bounds, candidates, self.source.values)
        kept = self.source.are_allowed(candidates)
        amounts = self._beyond(self.listed, candidates, self.source.known_values)
        total = np.where(amounts > 0, amounts, 1.0)
        allowed = [candidates[place] for place in np.flatnonzero(kept).tolist()]
        total[kept] = self._beyond(self.bounds, allowed, self.source.values)
        return total

    def _beyond(self, bounds: Sequence[Bound], candidates: Sequence[Candidate], read: _Read) -> Values:
        total = np.zeros(len(candidates))
        for bound in bounds:
            total += bound.violations(read(candidates, bound.formula.names))
        return total
