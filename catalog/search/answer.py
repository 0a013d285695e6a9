"""What a search prints: the best candidates as rows, and what is known about them that the search did not use."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from catalog.search.figures import Line, Panel
from catalog.search.job import Outcome, any_time
from catalog.search.methods.history import Visit
from catalog.search.methods.problem import Candidate
from catalog.search.stored_values import holds_of_function
from catalog.tables.column_names import DEFAULT_INPUT
from catalog.tables.direction import is_cost

if TYPE_CHECKING:
    from catalog.storage.store import Store

_CURVE_POINTS = 6


def answered(outcome: Outcome, count: int) -> list[Visit]:
    """The best `count` visits, or the whole Pareto front of a search by several scores."""
    history = outcome.history
    return history.top(count) if history.objectives == 1 else history.front()


def as_rows(outcome: Outcome, visits: Sequence[Visit]) -> pa.Table:
    """One row a visit: its scores, the numbers that they and the constraints are made of, and the native id."""
    prepared = outcome.prepared
    objectives = prepared.objectives
    candidates = [visit.candidate for visit in visits]
    columns: dict[str, object] = {}
    if len(objectives.formulas) == 1:
        columns["rank"] = range(1, len(visits) + 1)
    for place, (formula, sign) in enumerate(zip(objectives.formulas, objectives.signs, strict=True)):
        columns[formula.text] = [sign * visit.scores[place] for visit in visits]
    names = dict.fromkeys(name for formula in objectives.formulas for name in formula.names)
    names |= dict.fromkeys(name for bound in prepared.bounds for name in bound.formula.names)
    for name, values in objectives.source.values(candidates, tuple(names)).items():
        columns.setdefault(name, pa.array(values, from_pandas=True))
    columns["evaluation"] = [visit.evaluation for visit in visits]
    columns[prepared.space.native_id_name] = native_ids(outcome, candidates)
    return pa.table(columns)


def native_ids(outcome: Outcome, candidates: Sequence[Candidate]) -> list[str]:
    """The benchmark's own identifiers."""
    prepared = outcome.prepared
    rows = prepared.objectives.source.row_of(candidates).tolist()
    return [
        prepared.stored.native_ids[row] if one.graph is None or row >= 0 else prepared.space.native_id(one.graph)
        for one, row in zip(candidates, rows, strict=True)
    ]


def summary(outcome: Outcome) -> list[str]:
    """How the search went, for the person at the terminal."""
    history, request = outcome.history, outcome.prepared.request
    is_dry = outcome.run_id is None
    stored = "nothing was stored" if is_dry else f"{outcome.entered:,} new architectures stored"
    name = "dry run" if is_dry else f"run {outcome.run_id}"
    lines = [
        f"{name}: {request.method}, {history.evaluations:,} evaluations in {history.seconds:.1f} s "
        f"({_ENDINGS.get(history.stopped, history.stopped)}); {history.proposals:,} candidates proposed, "
        f"{history.duplicates:,} of them duplicates, {history.infeasible:,} outside the constraints; {stored}."
    ]
    if outcome.prepared.apart:
        lines.append(
            f"every architecture was looked at for itself: {', '.join(outcome.prepared.apart)} can differ between "
            "architectures that compute the same function."
        )
    if history.objectives == 1 and history.best is not None:
        lines.append("best so far: " + any_time(history, outcome.prepared.objectives.signs[0], _CURVE_POINTS))
    if history.stopped in ("interrupted", "budget", "seconds") and not is_dry:
        longer = "" if history.stopped == "interrupted" else " --budget N"
        command = "" if request.label_command is None else f" --label-command {shlex.quote(request.label_command)}"
        lines.append(f"go on with: catalog search {request.space} --resume {outcome.run_id}{command}{longer}")
    return lines


def failures(catalog: Store, outcome: Outcome) -> list[str]:
    """One line for each proxy that could not be measured for some candidates: for how many, and mostly why not.

    Counted are the visits of the whole run, from the table ``score``, where a failure that holds of a function is
    found with any architecture of it, and what constraints left out because of it, which is stored nowhere.
    """
    objectives, history = outcome.prepared.objectives, outcome.history
    formulas = [*objectives.formulas, *(bound.formula for bound in outcome.prepared.bounds)]
    labels = objectives.source.labels
    called = {} if labels is None else {labels.name: labels.column}
    names = list(dict.fromkeys(called.get(name, name) for formula in formulas for name in formula.names))
    reasons: dict[str, Counter[str]] = {name: Counter() for name in names}
    for name, reason, count in _failed_visits(catalog, outcome, names):
        reasons[name][reason] += count
    visited = {visit.candidate.key for visit in history.visits}
    for name in names:
        fresh = objectives.source.fresh.get(name, {})
        reasons[name].update(one.reason for key, one in fresh.items() if one.reason and key not in visited)
    total = len(history.visits) + history.infeasible
    return [
        f"{name}: measuring failed for {counts.total():,} of {total:,} candidates, most often: "
        f"{min(counts, key=lambda reason: (-counts[reason], reason)).rstrip('.')} (table score, status failed)."
        for name, counts in reasons.items()
        if counts
    ]


