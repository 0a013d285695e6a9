"""``catalog search`` and ``catalog search-bench``: the best architectures of a space by any score."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database, Format, Space, Wait
from catalog.cli.output import emit, note
from catalog.cli.progress import advancing, counting
from catalog.errors import CatalogError, UsageError
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.search.benchmark import Comparison
    from catalog.search.job import Outcome, Request
    from catalog.search.methods.history import History
    from catalog.storage.store import Store

Scores = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="SCORE", help="A proxy, a column, or a formula of them; two or three: Pareto front."),
]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Draw the curve into a png, svg, pdf or html file.")
]
Budget = Annotated[
    int | None,
    typer.Option("--budget", metavar="N", help="Score so many different functions at the most."),
]

_EXAMPLE = 'Example: catalog search nb201 --by "tg_nas - 0.3*log10(params)" --max params=1e6 --top 3'
_BENCH_EXAMPLE = "Example: catalog search-bench nb201 --budget 100 --seeds 2 --methods random,local-search"


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("search", epilog=_EXAMPLE)(search)
    parent.command("search-bench", epilog=_BENCH_EXAMPLE)(search_bench)


def search(
    space: Space,
    by: Scores = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            help="exhaustive, random, regularized-evolution, local-search, differential-evolution, pruning, "
            "prune-evolve or nsga2.",
            show_default="exhaustive where the space is a list, else prune-evolve (nsga2 for several scores)",
        ),
    ] = None,
    budget: Budget = None,
    seconds: Annotated[float | None, typer.Option("--seconds", metavar="S", help="Search so long at the most.")] = None,
    where: Annotated[
        str | None,
        typer.Option("--where", metavar="SQL", help="Only stored architectures for which this condition holds."),
    ] = None,
    maximum: Annotated[
        list[str] | None,
        typer.Option("--max", metavar="NAME=NUMBER", help="Upper bound, for example params=1e6; may be repeated."),
    ] = None,
    minimum: Annotated[
        list[str] | None, typer.Option("--min", metavar="NAME=NUMBER", help="Lower bound; may be repeated.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="The same seed gives the same search.", show_default="0")
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", metavar="K", min=1, help="Print the best K.")] = 10,
    truth: Annotated[
        str | None,
        typer.Option(
            "--truth",
            metavar="COLUMN",
            help="Column that says how good an answer really is; the search does not see it.",
            show_default="a test accuracy",
        ),
    ] = None,
    plot: Plot = None,
    resume: Annotated[
        int | None, typer.Option("--resume", metavar="RUN", help="Go on with this run, as it was asked for.")
    ] = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Search a space for the best architectures by a score, within constraints.

    Scores and constraints are stored columns where the catalog has them, and are computed on the fly where it has not:
    tg_nas, structural proxies (params, depth, ...) and zero-cost proxies (synflow, ...). A formula may use + - * / **,
    abs exp log log10 log1p log2 max min sqrt. A name whose lower values are better is searched for low values.

    Without --budget and --seconds a method that never ends by itself scores 1,000 functions. What is visited is stored
    as it comes (table search_visit). Ctrl-C prints the best so far and ends with exit code 0; --resume goes on, also
    with a larger --budget.
    """
    from catalog.search.job import Request, prepare, run
    from catalog.spaces import SPACES
    from catalog.storage.store import Store

    if plot is not None:
        from catalog.search.figures import check_path

        check_path(plot)
    given = Request(
        space, tuple(by or ()), method, budget, seconds, where, tuple(maximum or ()), tuple(minimum or ()), seed or 0
    )
    if resume is None and not by:
        raise UsageError("a search needs a score; give --by tg_nas, another proxy, a column, or a formula.")
    with Store.open(db, mode="write", create=resume is None and space in SPACES, wait=wait) as catalog:
        asked = given if resume is None else _resumed(Request.of_run(catalog, resume), given, seed, resume)
        measure = _truth(catalog, space, truth)
        prepared = prepare(catalog, asked, [measure] if measure else [])
        for line in prepared.notes:
            note(line)
        with _watching(space, prepared.request.budget) as progress:
            outcome = run(catalog, prepared, resume, progress)
        _report(catalog, outcome, top, measure, plot, output_format)


@contextmanager
def _watching(space: str, budget: int | None) -> Iterator[Callable[[History], None]]:
    """Progress with the time left where the end is known, and without where it is not."""
    if budget is None:
        with counting(f"searching {space}") as count:
            yield lambda history: count(history.evaluations)
    else:
        with advancing(f"searching {space}") as advance:
            yield lambda history: advance(history.evaluations, budget)


def _resumed(stored: Request, given: Request, seed: int | None, run_id: int) -> Request:
    """The stored request with new limits; whatever else is given must be what it was."""
    from dataclasses import replace

    asked = {
        "SPACE": (given.space, stored.space),
        "--by": (given.by, stored.by),
        "--method": (given.method, stored.method),
        "--where": (given.where, stored.where),
        "--max": (given.maximum, stored.maximum),
        "--min": (given.minimum, stored.minimum),
        "--seed": (seed, stored.seed),
    }
    for option, (now, before) in asked.items():
        if now not in (None, ()) and now != before:
            raise UsageError(
                f"run {run_id} was started with {option} {before!r}, not {now!r}; leave {option} out to go on with it, "
                "or start a new search without --resume."
            )
    if given.budget is None and given.seconds is None:
        return stored
    return replace(stored, budget=given.budget, seconds=given.seconds)


