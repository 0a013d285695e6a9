"""``catalog fetch``: official benchmark files, from download to ingest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Format, OutputFormat, Wait
from catalog.cli.output import chosen_format, emit
from catalog.message import readable_bytes

if TYPE_CHECKING:
    import polars

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
            emit(_with_sizes(catalog.fetch(), output_format), output_format)
        else:
            catalog.fetch(name, mirror=mirror, out=out, ingest=ingest)


def _with_sizes(files: polars.DataFrame, output_format: OutputFormat | None) -> polars.DataFrame:
    """The list with sizes as people read them, where it is a table."""
    if chosen_format(output_format) is not OutputFormat.TABLE:
        return files
    import polars

    sizes = [None if size is None else readable_bytes(size) for size in files["bytes"].to_list()]
    return files.with_columns(polars.Series("bytes", sizes, polars.String)).rename({"bytes": "size"})
