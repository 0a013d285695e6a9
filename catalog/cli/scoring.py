"""``catalog score`` and ``catalog train``: predictors as columns."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database, Space, Wait
from catalog.cli.output import note


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("score", epilog="Example: catalog score nb201 --proxy tg_nas")(score)


def score(
    space: Space,
    proxies: Annotated[
        list[str],
        typer.Option("--proxy", metavar="NAME", help="tg_nas, tg_nas_multi or tg_nas_paper; may be repeated."),
    ],
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="DIR", help="Weights that `catalog train` wrote, not the shipped ones."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
) -> None:
    """Score every architecture of a space and store the result as columns of its wide view.

    tg_nas is trained on NAS-Bench-101 alone, tg_nas_multi on NAS-Bench-101 and NAS-Bench-201, tg_nas_paper is the
    recipe as its authors released it. The spread between the members of an ensemble is stored beside it as NAME_std.
    """
    from catalog.extras import require_predict
    from catalog.store import Catalog

    require_predict()
    from predictor.scoring import score_space

    with Catalog.open(db, mode="write", wait=wait) as catalog:
        for proxy in proxies:
            done = score_space(catalog, space, proxy, checkpoint)
            note(
                f"{done.column}: {done.scored:,} architectures of {space}, {done.disconnected:,} of them disconnected, "
                f"in {done.seconds:.1f} s."
            )
