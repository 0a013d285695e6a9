"""``catalog ingest table``: numbers of one's own about the architectures of any space."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Replace, Wait
from catalog.cli.progress import note
from catalog.errors import UsageError
from catalog.message import visible
from ingest.reading.sources import DEFAULT_SIZE_LIMIT

if TYPE_CHECKING:
    from ingest.table.draft import Draft
    from ingest.table.mapping import TableMapping


def add_to(group: typer.Typer) -> None:
    """Add the command to the group ``ingest``."""
    group.command(
        "table",
        epilog=(
            "Example: catalog ingest table examples/my_scores.csv --space nb201 --proxy conv_paths --higher-is-better "
            '--description "Paths through the cell that meet a convolution"'
        ),
    )(table)


def table(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="csv, csv.gz, parquet, JSON, or JSON lines.")],
    space: Annotated[
        str | None,
        typer.Option("--space", metavar="NAME", help="The space whose architectures it names, built in or your own."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key", metavar="COLUMN", help="The column that names the architectures.", show_default="is found"
        ),
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--map", metavar="TOML", help="What the columns mean; see docs/own_numbers.md.")
    ] = None,
    proxy: Annotated[
        str | None, typer.Option("--proxy", metavar="NAME", help="The column NAME is a proxy that is called so.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", metavar="NAME", help="The column NAME is a metric that is called so.")
    ] = None,
    column: Annotated[
        str | None,
        typer.Option("--column", metavar="COLUMN", help="The column, where it is not called like that."),
    ] = None,
    higher: Annotated[
        bool | None, typer.Option("--higher-is-better/--lower-is-better", help="Which values are good.")
    ] = None,
    description: Annotated[
        str | None, typer.Option("--description", metavar="TEXT", help="What the proxy is, in one sentence.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="NAME", help="The data of the metric or proxy.")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="Of the metric: train, valid or test.")
    ] = None,
    unit: Annotated[
        str | None,
        typer.Option(
            "--unit", metavar="UNIT", help="Of the metric's values: percent, fraction, s, ms, mJ, millions, ..."
        ),
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Of the metric: trained, surrogate, reported or supernet.")
    ] = None,
    epochs: Annotated[
        str | None, typer.Option("--epochs", metavar="NUMBER|COLUMN", help="Length of the trainings.")
    ] = None,
    seed: Annotated[
        str | None, typer.Option("--seed", metavar="NUMBER|COLUMN", help="Of the trainings or scores.")
    ] = None,
    repeat: Annotated[
        str | None, typer.Option("--repeat", metavar="NUMBER|COLUMN", help="Ordinal of a training without a seed.")
    ] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", metavar="NAME", help="Of the training: half, final, best.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", metavar="NAME", help="The hardware of a latency or energy.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="NAME", help="Your name for the source of the numbers; else the file's name."),
    ] = None,
    skip_unknown: Annotated[
        bool, typer.Option("--skip-unknown", help="Leave out rows whose architectures nobody knows.")
    ] = False,
    db: Database = DEFAULT_DATABASE,
    size_limit: Annotated[
        int, typer.Option("--size-limit", min=1, metavar="BYTES", help="Refuse files that unpack to more than this.")
    ] = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """A table of your own numbers: one column names the architectures, the others are proxies or metrics.

    Architectures may have any native id of the space in any notation, an index, a hash, a tuple, a genotype or an
    alias. What the columns mean is said by options, for one column, or by a mapping. Without either the mapping is
    asked for on a terminal, and printed to be completed elsewhere (exit code 2).
    """
    from ingest.table.draft import IncompleteMappingError

    facts: dict[str, object] = {
        "proxy": proxy,
        "metric": metric,
        "column": column,
        "direction": None if higher is None else "higher" if higher else "lower",
        "description": description,
        "dataset": dataset,
        "split": split,
        "unit": unit,
        "kind": kind,
        "epochs": _number_or_column(epochs),
        "seed": _number_or_column(seed),
        "repeat": _number_or_column(repeat),
        "stage": stage,
        "device": device,
    }
    saved = Path(f"{file.name.partition('.')[0]}.map.toml")
    is_said = mapping is not None or any(value is not None for value in facts.values())
    if not is_said and saved.is_file():
        note(f"the mapping {saved} says what the columns mean.")
        mapping = saved
    try:
        with opened(db, wait, mode="write") as catalog:
            report = catalog.ingest_table(
                file,
                space,
                map=mapping,
                key=key,
                source=source,
                skip_unknown=skip_unknown,
                replace=replace,
                size_limit=size_limit,
                complete=_asked(saved) if sys.stdin.isatty() and sys.stderr.isatty() else None,
                **facts,
            )
    except IncompleteMappingError as error:
        typer.echo(visible(error.draft.to_toml()), nl=False)
        raise UsageError(error.summary) from None
    for told in report.notes if not sys.stdout.isatty() else ():  # the summary on standard error has them for a person
        typer.echo(visible(f"{report.source}: {told}"))


def _number_or_column(said: str | None) -> int | str | None:
    return int(said) if said is not None and said.isascii() and said.isdecimal() and len(said) < 20 else said


def _asked(saved: Path) -> Callable[[Draft], TableMapping]:
    from catalog.cli.mapping_questions import ask

    def complete(draft: Draft) -> TableMapping:
        return ask(draft, saved)

    return complete
