"""``catalog demo``: the whole job, without any file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from catalog.asking.text_table import as_text
from catalog.cli.opened import CommandCatalog, opened
from catalog.cli.progress import note
from catalog.errors import MissingExtraError
from catalog.output_file import make_folder
from catalog.storage.answer import plain

DEFAULT_FOLDER = Path("demo")

PATTERN = "(nor_conv_3x3)->(nor_conv_3x3)->*(output), NOT (:pool)->(output)"

TABLES = {
    "nb201/nb201_v1.1_200ep.csv.gz": "nasbench201",
    "nb201/nb201_12ep.csv.gz": "nasbench201",
}
"""Real tables that the demo reads where `$CATALOG_DATA` names a folder that has them."""

ON_CIFAR10 = "cifar10_test_accuracy"
ON_DIGITS = "digits_test_accuracy"

LABELS = 100
"""How many trainings the learned predictor sees: validation accuracies, as a user would have them."""

LEARNED = f"few_{LABELS}"
"""The column of its scores."""


def add_to(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("demo", epilog="Example: catalog demo --out demo")(demo)


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the catalog and the export.")
    ] = DEFAULT_FOLDER,
) -> None:
    """Enumerate NAS-Bench-201, score it without a label and from a hundred, match a pattern, rank, write an export.

    The correlations of all scores with the true accuracy are printed: with the benchmark's own where $CATALOG_DATA
    names a folder with its tables, else with NB201-digits, cells trained for this package on scikit-learn's digits.
    """
    make_folder(out)
    with opened(out / "catalog.duckdb", mode="write") as catalog:
        note("entering NAS-Bench-201: every cell as a graph, with its structural proxies ...")
        catalog.spaces(enumerate="nb201")
        target = _ingest_truth(catalog)
        predicted = _score(catalog)
        if predicted:
            _learn(catalog, target, out / LEARNED)
        _show_space(catalog)
        _show_top(catalog, "tg_nas" if predicted else "live_params", target)
        _show_pattern(catalog)
        _show_correlations(catalog, target, predicted)
        if target == ON_DIGITS:
            _show_noise(catalog)
        exported = catalog.export("nb201", out / "nb201.parquet")
    typer.echo(f"\nWrote {exported.path} ({exported.rows:,} rows, {exported.columns} columns) and {catalog.path}.")
    typer.echo(f'Next: catalog query "SELECT * FROM nb201 LIMIT 5" --db {catalog.path}')


def _ingest_truth(catalog: CommandCatalog) -> str:
    """The column with the benchmark's accuracies if its tables are there, else with those that the package brings."""
    folder = os.environ.get("CATALOG_DATA")
    found = [Path(folder) / name for name in TABLES if (Path(folder) / name).is_file()] if folder else []
    if found:
        catalog.ingest("nasbench201", *found)
        return ON_CIFAR10
    catalog.ingest("nb201-digits")
    return ON_DIGITS


def _show_space(catalog: CommandCatalog) -> None:
    stored = plain(catalog.spaces())
    (found,) = (dict(zip(stored.columns, row, strict=True)) for row in stored.rows)
    typer.echo(
        f"{found['architectures']:,} cells compute {found['functions']:,} functions, told apart by canonical form; "
        f"{found['disconnected']} have no path from input to output."
    )


def _score(catalog: CommandCatalog) -> bool:
    """Whether the predictors are installed, and so have scored the space."""
    note("scoring every cell with TG-NAS, trained on NAS-Bench-101 alone ...")
    try:
        catalog.score("nb201", "tg_nas")
    except MissingExtraError as error:
        note(f"without TG-NAS: {error}")
        return False
    return True


def _learn(catalog: CommandCatalog, target: str, folder: Path) -> None:
    note(f"learning from {LABELS} of the accuracies, and scoring every cell ...")
    labels = target.replace("_test_", "_valid_")
    catalog.train("few_label", "nb201", labels, folder, sample=LABELS, seed=0, blind=True)
    catalog.score("nb201", "few_label", checkpoint=folder, column=LEARNED)


def _show_top(catalog: CommandCatalog, by: str, target: str) -> None:
    typer.echo(f'\nThe best below 0.9 M parameters by {by} (catalog top nb201 --by {by} --where "params < 9e5"):')
    # On the digits only one cell of a function was trained: hardly ever one of these five.
    columns = ["index", by, "params", *([target] if target == ON_CIFAR10 else []), "cell"]
    typer.echo(as_text(catalog.top("nb201", by, k=5, where="params < 9e5", columns=columns)))


def _show_pattern(catalog: CommandCatalog) -> None:
    ((architectures, matches),) = plain(catalog.match("nb201", PATTERN, count=True)).rows
    typer.echo(f'\nGraph pattern (catalog match nb201 "{PATTERN}"):')
    typer.echo(f"{architectures:,} architectures hold it, in {matches:,} ways.")


def _show_correlations(catalog: CommandCatalog, target: str, learned: bool) -> None:
    typer.echo(f"\nWhich scores rank the true accuracy (catalog correlate nb201 --target {target}):")
    typer.echo(repr(catalog.correlate("nb201", target)))
    if learned:
        typer.echo(
            f"{LEARNED} is the predictor few_label, trained on {LABELS} validation accuracies. It is judged on cells\n"
            "that compute other functions than those it saw. No other row has seen an accuracy of this space."
        )


def _show_noise(catalog: CommandCatalog) -> None:
    """What the correlations with NB201-digits are to be read against."""
    import numpy as np

    from predictor.own_training.generation import noise_ceiling

    # Asked as any user would ask it: the accuracy of each training, one list a cell.
    table = np.array([accuracies for (accuracies,) in plain(catalog.query(_TRAININGS)).rows])  # (cells, seeds)
    cells, seeds = table.shape
    found = noise_ceiling(table)
    typer.echo(
        f"\nThe truth here is NB201-digits: {cells:,} cells trained with {seeds} seeds for two epochs on 600 images of "
        "8x8 pixels.\n"
        f"Two seeds agree with a Spearman correlation of {found.between_seeds:.3f} only; against the mean "
        f"of {seeds}, perfect knowledge would reach {found.ceiling:.3f}.\n"
        "So small a task shows that a proxy sees something; it does not say how it ranks networks trained on CIFAR-10."
    )


_TRAININGS = """
    SELECT list(value ORDER BY seed) FROM metric JOIN source ON source.id = source_id
    WHERE source.name = 'nb201-digits' AND split = 'test' AND seed IS NOT NULL
    GROUP BY architecture_id ORDER BY architecture_id
"""
