"""``catalog search`` and ``catalog search-bench``: the best architectures of a space by any score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Format, Space, Wait
from catalog.cli.output import emit
from catalog.cli.progress import note
from catalog.errors import CatalogError

Scores = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="SCORE", help="A proxy, a column, or a formula of them; two or three: Pareto front."),
]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Draw the curve into a png, svg, pdf or html file.")
]
Budget = Annotated[
    int | None,
    typer.Option("--budget", metavar="N", help="Score so many different candidates at the most."),
]

_EXAMPLE = 'Example: catalog search nb201 --by "live_params - 0.3*params" --max params=1e6 --top 3'
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
            "prune-evolve, bayesian or nsga2.",
            show_default="bayesian for labels; exhaustive where the space is a list, else prune-evolve or nsga2",
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
    top: Annotated[
        int,
        typer.Option(
            "--top", "-k", metavar="K", min=1, help="Print the best K; of several scores the whole front is printed."
        ),
    ] = 10,
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
    labels: Annotated[
        str | None,
        typer.Option("--labels", metavar="COLUMN", help="Ask this stored column for one label a function."),
    ] = None,
    label_command: Annotated[
        str | None,
        typer.Option(
            "--label-command",
            metavar="COMMAND",
            help="Ask this command for labels: {id} becomes the architecture's native id, and it prints one number.",
        ),
    ] = None,
    label_name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Name the command's values.", show_default="label"),
    ] = None,
    label_timeout: Annotated[
        float | None,
        typer.Option("--label-timeout", metavar="S", help="End a command that has no answer after so many seconds."),
    ] = None,
    lower_is_better: Annotated[
        bool, typer.Option("--lower-is-better", help="Low values of the command are good, as those of a loss.")
    ] = False,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="How many commands run at once.")] = 1,
    predictor: Annotated[
        str | None,
        typer.Option(
            "--predictor",
            metavar="NAME",
            help="What learns from the labels so far, for --method bayesian.",
            show_default="the one that is trained in seconds",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="OPTION=VALUE", help="The predictor's own option; may be repeated."),
    ] = None,
    acquisition: Annotated[
        str | None,
        typer.Option("--acquisition", help="thompson or ucb: how it chooses what to ask for.", show_default="thompson"),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option("--batch", metavar="N", help="Labels between two of its trainings.", show_default="5"),
    ] = None,
    dry: Annotated[
        bool, typer.Option("--dry", help="Store nothing, so that the catalog can be read by others meanwhile.")
    ] = False,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Search a space for the best architectures by a score, within constraints.

    Scores and constraints are stored columns where the catalog has them, and are computed on the fly where it has not:
    predictors, structural proxies (params, depth, ...) and zero-cost proxies (synflow, ...). A formula may use
    + - * / **, abs exp log log10 log1p log2 max min sqrt. A name whose lower values are better is searched for low
    values.

    Without --budget and --seconds a method that never ends by itself scores 1,000 functions. What is visited is stored
    as it comes (table search_visit). Ctrl-C prints the best so far and ends with exit code 0; --resume goes on, also
    with a larger --budget.

    With --labels or --label-command the score is a label that has to be asked for, once a function, as if each were to
    be trained. A command that fails is a visit without a value, and its answers are stored as they come.
    """
    with opened(db, wait, mode="read" if dry else "write") as catalog:
        found = catalog.search(
            space,
            by or (),
            method=method,
            budget=budget,
            seconds=seconds,
            where=where,
            max=maximum or (),
            min=minimum or (),
            seed=seed,
            top=top,
            truth=truth,
            plot=plot,
            resume=resume,
            labels=labels,
            label_command=label_command,
            label_name=label_name,
            label_timeout=label_timeout,
            lower_is_better=lower_is_better,
            workers=workers,
            predictor=predictor,
            options=settings or (),
            acquisition=acquisition,
            batch=batch,
            dry=dry,
        )
    for sentence in found.summary:
        note(sentence)
    if found.nothing_found is not None:
        if found.stopped != "interrupted":
            raise CatalogError(found.nothing_found)
        return
    emit(found.frame, output_format, uncut=(found.native_id_name,))
    for sentence in found.remarks:
        note(sentence)
    if plot is not None:
        note(f"wrote {plot}")


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
    chosen = [name.strip() for name in methods.split(",")] if methods else []
    with opened(db, wait) as catalog:
        found = catalog.search_bench(space, by, truth=truth, budget=budget, seeds=seeds, methods=chosen, plot=plot)
    emit(found.frame, output_format)
    note("seconds a search: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in found.seconds.items()))
    if plot is not None:
        note(f"wrote {plot}")
