"""One search on a catalog: what was asked, the problem that follows from it, and the run that is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.search.constraints import Bound, Constraints
from catalog.search.expression import Expression, parse
from catalog.search.labels import asking
from catalog.search.learning import surrogate as learning
from catalog.search.methods.history import History
from catalog.search.methods.problem import Budget, Problem
from catalog.search.methods.running import LARGEST_BATCH, METHODS, check, methods_for, search
from catalog.search.request import KIND, Request
from catalog.search.scores import Objectives, ScoreSource, direction_of
from catalog.search.stored_values import Rows, StoredSpace
from catalog.search.supernet_scores import objectives_of
from catalog.search.unit import ARCHITECTURE, FUNCTION, telling_twins_apart
from catalog.search.visits import Earlier, VisitStore, read_visits
from catalog.spaces.base import SearchSpace
from catalog.storage.runs import Run
from catalog.tables.stored_spaces import space_of

if TYPE_CHECKING:
    from catalog.storage.store import Store

DEFAULT_BUDGET = 1000
_MEASURED_AT_ONCE = 8  # about a second of work: what Ctrl-C can lose, and by how much --seconds can be exceeded


@dataclass(frozen=True)
class Prepared:
    """A search that was checked and can be run.

    Parameters
    ----------
    request
        With the method and the limits filled in.
    space, stored
        The space, and what the catalog holds of it.
    problem, objectives
        What the methods search, and the scores among it.
    bounds
        The ``--max`` and ``--min``.
    reachable
        The rows of `stored` that keep the constraints, as far as stored columns tell.
    notes
        What the user should know about how the request was understood.
    apart
        The names that tell architectures apart which compute the same function.
    """

    request: Request
    space: SearchSpace
    stored: StoredSpace
    problem: Problem
    objectives: Objectives
    bounds: Sequence[Bound]
    reachable: Rows
    notes: tuple[str, ...]
    apart: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A search that ended, and the run that holds it; None where nothing was stored."""

    prepared: Prepared
    history: History
    run_id: int | None
    entered: int


def prepare(catalog: Store, asked: Request, extra: Sequence[str] = (), workers: int = 1) -> Prepared:
    """Check a request against the catalog and set the search up.

    Parameters
    ----------
    asked
        Where it leaves the method or the limits open, the result has them filled in.
    extra
        Further columns that the answer shows, if the space has them.
    workers
        How many commands that print a label run at once.

    Raises
    ------
    UsageError
        The request names something that does not exist or does not fit together.
    """
    asked = asking.with_score(asked)
    space = space_of(catalog, asked.space)
    formulas = [parse(text) for text in asked.by]
    bounds = [
        *(Bound.parse(text, is_upper=True) for text in asked.maximum),
        *(Bound.parse(text, is_upper=False) for text in asked.minimum),
    ]
    names = dict.fromkeys(name for formula in [*formulas, *(one.formula for one in bounds)] for name in formula.names)
    if asked.label_command is not None:
        names.pop(asked.label or "", None)
    stored = StoredSpace.read(catalog, space, [*names, *extra])
    if asked.labels is not None:
        stored = asking.of_functions(catalog, space, stored, asked.labels)
    method = asked.method or _default_method(asked, space, stored)
    request = learning.completed(_completed(asked, method))
    pooled = _is_pooled(request, space, stored)
    is_listed = pooled or stored.is_complete
    rows = stored.chosen(catalog, space, asked.where)
    if asked.where is not None and not is_listed:
        raise _not_stored(request, stored)
    known = [bound for bound in bounds if is_listed and set(bound.formula.names) <= set(stored.columns)]
    for bound in known:
        rows = bound.kept(stored, rows)
    if request.labels is not None:
        rows = asking.labelled(stored, rows, request.labels)
    labels = asking.command_labels(catalog, space, stored, request, workers)
    source = ScoreSource(catalog, space, stored, rows, tuple(names), labels=labels)
    if not is_listed:
        _require_computable(space, stored, source, names)
    signs = [_sign(source, formula) for formula in formulas]
    objectives = objectives_of(source, formulas, signs)
    # A pool is narrowed already; what is varied, or bounded by what is not stored, has to be looked at as it comes.
    open_bounds = [bound for bound in bounds if bound not in known]
    # Which twin keeps a known bound is in the rows.
    asked_of_each = dict.fromkeys(
        name for formula in [*formulas, *(bound.formula for bound in open_bounds)] for name in formula.names
    )
    asked_of_each.pop(request.label or "", None)  # a label is a function's
    apart = telling_twins_apart(space, stored, asked_of_each, source.computable, is_listed=is_listed)
    request = _with_unit(request, apart)
    source.tells_twins_apart = request.unit == ARCHITECTURE
    narrowed = stored.is_complete and not pooled and len(rows) < len(stored)
    constraints = Constraints(source, open_bounds, known, narrowed)
    problem = Problem(
        space,
        objectives,
        len(formulas),
        constraints if open_bounds or narrowed else None,
        [stored.digests[row] for row in rows.tolist()] if pooled else None,
        [stored.native_ids[row] for row in rows.tolist()] if pooled else None,
        source.tells_twins_apart,
        learning.asking_of(source, request, pooled=pooled),
    )
    check(problem, method, Budget(request.budget, request.seconds), request.seed)
    notes = (*asking.notes_of(request, labels, rows, stored), *_notes(request, space, stored, objectives, pooled))
    return Prepared(request, space, stored, problem, objectives, bounds, rows, notes, apart)


