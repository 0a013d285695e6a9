"""``catalog fetch``: official benchmark files, from download to ingest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Format, Wait
from catalog.cli.output import emit

DEFAULT_FOLDER = Path("downloads")


def add_to(parent: typer.Typer) -> None:
    """Add the command."""
    parent.command("fetch", epilog="Example: catalog fetch")(fetch)


def fetch(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which file; without it, list them all.")] = None,
    mirror: Annotated[
        str | None,
        typer.Option("--mirror", metavar="URL", help="Fetch from here: the file, or a folder that has it."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the file.")] = DEFAULT_FOLDER,
    ingest: Annotated[
        bool, typer.Option("--ingest/--no-ingest", help="Read the file into the catalog afterwards.")
    ] = True,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """List the official benchmark files, or fetch one: download, verify, unpack, ingest.

    A download that was cut off goes on where it ended. A file that is not the published one is not kept.
    """
    with opened(db, wait, mode="write") as catalog:
        if name is None:
            emit(catalog.fetch(), output_format)
        else:
            catalog.fetch(name, mirror=mirror, out=out, ingest=ingest)
