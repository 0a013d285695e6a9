"""A comparison of search methods as a user holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from catalog.asking.frame_result import FrameResult
from catalog.progress import Listener
from catalog.search.benchmark import Comparison, compare, panel_of, prepare, rows_of
from catalog.search.figures import check_path, draw

if TYPE_CHECKING:
    from catalog.storage.store import Store


@dataclass(frozen=True, eq=False, repr=False)
class MethodComparison(FrameResult):
    """What each method found.

    Parameters
    ----------
    frame
        One row a method and a number of evaluations: mean and standard deviation of the truth, and regret.
    seconds
        Of one search, by method.
    """

    frame: pl.DataFrame
    seconds: dict[str, float]
    comparison: Comparison

    def plot(self, path: str | Path) -> Path:
        """Draw mean and standard deviation into a png, svg, pdf or html file.

        Raises
        ------
        UsageError
            The ending is unknown, or the folder does not exist.
        StoreError
            The file cannot be written.
        """
        bench = self.comparison.bench
        seeds = len(next(iter(self.comparison.curves.values())))
        title = f"{bench.space.name} by {bench.formula.text}, {seeds} seeds"
        draw(Path(path), title, [panel_of(self.comparison)])
        return Path(path)


def compare_methods(
    store: Store,
    space: str,
    by: str | None = None,
    truth: str | None = None,
    *,
    budget: int = 1000,
    seeds: int = 10,
    methods: Sequence[str] = (),
    plot: Path | None = None,
    listener: Listener,
) -> MethodComparison:
    """Run every method with every seed on a space whose truth is stored; see `catalog.search.benchmark`.

    Raises
    ------
    UsageError
        The catalog does not hold all of the space and its truth, or a name is unknown.
    """
    if plot is not None:
        check_path(plot)
    bench = prepare(store, space, by, truth, methods)
    seen = "which the methods SEE" if bench.truth in bench.formula.names else "which the methods do not see"
    searches = f"{seeds} searches of {budget:,} evaluations a method by {bench.formula.text}"
    listener.note(f"{searches}; reported is {bench.truth}, {seen}.")
    with listener.watch("searches") as advance:
        found = compare(bench, budget, seeds, advance)
    frame = pl.from_arrow(rows_of(found))
    assert isinstance(frame, pl.DataFrame)
    result = MethodComparison(frame, found.seconds, found)
    if plot is not None:
        result.plot(plot)
    return result
