"""``catalog spaces``, ``catalog operators`` and ``catalog measures``: what the catalog holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.help import WholeSentences
from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Directions, Format, Wait
from catalog.cli.output import emit
from catalog.session.handle import Mode


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    group = typer.Typer(cls=WholeSentences, invoke_without_command=True)
    group.callback(epilog="Example: catalog spaces --enumerate nb201")(spaces)
    group.command("add", epilog="Example: catalog spaces add my_space.toml")(add)
    group.command("draw", epilog="Example: catalog spaces draw ofa --count 100 --seed 0")(draw)
    parent.add_typer(group, name="spaces")
    parent.command("operators", epilog="Example: catalog operators --space nb201 --similar nor_conv_3x3")(operators)
    parent.command("measures", epilog="Example: catalog measures")(measures)


def spaces(
    context: typer.Context,
    db: Database = DEFAULT_DATABASE,
    enumerated: Annotated[
        str | None,
        typer.Option(
            "--enumerate", metavar="SPACE", help="First enter every architecture of this space, built in or added."
        ),
    ] = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """List the search spaces: architectures stored, functions by canonical form, metrics and scores."""
    if context.invoked_subcommand is not None:
        return
    mode: Mode = "read" if enumerated is None else "write"
    with opened(db, wait, mode=mode, output_format=output_format) as catalog:
        emit(catalog.spaces(enumerated), output_format)


def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the space is, as TOML.")],
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Add a staged space of your own, so that it can be enumerated, searched, scored and asked.

    docs/spaces.md walks through such a file.
    """
    with opened(db, wait, mode="write") as catalog:
        catalog.add_space(file)


def draw(
    space: Annotated[str, typer.Argument(metavar="SPACE", help="Built in or added, however large.")],
    count: Annotated[
        int, typer.Option("--count", metavar="N", help="How many; all there are where they are fewer.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Of the draw; the same seed draws the same architectures.")] = 0,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Draw different architectures uniformly from a space and enter them, without metrics.

    What the catalog holds already is not entered again.
    """
    with opened(db, wait, mode="write") as catalog:
        catalog.draw_space(space, count, seed=seed)


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
