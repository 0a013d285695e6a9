"""``catalog demo``: the whole job, without any file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.output import as_text, note
from catalog.errors import MissingExtraError

if TYPE_CHECKING:
    from catalog.store import Catalog

DEFAULT_FOLDER = Path("demo")

PATTERN = "(nor_conv_3x3)->(nor_conv_3x3)->*(output), NOT (:pool)->(output)"

TABLES = {
    "nb201/nb201_v1.1_200ep.csv.gz": "nasbench201",
    "nb201/nb201_12ep.csv.gz": "nasbench201",
}
"""Real tables that the demo reads where `$CATALOG_DATA` names a folder that has them."""


def add_to(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("demo", epilog="Example: catalog demo --out demo")(demo)


def demo(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the catalog and the export.")
    ] = DEFAULT_FOLDER,
) -> None:
    """Enumerate NAS-Bench-201, score it with TG-NAS, show the top, match a pattern, write an export.

    Where $CATALOG_DATA names a folder with the benchmark's tables, their metrics are read too and the proxies'
    correlations with the true accuracy are printed.
    """
    from catalog.enumeration import enumerate_space
    from catalog.exporting import export_space
    from catalog.spaces import space_named
    from catalog.store import Catalog

    out.mkdir(parents=True, exist_ok=True)
    with Catalog.open(out / "catalog.duckdb", mode="write", create=True) as catalog:
        note("entering NAS-Bench-201: every cell as a graph, with its structural proxies ...")
        enumerate_space(catalog, space_named("nb201"))
        measured = _ingest_tables(catalog)
        predicted = _score(catalog)
        _show_space(catalog)
        _show_top(catalog, "tg_nas" if predicted else "live_params", measured)
        _show_pattern(catalog)
        if measured:
            _show_correlations(catalog)
        rows, columns = export_space(catalog, "nb201", out / "nb201.parquet", "parquet")
    typer.echo(f"\nWrote {out / 'nb201.parquet'} ({rows:,} rows, {columns} columns) and {out / 'catalog.duckdb'}.")
    typer.echo(f'Next: catalog query "SELECT * FROM nb201 LIMIT 5" --db {out / "catalog.duckdb"}')


def _ingest_tables(catalog: Catalog) -> bool:
    """Whether real metrics were read."""
    from ingest.job import ingest
    from ingest.nb201_table import NB201Table

    folder = os.environ.get("CATALOG_DATA")
    found = [Path(folder) / name for name in TABLES if (Path(folder) / name).is_file()] if folder else []
    for path in found:
        note(f"reading {path.name} ...")
        ingest(catalog, NB201Table(), path)
    return bool(found)


def _show_space(catalog: Catalog) -> None:
    counts = catalog.query(
        "SELECT count(*) AS cells, count(DISTINCT canonical_digest) AS functions, "
        "count(*) FILTER (NOT is_connected) AS dead FROM nb201"
    ).row(0)
    typer.echo("{:,} cells compute {:,} distinct functions; {} have no path from input to output.".format(*counts))


def _score(catalog: Catalog) -> bool:
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


def _show_top(catalog: Catalog, by: str, measured: bool) -> None:
    typer.echo(f'\nThe best below 0.9 M parameters by {by} (catalog top nb201 --by {by} --where "params < 9e5"):')
    columns = ["index", by, "params", *(["cifar10_test_accuracy"] if measured else []), "cell"]
    typer.echo(as_text(catalog.top("nb201", by, k=5, where="params < 9e5", columns=columns).to_arrow()))


def _show_pattern(catalog: Catalog) -> None:
    from catalog import patterns

    architectures, matches = patterns.count(catalog, "nb201", PATTERN)
    typer.echo(f'\nGraph pattern (catalog match nb201 "{PATTERN}"):')
    typer.echo(f"{architectures:,} architectures hold it, in {matches:,} ways.")


def _show_correlations(catalog: Catalog) -> None:
    from catalog.analysis.space_correlation import correlate_space

    typer.echo("\nWhich proxies rank the true accuracy (catalog correlate nb201 --target cifar10_test_accuracy):")
    typer.echo(as_text(correlate_space(catalog, "nb201", "cifar10_test_accuracy").to_arrow()))
