"""``catalog evaluate``: ground truth of your own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Space, Wait, Where
from catalog.cli.progress import note
from catalog.errors import CatalogError

if TYPE_CHECKING:
    from predictor.own_training.job import EvaluationReport

_EXAMPLE = "Example: catalog evaluate nb201 --dataset digits --sample 3 --epochs 1 --seeds 2 --workers 1"


def add_to(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("evaluate", epilog=_EXAMPLE)(evaluate)


def evaluate(
    space: Space,
    dataset: Annotated[
        str,
        typer.Option("--dataset", metavar="digits|cifar10:DIR", help="Images to train on: scikit-learn's, or yours."),
    ] = "digits",
    where: Where = None,
    sample: Annotated[
        int | None, typer.Option("--sample", min=1, help="Draw so many functions.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draw.")] = 0,
    epochs: Annotated[
        int | None, typer.Option("--epochs", min=1, help="Length of a training.", show_default="2 on the digits")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Train each with the seeds 0 to this less one.")] = 3,
    channels: Annotated[
        int | None,
        typer.Option("--channels", min=1, help="Channels of the first stage.", show_default="8; the benchmark's own"),
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option("--cells", min=1, help="Cells a stage, in DARTS in all.", show_default="1; the benchmark's own"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes, one thread each.", show_default="processors")
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Train the networks of a space for real; store accuracies, seconds and curves as the source own-training.

    Only what is missing is trained: the same command goes on after Ctrl-C, a kill, or with more seeds or a larger
    sample. Architectures that compute the same function are trained once, and only the trained one gets a row: a metric
    is a measurement. On the digits the networks are small and two epochs the default: that is the table NB201-digits.
    On other data sets they have the benchmark's own size and the length is yours to say.
    """
    with opened(db, wait, mode="write") as catalog:
        try:
            report = catalog.evaluate(
                space,
                dataset=dataset,
                where=where,
                sample=sample,
                seed=seed,
                epochs=epochs,
                seeds=seeds,
                channels=channels,
                cells=cells,
                workers=workers,
            )
        except KeyboardInterrupt:
            note("every training that was finished is stored; give the same command to go on.")
            raise
        _tell(space, report)


def _tell(space: str, report: EvaluationReport) -> None:
    chosen = report.selection
    functions = f"{chosen.functions:,} functions of {space}"
    disconnected = f", {chosen.disconnected:,} disconnected architectures left out" if chosen.disconnected else ""
    note(f"{functions}: {report.trained:,} trainings stored, {report.wanted:,} were missing{disconnected}.")
    for reason, count in report.failures.items():
        note(f"{count:,} architectures could not be trained: {reason}")
    if report.failures and not report.trained:
        raise CatalogError("no architecture could be trained; the reasons are above.")
