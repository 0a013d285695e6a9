"""The command line: one Typer app, one file a command group."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from catalog.cli import streams
from catalog.cli.help import WholeSentences
from catalog.cli.outcome import exit_code_of, report_bug
from catalog.nearest import did_you_mean

MODULES = {
    "db": "database",
    "ingest": "ingesting",
    "fetch": "fetching",
    "remove": "mending",
    "rename": "mending",
    "merge": "mending",
    "spaces": "spaces",
    "operators": "spaces",
    "measures": "spaces",
    "query": "asking",
    "top": "asking",
    "lookup": "asking",
    "show": "asking",
    "compare": "asking",
    "export": "asking",
    "doctor": "asking",
    "match": "patterns",
    "motifs": "patterns",
    "score": "scoring",
    "train": "scoring",
    "evaluate": "evaluating",
    "correlate": "analysis",
    "report": "reporting",
    "search": "searching",
    "search-bench": "searching",
    "serve": "serving",
    "demo": "demo",
}
"""Commands in the order of the help, and the module of `catalog.cli` that adds each."""


class Commands(WholeSentences):
    """The commands, each built when it is asked for: building all of them takes longer than most questions."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Give their names, in the order of the help."""
        return list(MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Build one command; an error that names the nearest ones where there is none of this name."""
        if cmd_name not in MODULES:
            ctx.fail(f"No such command {cmd_name!r}. {did_you_mean(cmd_name, MODULES)}".strip())
        part = typer.Typer(rich_markup_mode=None)
        import_module(f"catalog.cli.{MODULES[cmd_name]}").add_to(part)
        return typer.main.get_group(part).commands[cmd_name]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("nas-catalog"))
        raise typer.Exit


app = typer.Typer(
    name="catalog",
    cls=Commands,
    no_args_is_help=True,
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


def main() -> None:
    """Run the command line; a user's mistake gets one clear message and no traceback."""
    if sys.stdout is None:
        sys.exit("error: standard output is closed; there is nowhere to write to.")
    streams.prepare()
    sys.excepthook = report_bug
    sys.exit(exit_code_of(lambda: app(prog_name="catalog")))
