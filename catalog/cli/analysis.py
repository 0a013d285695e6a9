"""``catalog correlate``: how well the proxies rank a target."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, ComparedPool, Database, Format, Space, Wait, Where
from catalog.cli.output import emit
from catalog.cli.progress import note


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("correlate", epilog="Example: catalog correlate nb201 --target digits_test_accuracy")(correlate)


def correlate(
    space: Space,
    target: Annotated[str, typer.Option("--target", metavar="COLUMN", help="Column of the wide view to be ranked.")],
    proxies: Annotated[
        list[str] | None,
        typer.Option("--proxy", metavar="COLUMN", help="Only this proxy; may be repeated.", show_default="all"),
    ] = None,
    where: Where = None,
    pool: ComparedPool = "common",
    with_intervals: Annotated[
        bool, typer.Option("--intervals", help="Add the ends of 95 % intervals of tau-b and rho.")
    ] = False,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Per proxy: n, coverage, Kendall tau-b, Spearman rho, and tau inside the true top 10 %.

    Coefficients follow the proxy's direction: positive means that what the proxy prefers is better. All are compared
    on the architectures that every proxy has; one that covers under half of the widest stands below, on its own.
    """
    with opened(db, wait) as catalog:
        found = catalog.correlate(space, target, proxies, where, pool=pool, intervals=with_intervals)
    for sentence in found.remarks:
        note(sentence)
    emit(found.frame, output_format)
