"""``catalog match`` and ``catalog motifs``: the catalog as a graph database."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Form, Format, MemoryLimit, Space, Timeout, Wait
from catalog.cli.output import emit
from catalog.message import visible


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("match", epilog='Example: catalog match nb201 "(:conv)->(:pool)->*(output)" --count')(match)
    parent.command("motifs", epilog="Example: catalog motifs nb201 --by live_params -k 10")(motifs)


def match(
    space: Space,
    pattern: Annotated[
        str, typer.Argument(metavar="PATTERN", help="For example '(conv3x3)->(a:conv), NOT (input)->(output)'.")
    ],
    form: Form = "canonical",
    count: Annotated[bool, typer.Option("--count", help="Only count architectures and matches.")] = False,
    by: Annotated[
        str | None, typer.Option("--by", metavar="COLUMN", help="Sort by this column of the wide view, the best first.")
    ] = None,
    limit: Annotated[int | None, typer.Option("-k", "--limit", min=1, help="Print at most this many.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print the SQL instead of running it.")] = False,
    timeout: Timeout = None,
    memory_limit: MemoryLimit = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Architectures whose graph contains a pattern: (operator), (:kind), (*), ->, ->* and NOT, joined by commas."""
    with opened(db, wait, output_format=output_format) as catalog:
        if explain:
            typer.echo(visible(catalog.pattern_sql(space, pattern, form=form)))
        else:
            found = catalog.match(
                space,
                pattern,
                form=form,
                count=count,
                by=by,
                limit=limit,
                timeout=timeout,
                memory_limit=memory_limit,
            )
            emit(found, output_format)


def motifs(
    space: Space,
    by: Annotated[str, typer.Option("--by", metavar="COLUMN", help="Column of the wide view that says what is good.")],
    share: Annotated[
        float, typer.Option("--share", min=0.0001, max=0.5, help="Share of the architectures called top.")
    ] = 0.01,
    k: Annotated[int, typer.Option("-k", min=1, help="How many patterns.")] = 20,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Small patterns that are over-represented among the top architectures by a column."""
    with opened(db, wait) as catalog:
        emit(catalog.motifs(space, by, share=share, k=k), output_format)