def _failed_visits(catalog: Store, outcome: Outcome, names: Sequence[str]) -> list[tuple[str, str, int]]:
    """Proxy, reason and number of the visited architectures without a value of which measuring failed."""
    shared = [name for name in names if holds_of_function(catalog, outcome.prepared.space, name)]
    rows = catalog.arrow(
        """
        SELECT "column", reason, count(*) FROM (
            SELECT "column", own.id, coalesce(min(reason), 'no reason is stored') AS reason
            FROM (SELECT DISTINCT architecture_id FROM search_visit WHERE run_id = ?) AS visited
            JOIN architecture AS own ON own.id = visited.architecture_id
            JOIN architecture AS tried USING (canonical_id) JOIN score ON score.architecture_id = tried.id
            JOIN proxy ON proxy.id = proxy_id
            WHERE list_contains(?, "column") AND (tried.id = own.id OR list_contains(?, "column"))
                AND source_id IS NULL AND coalesce(input, ?) = ?
            GROUP BY "column", own.id HAVING bool_or(status = 'failed') AND NOT bool_or(status = 'ok')
        ) GROUP BY ALL
        """,
        [outcome.run_id, names, shared, DEFAULT_INPUT, DEFAULT_INPUT],
    )
    return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))


def pathless(catalog: Store, outcome: Outcome, visits: Sequence[Visit]) -> str | None:
    """A warning where answers compute nothing, which a score need not see: some value them like others."""
    rows = catalog.arrow(
        """
        SELECT 1 FROM search_visit JOIN architecture ON architecture.id = architecture_id
        WHERE search_visit.run_id = ? AND NOT is_connected AND list_contains(?, evaluation)
        """,
        [outcome.run_id, [visit.evaluation for visit in visits]],
    )
    if not len(rows):
        return None
    return (
        f"no path from input to output in {len(rows):,} of {len(visits):,} answers: whatever the score, that computes "
        "nothing; --min depth=1 leaves such cells out."
    )


_ENDINGS = {
    "budget": "the budget is used up",
    "seconds": "the time is up",
    "finished": "the method is at its end",
    "exhausted": "nothing is left to look at",
}


def truth_of(catalog: Store, outcome: Outcome, visits: Sequence[Visit], truth: str) -> str | None:
    """One line on how good the answer really is; None where nobody has measured it.

    Parameters
    ----------
    truth
        A column that `catalog.search.job.prepare` was told to read.
    """
    stored = outcome.prepared.stored
    if truth not in stored.columns or not visits:
        return None
    sign = -1.0 if is_cost(catalog, outcome.prepared.space.name, truth) else 1.0
    values = stored.columns[truth]
    candidates = [visit.candidate for visit in visits]
    rows = outcome.prepared.objectives.source.row_of(candidates)
    found = np.array([values[row] if row >= 0 else np.nan for row in rows.tolist()])
    reachable = outcome.prepared.reachable
    if np.isnan(found).all() or np.isnan(values[reachable]).all():
        return None
    best = sign * np.nanmax(sign * values[reachable])
    top = sign * np.nanmax(sign * found)
    prepared = outcome.prepared
    formulas = [*prepared.objectives.formulas, *(bound.formula for bound in prepared.bounds)]
    used = any(truth in formula.names for formula in formulas) or truth in (prepared.request.where or "")
    mark = "USED by the search" if used else "not used by the search"
    if trained := _trained_here(catalog, prepared.space.name, [name for one in formulas for name in one.names]):
        mark += f" ({', '.join(trained)} WAS TRAINED on labels of this space)"
    first = "" if np.isnan(found[0]) else f"the first has {found[0]:.2f} (regret {sign * (best - found[0]):.2f}), "
    return (
        f"ground truth, {mark}: {truth}: {first}the best of these {len(visits)} has {top:.2f} "
        f"(regret {sign * (best - top):.2f}); the best that the search could have found has {best:.2f}."
    )


def _trained_here(catalog: Store, space: str, names: Sequence[str]) -> list[str]:
    """Those of some proxies that know labels of a space: what they find there says little about other spaces."""
    found: list[str] = catalog.arrow(
        """
        SELECT DISTINCT "column" FROM training_member JOIN proxy ON proxy.id = proxy_id
        JOIN architecture ON architecture.id = architecture_id
        WHERE space = ? AND list_contains(?, "column") ORDER BY "column"
        """,
        [space, list(names)],
    )["column"].to_pylist()
    return found


def panels_of(outcome: Outcome, visits: Sequence[Visit]) -> list[Panel]:
    """The any-time curve by evaluations and by seconds; of a search by several scores its front, two by two."""
    history, objectives = outcome.history, outcome.prepared.objectives
    names = [formula.text for formula in objectives.formulas]
    if history.objectives > 1:
        front = np.array([visit.scores for visit in visits]) * objectives.signs
        return [
            Panel(names[0], names[other], [Line("Pareto front", front[:, 0], front[:, other])], points=True)
            for other in range(1, history.objectives)
        ]
    curve = history.curve()
    best = objectives.signs[0] * np.array([point.scores[0] for point in curve])
    best = np.append(best, best[-1:])  # the last step goes on to the end
    evaluations = np.array([*(point.evaluation for point in curve), history.evaluations], dtype=np.float64)
    seconds = np.array([*(point.seconds for point in curve), history.seconds])
    up = f"best {names[0]} so far"
    return [Panel("evaluations", up, [Line(up, evaluations, best)]), Panel("seconds", up, [Line(up, seconds, best)])]
