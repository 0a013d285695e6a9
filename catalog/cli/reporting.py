"""``catalog report``: which proxies work, which agree, and which add anything, as one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, ComparedPool, Database, Wait, Where
from catalog.message import visible


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command(
        "report",
        epilog="Example: catalog report nb201 --target digits_test_accuracy --proxy params --proxy live_params "
        "--out report.html",
    )(report)


def report(
    spaces: Annotated[
        list[str], typer.Argument(metavar="SPACE...", help="Search spaces in the catalog; several are compared.")
    ],
    targets: Annotated[
        list[str],
        typer.Option("--target", metavar="COLUMN", help="Column of the wide view to be ranked; may be repeated."),
    ],
    proxies: Annotated[
        list[str] | None,
        typer.Option("--proxy", metavar="COLUMN", help="Only this proxy; may be repeated.", show_default="all"),
    ] = None,
    where: Where = None,
    pool: ComparedPool = "common",
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page to write.")] = Path("report.html"),
    tables: Annotated[
        Path | None,
        typer.Option(
            "--tables",
            metavar="DIR",
            help="Also write what a paper takes: the table, figures, references, and how it is made again.",
        ),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--columns",
            metavar="COLUMN=NAME",
            help="What a column, space or heading is called in the files of --tables; may be repeated.",
        ),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """One self-contained page: how well proxies rank a target, which agree, and which add anything.

    The page opens from disk in any browser, without a network. It holds intervals, significance against parameter
    counting, reference lines, figures with the cells drawn, and where the numbers came from. The summary is printed.
    """
    with opened(db, wait) as catalog:
        built = catalog.report(spaces, targets, proxies, where, pool=pool, out=out, tables=tables, columns=columns)
    typer.echo(visible(built.summary))