def _truth(catalog: Store, space: str, column: str | None) -> str | None:
    """The column of the ground truth: the one asked for, or a test accuracy where there is one."""
    from catalog.search.stored_values import best_known

    held = len(catalog.arrow("SELECT 1 FROM architecture WHERE space = ? LIMIT 1", [space])) > 0
    if column is not None:
        return SpaceView.of(catalog, space).checked(column)
    return best_known(SpaceView.of(catalog, space).columns) if held else None


def _report(
    catalog: Store, outcome: Outcome, top: int, truth: str | None, plot: Path | None, output_format: Format
) -> None:
    from catalog.search.answer import answered, as_rows, failures, panels_of, pathless, summary, truth_of

    for line in [*summary(outcome), *failures(catalog, outcome)]:
        note(line)
    visits = answered(outcome, top)
    if not visits:
        if outcome.history.stopped == "interrupted":
            return
        raise CatalogError(_nothing_found(outcome))
    emit(as_rows(outcome, visits), output_format, uncut=(outcome.prepared.space.native_id_name,))
    if (warning := pathless(catalog, outcome, visits)) is not None:
        note(warning)
    if truth is not None and (quality := truth_of(catalog, outcome, visits, truth)) is not None:
        note(quality)
    if plot is not None:
        from catalog.search.figures import draw

        request = outcome.prepared.request
        draw(plot, f"{request.method} on {request.space}, seed {request.seed}", panels_of(outcome, visits))
        note(f"wrote {plot}")


def _nothing_found(outcome: Outcome) -> str:
    history = outcome.history
    if not history.evaluations and history.infeasible:
        return (
            f"none of the {history.infeasible:,} different functions that the search looked at keeps the constraints; "
            "relax --max, --min or --where."
        )
    if not history.evaluations and history.stopped != "budget":
        return "there is nothing to search: no stored architecture keeps --where, --max and --min."
    if not history.visits:
        from catalog.search.methods.pruning import supernets_to_score
        from catalog.search.methods.space_choices import required_choices

        space = outcome.prepared.space
        needed = supernets_to_score(required_choices(space)) + 1
        return (
            f"the search ended after {history.evaluations:,} evaluations of supernets, which are no answer; "
            f"{history.method} on {space.name} comes to its first architecture with evaluation {needed:,}: "
            f"catalog search {space.name} --resume {outcome.run_id} --budget {needed}"
        )
    return (
        f"none of the {history.evaluations:,} candidates has a value of {', '.join(outcome.prepared.request.by)}; "
        "choose another score."
    )


def search_bench(
    space: Space,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="SCORE", help="What the methods see.", show_default="a validation accuracy"),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option("--truth", metavar="COLUMN", help="What is reported.", show_default="a test accuracy"),
    ] = None,
    budget: Annotated[int, typer.Option("--budget", metavar="N", help="Evaluations of each search.")] = 1000,
    seeds: Annotated[int, typer.Option("--seeds", metavar="K", min=1, help="Searches a method.")] = 10,
    methods: Annotated[
        str | None,
        typer.Option(
            "--methods", metavar="NAMES", help="Methods, separated by commas.", show_default="all but exhaustive"
        ),
    ] = None,
    plot: Plot = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Compare search methods on a space whose architectures are all stored with their accuracy.

    Every method gets the same evaluations and the same seeds. A row is the true accuracy of the best architecture by
    the score after so many evaluations: mean, standard deviation over the seeds, and regret. Beside the methods stand
    random search and two lines that need no search: best-by-score, what the score itself would choose out of all, and
    oracle, the best there is. Nothing is stored. Scores are those that `catalog search` sees, but no network is
    measured for a comparison: a zero-cost proxy has to be stored for all of the space, by `catalog score`.
    """
    from catalog.search.benchmark import compare, panel_of, prepare, rows_of
    from catalog.storage.store import Store

    if plot is not None:
        from catalog.search.figures import check_path

        check_path(plot)
    with Store.open(db, wait=wait) as catalog:
        chosen = tuple(name.strip() for name in methods.split(",")) if methods else ()
        bench = prepare(catalog, space, by, truth, chosen)
        seen = "which the methods SEE" if bench.truth in bench.formula.names else "which the methods do not see"
        note(
            f"{seeds} searches of {budget:,} evaluations a method by {bench.formula.text}; reported is {bench.truth}, "
            f"{seen}."
        )
        with advancing("searches") as progress:
            found: Comparison = compare(bench, budget, seeds, progress)
    emit(rows_of(found), output_format)
    note("seconds a search: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in found.seconds.items()))
    if plot is not None:
        from catalog.search.figures import draw

        draw(plot, f"{space} by {bench.formula.text}, {seeds} seeds", [panel_of(found)])
        note(f"wrote {plot}")
