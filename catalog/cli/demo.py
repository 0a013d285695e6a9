"""``catalog demo``: the whole job, without any file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.output import as_text, note
from catalog.errors import MissingExtraError

if TYPE_CHECKING:
    from catalog.storage.store import Store

DEFAULT_FOLDER = Path("demo")

PATTERN = "(nor_conv_3x3)->(nor_conv_3x3)->*(output), NOT (:pool)->(output)"

TABLES = {
    "nb201/nb201_v1.1_200ep.csv.gz": "nasbench201",
    "nb201/nb201_12ep.csv.gz": "nasbench201",
}
"""Real tables that the demo reads where `$CATALOG_DATA` names a folder that has them."""

ON_CIFAR10 = "cifar10_test_accuracy"
ON_DIGITS = "digits_test_accuracy"


def add_to(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("demo", epilog="Example: catalog demo --out demo")(demo)


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the catalog and the export.")
    ] = DEFAULT_FOLDER,
) -> None:
    """Enumerate NAS-Bench-201, score it with TG-NAS, show the top, match a pattern, rank, write an export.

    The proxies' correlations with the true accuracy are printed: with the benchmark's own where $CATALOG_DATA names a
    folder with its tables, else with NB201-digits, cells trained for this package on scikit-learn's digits.
    """
    from catalog.spaces import space_named
    from catalog.storage.store import Store
    from catalog.tables.enumeration import enumerate_space
    from catalog.tables.exporting import export_space

    out.mkdir(parents=True, exist_ok=True)
    with Store.open(out / "catalog.duckdb", mode="write", create=True) as catalog:
        note("entering NAS-Bench-201: every cell as a graph, with its structural proxies ...")
        enumerate_space(catalog, space_named("nb201"))
        target = _ingest_tables(catalog) or _ingest_digits(catalog)
        predicted = _score(catalog)
        _show_space(catalog)
        _show_top(catalog, "tg_nas" if predicted else "live_params", target)
        _show_pattern(catalog)
        _show_correlations(catalog, target)
        if target == ON_DIGITS:
            _show_noise(catalog)
        rows, columns = export_space(catalog, "nb201", out / "nb201.parquet", "parquet")
    typer.echo(f"\nWrote {out / 'nb201.parquet'} ({rows:,} rows, {columns} columns) and {out / 'catalog.duckdb'}.")
    typer.echo(f'Next: catalog query "SELECT * FROM nb201 LIMIT 5" --db {out / "catalog.duckdb"}')


def _ingest_tables(catalog: Store) -> str | None:
    """The column with the benchmark's accuracies, if its tables are there."""
    from ingest.formats.nb201_table import NB201Table
    from ingest.reading.job import ingest

    folder = os.environ.get("CATALOG_DATA")
    found = [Path(folder) / name for name in TABLES if (Path(folder) / name).is_file()] if folder else []
    for path in found:
        note(f"reading {path.name} ...")
        ingest(catalog, NB201Table(), path)
    return ON_CIFAR10 if found else None


def _ingest_digits(catalog: Store) -> str:
    """The column with the accuracies of the table that comes with the package."""
    from ingest.formats.nb201_digits import TABLE, NB201Digits
    from ingest.reading.job import ingest

    note("reading NB201-digits, which comes with the package ...")
    ingest(catalog, NB201Digits(), TABLE)
    return ON_DIGITS


def _show_space(catalog: Store) -> None:
    counts = catalog.query(
        "SELECT count(*) AS cells, count(DISTINCT canonical_digest) AS functions, "
        "count(*) FILTER (NOT is_connected) AS dead FROM nb201"
    ).row(0)
    typer.echo("{:,} cells compute {:,} distinct functions; {} have no path from input to output.".format(*counts))


def _score(catalog: Store) -> bool:
    """Whether the predictors are installed, and so have scored the space."""
    from catalog.extras import require_predict

    try:
        require_predict()
    except MissingExtraError as error:
        note(f"without TG-NAS: {error}")
        return False
    from predictor.scoring import score_space

    note("scoring every cell with TG-NAS, trained on NAS-Bench-101 alone ...")
    score_space(catalog, "nb201", "tg_nas")
    return True


def _show_top(catalog: Store, by: str, target: str) -> None:
    from catalog.asking.top import top

    typer.echo(f'\nThe best below 0.9 M parameters by {by} (catalog top nb201 --by {by} --where "params < 9e5"):')
    # On the digits only one cell of a function was trained: hardly ever one of these five.
    columns = ["index", by, "params", *([target] if target == ON_CIFAR10 else []), "cell"]
    typer.echo(as_text(top(catalog, "nb201", by, k=5, where="params < 9e5", columns=columns)))


def _show_pattern(catalog: Store) -> None:
    from catalog.asking import patterns

    architectures, matches = patterns.count(catalog, "nb201", PATTERN)
    typer.echo(f'\nGraph pattern (catalog match nb201 "{PATTERN}"):')
    typer.echo(f"{architectures:,} architectures hold it, in {matches:,} ways.")


def _show_correlations(catalog: Store, target: str) -> None:
    from catalog.analysis.space_correlation import correlate_space

    typer.echo(f"\nWhich proxies rank the true accuracy (catalog correlate nb201 --target {target}):")
    typer.echo(as_text(correlate_space(catalog, "nb201", target).to_arrow()))


def _show_noise(catalog: Store) -> None:
    """What the correlations with NB201-digits are to be read against."""
    from predictor.own_training.generation import noise_ceiling

    trainings = catalog.query(
        "SELECT architecture_id, seed, value FROM metric JOIN source ON source.id = source_id "
        "WHERE source.name = 'nb201-digits' AND split = 'test' ORDER BY seed"
    )
    accuracies = trainings.pivot(on="seed", index="architecture_id", values="value").drop("architecture_id").to_numpy()
    cells, seeds = accuracies.shape
    found = noise_ceiling(accuracies)
    typer.echo(
        f"\nThe truth here is NB201-digits: {cells:,} cells trained with {seeds} seeds for two epochs on 600 images of "
        f"8x8 pixels.\nTwo seeds agree with a Spearman correlation of {found.between_seeds:.3f} only; against the mean "
        f"of {seeds}, perfect knowledge would reach {found.ceiling:.3f}.\nSo small a task shows that a proxy sees "
        "something; it does not say how it ranks networks trained on CIFAR-10."
    )
