"""Comparing search methods where the truth about every architecture is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import CatalogError, UsageError
from catalog.search.expression import Expression, parse
from catalog.search.figures import Line, Panel
from catalog.search.methods.history import History
from catalog.search.methods.problem import Budget, Problem
from catalog.search.methods.running import METHODS, methods_for, search
from catalog.search.scores import Objectives, ScoreSource, direction_of
from catalog.search.stored_values import StoredSpace, best_known
from catalog.search.supernet_scores import objectives_of
from catalog.search.unit import telling_twins_apart
from catalog.spaces.base import SearchSpace
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_spaces import space_of

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]

_CHECKPOINTS = (1, 2, 5)
_SETTLED = 5  # evaluations after which a figure shows everything; what is before would flatten the rest


@dataclass(frozen=True)
class Benchmark:
    """What is compared: the methods, the score that they see, and the truth that is reported."""

    catalog: Store
    space: SearchSpace
    stored: StoredSpace
    formula: Expression
    sign: int
    truth: str
    truth_sign: int
    methods: tuple[str, ...]
    tells_twins_apart: bool

    def objectives(self) -> Objectives:
        """The score, from stored columns and without a memory of other searches; only supernets are not stored."""
        rows = np.arange(len(self.stored))
        names = self.formula.names
        source = ScoreSource(self.catalog, self.space, self.stored, rows, names, self.tells_twins_apart)
        return objectives_of(source, [self.formula], [self.sign])

    def problem(self, objectives: Objectives, method: str) -> Problem:
        """What a method searches, as `catalog.search.job` would let it."""
        if METHODS[method].varies:
            return Problem(self.space, objectives, tells_twins_apart=self.tells_twins_apart)
        pool, ids = self.stored.digests, self.stored.native_ids
        return Problem(self.space, objectives, pool=pool, pool_ids=ids, tells_twins_apart=self.tells_twins_apart)


@dataclass(frozen=True)
class Comparison:
    """The course of all searches: by method (seeds, evaluations) true values of the best by the score so far.

    `best_by_score` is None where the truth of the best by the score is a proxy that has no value for it.
    """

    bench: Benchmark
    budget: int
    curves: dict[str, Values]
    seconds: dict[str, float]
    best_by_score: float | None
    oracle: float


def prepare(catalog: Store, space: str, by: str | None, truth: str | None, methods: Sequence[str] = ()) -> Benchmark:
    """Check what is to be compared.

    Raises
    ------
    UsageError
        The catalog does not hold all of the space and its truth, a name is unknown, or a method cannot search it by one
        score.
    """
    view = SpaceView.of(catalog, space)
    definition = space_of(catalog, space)
    formula = parse(by or best_known(view.columns, "valid") or _missing("validation accuracy", space, "--by"))
    reported = view.checked(truth or best_known(view.columns) or _missing("test accuracy", space, "--truth"))
    stored = StoredSpace.read(catalog, definition, [*formula.names, reported])
    if not stored.is_complete:
        size = "cannot be listed" if definition.size is None else f"has {definition.size:,} architectures"
        raise UsageError(
            f"{space} {size} and the catalog holds {len(stored):,}; a comparison needs the truth about whatever a "
            f"method may find. Enter all with `catalog spaces --enumerate {space}` and ingest their accuracies."
        )
    if unknown := len(stored.lacking(reported)):
        raise UsageError(
            f"{reported} is not known for all architectures of {unknown:,} functions of {space}; a comparison needs "
            "the truth about whatever a method may find. Name another column with --truth, or ingest what is missing."
        )
    possible = tuple(name for name in methods_for(definition) if name != "exhaustive")
    chosen = tuple(dict.fromkeys(("random", *(methods or possible))))
    for name in chosen:
        if name not in possible:
            raise UsageError(
                f"{name!r} is no method that can be compared on {space}; choose among {', '.join(possible)}."
            )
    stored = _with_all_values(catalog, definition, stored, formula)
    sign = 1 if formula.name is None else direction_of(catalog, space, stored, formula.name)
    apart = telling_twins_apart(definition, stored, formula.names, (), is_listed=True)  # nothing is left to compute
    return Benchmark(
        catalog,
        definition,
        stored,
        formula,
        sign,
        reported,
        -1 if is_cost(catalog, space, reported) else 1,
        chosen,
        bool(apart),
    )


def _missing(what: str, space: str, option: str) -> str:
    raise UsageError(f"{space} has no {what}; name a column with {option}, or ingest a table of accuracies.")


def _with_all_values(catalog: Store, space: SearchSpace, stored: StoredSpace, formula: Expression) -> StoredSpace:
    """What is not stored is computed once, for all searches."""
    pool = np.arange(len(stored))
    source = ScoreSource(catalog, space, stored, pool, formula.names)
    lacking = {name: stored.lacking(name) for name in formula.names if name in source.computable}
    missing = [name for name, functions in lacking.items() if functions]
    if not missing:
        return stored
    if source.is_slow:
        functions = len(frozenset[str]().union(*(lacking[name] for name in missing)))
        raise UsageError(
            f"{', '.join(missing)} is not measured for {functions:,} functions of {space.name}. A comparison stores "
            "nothing, and the choice of the score itself, which it reports, needs all of them; measure them once: "
            f"catalog score {space.name} {' '.join(f'--proxy {name}' for name in missing)}."
        )
    values = source.of_stored(missing)
    tried = {name: np.isnan(column) for name, column in values.items()}
    return replace(stored, columns={**stored.columns, **values}, refused={**stored.refused, **tried})


def compare(
    bench: Benchmark, budget: int, seeds: int, progress: Callable[[int, int], None] | None = None
) -> Comparison:
    """Run every method with every seed.

    Raises
    ------
    CatalogError
        No architecture has a value of the score and a known truth.
    """
    truth = bench.stored.columns[bench.truth]
    everything = bench.sign * bench.formula.evaluate({name: bench.stored.columns[name] for name in bench.formula.names})
    if np.isnan(everything).all() or np.isnan(truth).all():
        raise CatalogError(f"no architecture of {bench.space.name} has both {bench.formula.text} and {bench.truth}.")
    of_the_best = truth[(everything == np.nanmax(everything)) & ~np.isnan(truth)]
    curves: dict[str, list[Values]] = {}
    seconds: dict[str, float] = {}
    done = 0
    for method in bench.methods:
        for seed in range(seeds):
            objectives = bench.objectives()
            history = search(bench.problem(objectives, method), method, Budget(budget), seed)
            if history.stopped == "interrupted":
                raise KeyboardInterrupt
            curves.setdefault(method, []).append(_true_curve(bench, objectives.source, history, budget))
            seconds[method] = seconds.get(method, 0.0) + history.seconds / seeds
            done += 1
            if progress is not None:
                progress(done, seeds * len(bench.methods))
    return Comparison(
        bench,
        budget,
        {method: np.stack(found) for method, found in curves.items()},
        seconds,
        float(of_the_best.mean()) if len(of_the_best) else None,
        float(bench.truth_sign * np.nanmax(bench.truth_sign * truth)),
    )


def _true_curve(bench: Benchmark, source: ScoreSource, history: History, budget: int) -> Values:
    """(budget,) the true value of the best by the score after each evaluation; NaN before the first."""
    curve = np.full(budget, np.nan)
    points = history.curve()
    rows = source.row_of([point.candidate for point in points]).tolist()
    for point, row in zip(points, rows, strict=True):
        curve[point.evaluation - 1 :] = bench.stored.columns[bench.truth][row]
    return curve


def checkpoints(budget: int) -> list[int]:
    """1, 2, 5, 10, 20, 50, ... and the budget itself."""
    found = [step * 10**power for power in range(len(str(budget))) for step in _CHECKPOINTS]
    return sorted({*(number for number in found if number <= budget), budget})


def rows_of(found: Comparison) -> pa.Table:
    """One row a method and a number of evaluations; the two lines that need no search have one each.

    Numbers are rounded beyond what can matter, so that sums in another order give the same bytes.
    """
    bench = found.bench
    rows: list[dict[str, object]] = []
    for method, curves in found.curves.items():
        for evaluations in checkpoints(found.budget):
            values = curves[:, evaluations - 1]
            values = values[~np.isnan(values)]
            mean = float(values.mean()) if len(values) else None
            rows.append(
                {
                    "method": method,
                    "evaluations": evaluations,
                    "mean": mean,
                    "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
                    "regret": None if mean is None else bench.truth_sign * (found.oracle - mean),
                }
            )
    for name, level in _levels(found).items():
        regret = bench.truth_sign * (found.oracle - level)
        rows.append({"method": name, "evaluations": None, "mean": level, "sd": None, "regret": regret})
    for row in rows:
        row |= {name: round(value, 6) + 0.0 for name, value in row.items() if isinstance(value, float)}
    kinds = {"method": pa.string(), "evaluations": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in rows[0]])
    return pa.Table.from_pylist(rows, schema=schema)


def panel_of(found: Comparison) -> Panel:
    """Mean and standard deviation against evaluations, with the lines that need no search."""
    across = np.arange(1, found.budget + 1, dtype=np.float64)
    lines = []
    for method, curves in found.curves.items():
        known = ~np.isnan(curves).any(axis=0)
        spread = curves[:, known].std(axis=0, ddof=1) if len(curves) > 1 else None
        lines.append(Line(method, across[known], curves[:, known].mean(axis=0), spread))
    later = [line.y[min(_SETTLED, len(line.y)) - 1] for line in lines if len(line.y)]
    levels = _levels(found)
    room = 0.1 * (max(levels.values()) - min(later, default=0.0))
    lowest = min(later) - room if later and found.bench.truth_sign > 0 else None
    return Panel("evaluations", found.bench.truth, lines, levels, logarithmic=bool(later), lowest=lowest)


def _levels(found: Comparison) -> dict[str, float]:
    levels = {"best-by-score": found.best_by_score, "oracle": found.oracle}
    return {name: level for name, level in levels.items() if level is not None}