def run(
    catalog: Store, prepared: Prepared, resume: int | None = None, progress: Callable[[History], None] | None = None
) -> Outcome:
    """Search, and store the visits under a run of its own or under the run that is resumed.

    Ctrl-C ends the search and not the command: what was visited is stored, and the run's outcome is ``interrupted``.
    """
    request = prepared.request
    assert request.method is not None
    budget = Budget(request.budget, request.seconds)
    signs = prepared.objectives.signs
    earlier: Earlier = {} if resume is None else read_visits(catalog, resume, signs, request.unit == ARCHITECTURE)
    parameters = asdict(request)
    if resume is None:
        job = Run.start(catalog, KIND, parameters)
    else:
        job = Run(catalog, resume)
        text = json.dumps(parameters, sort_keys=True)
        catalog.execute(
            "UPDATE run SET outcome = 'running', ended_at = NULL, parameters = ? WHERE id = ?", [text, resume]
        )
    from predictor.encoding.stored_embeddings import remember_made

    labels = prepared.objectives.source.labels
    with job:
        if labels is not None:
            labels.begin(job.id)
        store = VisitStore(catalog, prepared.objectives, job.id)
        history = search(
            prepared.problem,
            request.method,
            budget,
            request.seed,
            batch=_batch(prepared),
            on_batch=store,
            on_progress=progress,
            earlier=earlier,
        )
        store.flush()
        remember_made(catalog)
        entered = store.entered + (0 if labels is None else labels.entered)
        job.detail = _detail(history, signs, entered)
    if history.stopped == "interrupted":
        job.interrupt(job.detail)
    return Outcome(prepared, history, job.id, entered)


def rehearse(prepared: Prepared, progress: Callable[[History], None] | None = None) -> Outcome:
    """Search, and store nothing.

    Raises
    ------
    UsageError
        Labels are asked of a command, whose answers would be lost.
    """
    request = prepared.request
    assert request.method is not None
    if prepared.objectives.source.labels is not None:
        raise UsageError(
            "--dry stores nothing, and the answers of a --label-command would be lost; leave one of them out."
        )
    budget = Budget(request.budget, request.seconds)
    history = search(
        prepared.problem, request.method, budget, request.seed, batch=_batch(prepared), on_progress=progress
    )
    return Outcome(prepared, history, None, 0)


def _batch(prepared: Prepared) -> int:
    """How many candidates are scored at once: few, where the clock has to be looked at between slow ones."""
    source = prepared.objectives.source
    if source.labels is not None and prepared.request.seconds is not None:
        return source.labels.workers
    return _MEASURED_AT_ONCE if source.is_slow else LARGEST_BATCH


def _sign(source: ScoreSource, formula: Expression) -> int:
    """+1 where high values of a formula are sought, -1 where low ones are."""
    if formula.name is None:
        return 1
    if source.labels is not None and formula.name == source.labels.name:
        return source.labels.facts.direction
    return direction_of(source.catalog, source.space.name, source.stored, formula.name)


