"""``catalog query``, ``top``, ``lookup``, ``show``, ``compare``, ``export`` and ``doctor``: questions and answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import (
    DEFAULT_DATABASE,
    Database,
    Form,
    Format,
    MemoryLimit,
    OutputFormat,
    Space,
    Timeout,
    Wait,
    Where,
)
from catalog.cli.output import chosen_format, emit
from catalog.cli.progress import note
from catalog.errors import CatalogError, UsageError
from catalog.message import visible
from catalog.output_file import write_text

Identifier = Annotated[
    str, typer.Argument(metavar="ID", help="Any native id of the space: string, index, hash, tuple.")
]
Identifiers = Annotated[list[str], typer.Argument(metavar="ID...", help="Native ids of the space.")]


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.command("query", epilog='Example: catalog query "SELECT count(*) FROM nb201 WHERE params < 1e6"')(query)
    parent.command("top", epilog="Example: catalog top nb201 --by live_params -k 5")(top)
    parent.command("lookup", epilog="Example: catalog lookup nb201 6111 9930 --column params --column cell")(lookup)
    parent.command("show", epilog="Example: catalog show nb201 6111")(show)
    parent.command("compare", epilog="Example: catalog compare nb201 6111 9930")(compare)
    parent.command("export", epilog="Example: catalog export nb201 --format parquet")(export)
    parent.command("doctor", epilog="Example: catalog doctor --full")(doctor)


def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One reading statement, or - for standard input.")],
    db: Database = DEFAULT_DATABASE,
    timeout: Timeout = None,
    memory_limit: MemoryLimit = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Run SQL on the catalog, read-only: it can read the catalog's tables and nothing else on the machine."""
    text = typer.get_text_stream("stdin").read() if sql == "-" else sql
    with opened(db, wait, output_format=output_format) as catalog:
        emit(catalog.query(text, timeout=timeout, memory_limit=memory_limit), output_format)


def top(
    space: Space,
    by: Annotated[str, typer.Option("--by", metavar="COLUMN", help="Column of the wide view: a metric or a proxy.")],
    k: Annotated[int, typer.Option("-k", min=1, help="How many.")] = 10,
    where: Where = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="COLUMN",
            help="Show this column; may be repeated.",
            show_default="index, --by, those of --where, and the native id",
        ),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    ascending: Annotated[
        bool | None,
        typer.Option("--ascending/--descending", help="Smallest or largest first.", show_default="the best first"),
    ] = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """The best architectures of a space by one column."""
    with opened(db, wait, output_format=output_format) as catalog:
        emit(catalog.top(space, by, k, where, columns=columns, ascending=ascending), output_format)


def lookup(
    space: Space,
    ids: Annotated[
        list[str],
        typer.Argument(metavar="ID...", help="Native ids of the space, or - for one a line from standard input."),
    ],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="COLUMN", help="Only this column of the wide view; may be repeated.", show_default="all"
        ),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """The wide rows of given architectures, in their order; an id may have any notation that the space accepts."""
    if ids == ["-"]:
        ids = [line for line in typer.get_text_stream("stdin").read().splitlines() if line.strip()]
    with opened(db, wait) as catalog:
        emit(catalog.lookup(ids, space, columns=columns), output_format)


def show(
    space: Space,
    identifier: Identifier,
    form: Form = "native",
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Also write the drawing as SVG.")] = None,
    computation: Annotated[
        bool,
        typer.Option("--computation", help="The whole network instead: its layers with shapes, repeats and costs."),
    ] = False,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Everything known about one architecture: drawing, metrics by source and seed, proxies, functional twins.

    With --computation the graph of the whole network: one cell a stage, with how often it is repeated, and the layers
    in the order in which data passes them.
    """
    with opened(db, wait) as catalog:
        if computation:
            view = catalog.computation(space, identifier)
            drawn, text, numbers = view.svg(), view.text(), view.frame
        else:
            profile = catalog.show(space, identifier)
            drawn, text, numbers = profile.svg(form), profile.text(form), profile.numbers()
    if svg is not None:
        write_text(svg, drawn)
        note(f"wrote {svg}")
    if output_format in (None, OutputFormat.TABLE):
        typer.echo(visible(text))
    else:
        emit(numbers, output_format)


def compare(
    space: Space,
    identifiers: Identifiers,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write a page instead: graphs, metrics, proxies, near neighbours."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Architectures side by side: one row a column of the wide view, one column an architecture.

    A table rounds for the eye; csv, json and parquet give every value as it is stored, as text. With --out the same
    becomes one HTML page that needs no other file: the graphs side by side, the metrics of every source, the proxies as
    percentiles of the space, and the nearest stored architectures by edits of the graph and by TG-NAS's embedding.
    """
    with opened(db, wait) as catalog:
        beside = catalog.compare(space, identifiers, out=out)
    if out is None:
        is_table = chosen_format(output_format) is OutputFormat.TABLE
        emit(beside.answer(rounded=is_table), output_format)


def export(
    space: Space,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="File to write; its ending may give the format.",
            show_default="SPACE.parquet here, or the ending of --format",
        ),
    ] = None,
    where: Where = None,
    db: Database = DEFAULT_DATABASE,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Write a space's wide view to a parquet, csv or json file."""
    with opened(db, wait) as catalog:
        catalog.export(space, out, where=where, format=output_format.value if output_format else None)


def doctor(
    db: Database = DEFAULT_DATABASE,
    full: Annotated[
        bool, typer.Option("--full", help="Derive everything anew from the native graphs, whatever the seals say.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="First derive anew what does not follow from the rest, and say what.")
    ] = False,
    explained: Annotated[
        tuple[str, str] | None,
        typer.Option(
            "--explain",
            metavar="SPACE COLUMN",
            help="Instead: where the numbers of a column come from, and why some are missing.",
        ),
    ] = None,
    output_format: Format = None,
    wait: Wait = None,
) -> None:
    """Check the file: every row by its seal, and all that is derived. Exit code 1 if a check fails.

    Seals prove that rows are those that were stored. Wide views, representatives and, where a seal is broken, graphs
    are derived anew in full and compared. --repair writes what was derived; what cannot be derived is told.

    --explain SPACE COLUMN checks nothing: it tells the sources of one column of a wide view with their digests, the
    runs and commands that stored its rows, unit and direction, how seeds were averaged, and what is NULL and why.
    """
    if explained is not None:
        if full or repair:
            raise UsageError("--explain checks and changes nothing; leave --full and --repair out.")
        with opened(db, wait, output_format=output_format) as catalog:
            origin = catalog.origin(*explained)
        if chosen_format(output_format) is OutputFormat.TABLE:
            typer.echo(visible(origin.text))
        else:
            emit(origin.frame, output_format)
        return
    with opened(db, wait, mode="write" if repair else "read") as catalog:
        found = catalog.doctor(full=full, repair=repair)
    emit(found.frame, output_format, whole=True)
    if found.failed:
        raise CatalogError(f"{db}: these checks failed: {', '.join(found.failed)}. Do what their details say.")
