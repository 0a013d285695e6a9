"""Options that many commands share, declared once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_DATABASE = Path("catalog.duckdb")

Database = Annotated[
    Path,
    typer.Option("--db", envvar="CATALOG_DB", help="The catalog file.", show_default="catalog.duckdb"),
]

Wait = Annotated[
    float | None,
    typer.Option("--wait", metavar="SECONDS", min=0, help="Wait this long for another process to let go of the file."),
]


class OutputFormat(StrEnum):
    """How rows are written to standard output; ``spreadsheet`` is CSV whose texts no spreadsheet runs."""

    TABLE = "table"
    CSV = "csv"
    SPREADSHEET = "spreadsheet"
    JSON = "json"
    PARQUET = "parquet"


Format = Annotated[
    OutputFormat | None,
    typer.Option("--format", "-f", help="How to print rows.", show_default="table on a terminal, csv otherwise"),
]

Space = Annotated[str, typer.Argument(metavar="SPACE", help="A search space in the catalog, for example nb201.")]

Form = Annotated[str, typer.Option("--form", help="Graph form: canonical or native.")]

Where = Annotated[
    str | None,
    typer.Option("--where", metavar="SQL", help="Keep rows for which this SQL condition on the wide view holds."),
]

Directions = Annotated[
    list[str] | None,
    typer.Option(
        "--direction",
        metavar="NAME=higher|lower",
        help="Whether high or low values of a metric or proxy are good; repeatable.",
    ),
]

Replace = Annotated[
    bool, typer.Option("--replace", help="Read the file in place of its earlier reading, which goes in the same step.")
]

ComparedPool = Annotated[
    str,
    typer.Option(
        "--pool",
        metavar="common|own",
        help="Compare proxies on the architectures that all of them have, or judge each on all of its own.",
    ),
]
Timeout = Annotated[float | None, typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Stop after this long.")]
MemoryLimit = Annotated[
    str | None, typer.Option("--memory-limit", metavar="SIZE", help="Memory the query may use, for example 500MB.")
]