def _with_unit(request: Request, apart: Sequence[str]) -> Request:
    """The request with what is looked at; a resumed search goes on as it began.

    Raises
    ------
    UsageError
        It began with functions, which will not do any more.
    """
    if request.unit == FUNCTION and apart:
        raise UsageError(
            f"this run looked at one architecture a function, but {', '.join(apart)} of {request.space} differ between "
            "architectures that compute the same function; start a new search without --resume."
        )
    return replace(request, unit=request.unit or (ARCHITECTURE if apart else FUNCTION))


def _completed(asked: Request, method: str) -> Request:
    """The request with its method, and with a limit for a method that would not end."""
    ends = method in METHODS and METHODS[method].ends
    is_unlimited = asked.budget is None and asked.seconds is None
    return replace(asked, method=method, budget=DEFAULT_BUDGET if is_unlimited and not ends else asked.budget)


def _default_method(asked: Request, space: SearchSpace, stored: StoredSpace) -> str:
    """For labels what learns from them; everything, where that is a list; else TG-NAS's hybrid or NSGA-II."""
    if asked.label is not None and len(asked.by) == 1:
        return "bayesian"
    if stored.is_complete or asked.where is not None or space.size is not None:
        return "exhaustive"
    wanted = "prune-evolve" if len(asked.by) == 1 else "nsga2"
    return wanted if wanted in methods_for(space, objectives=len(asked.by)) else "exhaustive"


def _is_pooled(request: Request, space: SearchSpace, stored: StoredSpace) -> bool:
    """Whether the method goes through stored architectures instead of making candidates."""
    if request.method not in ("exhaustive", "random", "bayesian") or not len(stored):
        return False
    makes = methods_for(space, objectives=len(request.by), learning=True)
    chosen = request.where is not None or request.labels is not None
    return stored.is_complete or chosen or request.method not in makes


def _not_stored(request: Request, stored: StoredSpace) -> UsageError:
    return UsageError(
        f"--where chooses among stored architectures, and {request.method} makes candidates of {request.space} that "
        f"are not stored; use --max and --min, or --method exhaustive or random over the {len(stored):,} that are."
    )


def _require_computable(
    space: SearchSpace, stored: StoredSpace, source: ScoreSource, names: Mapping[str, None]
) -> None:
    """Architectures that nobody has measured have no stored value."""
    lacking = [name for name in names if name not in source.computable]
    if lacking:
        raise UsageError(
            f"{', '.join(lacking)} cannot be computed for an architecture that is not stored, and {space.name} has "
            f"more than the {len(stored):,} in the catalog; search those with --method exhaustive, or by a proxy."
        )


def _notes(
    request: Request, space: SearchSpace, stored: StoredSpace, objectives: Objectives, pooled: bool
) -> tuple[str, ...]:
    notes = []
    for formula, sign in zip(objectives.formulas, objectives.signs, strict=True):
        if sign < 0:
            notes.append(f"{formula.text}: lower is better, so the search looks for low values.")
        elif formula.name is not None and len(objectives.formulas) > 1 and "accuracy" not in formula.name:
            notes.append(f"{formula.text}: higher is better; write -{formula.text} to look for low values.")
    if pooled and not stored.is_complete:
        what = "those among the" if request.where else "the"
        size = "" if space.size is None else f"; the space has {space.size:,}"
        notes.append(f"searching {what} {len(stored):,} stored architectures of {space.name}{size}.")
    return tuple(notes)


def _detail(history: History, signs: Sequence[int], entered: int) -> str:
    words = [f"{history.evaluations:,} evaluations ({history.stopped})", f"{entered:,} new architectures"]
    if history.objectives == 1 and history.best is not None:
        words.append("best so far: " + any_time(history, signs[0]))
    return "; ".join(words)


def any_time(history: History, sign: int, most: int | None = None) -> str:
    """The any-time curve in one line; with `most`, only so many of its points, the last among them."""
    points = history.curve()
    if most is not None and len(points) > most:
        points = [points[round(place * (len(points) - 1) / (most - 1))] for place in range(most)]
    return ", ".join(
        f"{sign * point.scores[0]:.6g} at evaluation {point.evaluation} ({point.seconds:.1f} s)" for point in points
    )
