"""``catalog spaces``, ``catalog operators`` and ``catalog measures``: what the catalog holds."""

from __future__ import annotations

from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Directions, Format, Wait
from catalog.cli.output import emit
from catalog.session.handle import Mode


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("spaces", epilog="Example: catalog spaces --enumerate nb201")(spaces)
    parent.command("operators", epilog="Example: catalog operators --space nb201 --similar nor_conv_3x3")(operators)
    parent.command("measures", epilog="Example: catalog measures")(measures)


def spaces(
    db: Database = DEFAULT_DATABASE,
    enumerated: Annotated[
        str | None,
        typer.Option(
            "--enumerate", metavar="SPACE", help="First enter every architecture of this space (nb101, nb201)."
        ),
    ] = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """List the search spaces: architectures stored, functions by canonical form, metrics and scores."""
    mode: Mode = "read" if enumerated is None else "write"
    with opened(db, wait, mode=mode, output_format=output_format) as catalog:
        emit(catalog.spaces(enumerated), output_format)


def operators(
    db: Database = DEFAULT_DATABASE,
    space: Annotated[str | None, typer.Option("--space", help="Only operators that occur in this space.")] = None,
    similar: Annotated[
        str | None,
        typer.Option(
            "--similar", metavar="NAME", help="Nearest first, by the descriptions' cosine to this operator's."
        ),
    ] = None,
    style: Annotated[
        str, typer.Option("--style", help="Sentence style that --similar compares: short, medium or long.")
    ] = "short",
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """List the operators with kind, window and description; with --similar by what their descriptions mean.

    Similarity is the cosine of the sentence embeddings (all-MiniLM-L6-v2) that TG-NAS sees, -1 to 1.
    """
    with opened(db, wait, output_format=output_format) as catalog:
        emit(catalog.operators(space, similar=similar, style=style), output_format)


def measures(
    db: Database = DEFAULT_DATABASE,
    direction: Directions = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """List metrics, and proxies that came with files: unit, and whether higher or lower is better.

    With --direction the direction of one that is stored is set first, for every file that has it.
    """
    with opened(db, wait, mode="write" if direction else "read", output_format=output_format) as catalog:
        emit(catalog.measures(direction or ()), output_format)
