"""The command line: one Typer app, one file a command group."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from catalog.cli import (
    analysis,
    asking,
    database,
    demo,
    evaluating,
    fetching,
    ingesting,
    patterns,
    reporting,
    scoring,
    searching,
    serving,
    spaces,
)
from catalog.errors import CatalogError


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("nas-catalog"))
        raise typer.Exit


INTERRUPTED = 130

app = typer.Typer(
    name="catalog",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Neural-architecture-search spaces as graphs in one DuckDB file: ground truth with provenance, proxies as "
        "columns, asked in SQL.\n\nStart with `catalog demo`, which needs no file."
    ),
)


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    del version


for group in (
    database,
    ingesting,
    fetching,
    spaces,
    asking,
    patterns,
    scoring,
    evaluating,
    analysis,
    reporting,
    searching,
    serving,
    demo,
):
    group.add_to(app)


def main() -> None:
    """Run the command line; a user's mistake gets one clear message and no traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        app(standalone_mode=True)
    except CatalogError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:  # what Typer makes of Ctrl-C
            typer.echo("interrupted; what was finished before is stored, nothing else is.", err=True)
        raise
    except BrokenPipeError:
        # The reader of our output left (`catalog top ... | head`); nothing is wrong, and nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
