"""``catalog ingest``: benchmark files into the catalog."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from catalog.cli import own_numbers
from catalog.cli.help import WholeSentences
from catalog.cli.opened import opened
from catalog.cli.options import DEFAULT_DATABASE, Database, Directions, Replace, Wait
from catalog.message import visible
from catalog.spaces.staged import TABLES, example
from ingest.reading.sources import DEFAULT_SIZE_LIMIT

app = typer.Typer(
    cls=WholeSentences,
    no_args_is_help=True,
    help="Read benchmark files into the catalog; all of a file or nothing of it.",
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to read, in this order.")]
FilesOrNone = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE...]", help="Files to read, in this order; without one the space is enumerated."),
]
Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, help="Length of the trainings, where the file does not say it.")
]
Release = Annotated[str | None, typer.Option("--release", help="Version of your own table.")]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="NAME", help="Your name for the source of your own table; else its file's name."),
]
Curves = Annotated[
    bool, typer.Option("--curves", help="Also keep the accuracy after each epoch, where the file has it.")
]
SizeLimit = Annotated[
    int, typer.Option("--size-limit", min=1, metavar="BYTES", help="Refuse files that unpack to more than this.")
]


def add_to(parent: typer.Typer) -> None:
    """Add the group's commands."""
    parent.add_typer(app, name="ingest")


own_numbers.add_to(app)


def _ingest(db: Path, wait: float | None, benchmark: str, files: Sequence[Path | str], **options: object) -> None:
    with opened(db, wait, mode="write") as catalog:
        reports = catalog.ingest(benchmark, *files, **options)
    for report in reports if not sys.stdout.isatty() else ():  # the summary on standard error has them for a person
        for note in report.notes:
            typer.echo(visible(f"{report.source}: {note}"))


@app.command("nasbench201", epilog="Example: catalog ingest nasbench201 NAS-Bench-201-v1_1-096897.pth")
def nasbench201(
    files: FilesOrNone = None,
    db: Database = DEFAULT_DATABASE,
    epochs: Epochs = None,
    release: Release = None,
    source: Source = None,
    curves: Curves = False,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """NAS-Bench-201 and NATS-Bench: .pth, .pickle.pbz2, a NATS folder, NAS-Bench-Suite-Zero's zc_*.json, or tables.

    A table has nb201_index or arch_str, {dataset}_{split}_acc, {dataset}_{split}_acc_seeds and params_cifar10. Pickles
    are read without running anything in them: a file that imports more than plain data is refused by name.
    """
    _ingest(
        db,
        wait,
        "nasbench201",
        files or [],
        epochs=epochs,
        release=release,
        source=source,
        curves=curves,
        size_limit=size_limit,
        replace=replace,
    )


@app.command("nasbench101", epilog="Example: catalog ingest nasbench101 nasbench_only108.tfrecord")
def nasbench101(
    files: FilesOrNone = None,
    db: Database = DEFAULT_DATABASE,
    epochs: Epochs = None,
    source: Source = None,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """NAS-Bench-101: .tfrecord files, NAS-Bench-Suite-Zero's zc_*.json, or tables.

    A table holds modules with mean accuracies, or module hashes with the accuracy of each training.
    """
    _ingest(db, wait, "nasbench101", files or [], epochs=epochs, source=source, size_limit=size_limit, replace=replace)


@app.command("nasbench301", epilog="Example: catalog ingest nasbench301 zc_nasbench301.json")
def nasbench301(
    files: Files,
    db: Database = DEFAULT_DATABASE,
    curves: Curves = False,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """NAS-Bench-301 over the DARTS space: folders of results_*.json, or NAS-Bench-Suite-Zero's zc_*.json.

    Trainings and the surrogate's predictions are different kinds of metrics and never share a column.
    """
    _ingest(db, wait, "nasbench301", files, curves=curves, size_limit=size_limit, replace=replace)


@app.command("darts", epilog="Example: catalog ingest darts DARTS.json")
def darts(
    files: Files,
    db: Database = DEFAULT_DATABASE,
    epochs: Epochs = None,
    source: Source = None,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """Lists of DARTS genotypes: csv, parquet, json, text or Python with Genotype(...) literals, and the NDS JSON."""
    _ingest(db, wait, "darts", files, epochs=epochs, source=source, size_limit=size_limit, replace=replace)


@app.command("nds", epilog="Example: catalog ingest nds ResNet.json")
def nds(
    files: Files,
    space: Annotated[
        str | None,
        typer.Option("--space", metavar="NAME", help="nds_resnext_a or nds_resnext_b, where a file may be of both."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    source: Source = None,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """The training logs of NDS: plain networks, ResNets and ResNeXts, and cells.

    The name of a file says the family of its cells: NASNet, Amoeba, PNAS and ENAS have spaces of their own, nds_nasnet
    and so on; DARTS's cells are in the space darts.
    """
    _ingest(db, wait, "nds", files, space=space, source=source, size_limit=size_limit, replace=replace)


@app.command("darts-published", epilog="Example: catalog ingest darts-published")
def darts_published(db: Database = DEFAULT_DATABASE, wait: Wait = None, replace: Replace = False) -> None:
    """The DARTS cells that papers published, with the accuracies and parameters that they report; needs no file."""
    _ingest(db, wait, "darts-published", [], replace=replace)


@app.command("nb201-digits", epilog="Example: catalog ingest nb201-digits")
def nb201_digits(db: Database = DEFAULT_DATABASE, wait: Wait = None, replace: Replace = False) -> None:
    """NB201-digits, the table that comes with the package: NAS-Bench-201 cells trained on scikit-learn's digits.

    `catalog evaluate nb201` trains such networks; this reads the accuracies of those that were trained before.
    """
    _ingest(db, wait, "nb201-digits", [], replace=replace)


@app.command("proxies-by-space", epilog="Example: catalog ingest proxies-by-space --space naap440")
def proxies_by_space(
    space: Annotated[
        str | None, typer.Option("--space", metavar="SPACE", help="Only the scores of this space.", show_default="all")
    ] = None,
    db: Database = DEFAULT_DATABASE,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """Zero-cost proxies by space, measured scores that come with the package; docs/proxies.md has their ranks.

    The columns end in `_published_photos`. `catalog score` measures other architectures.
    """
    _ingest(db, wait, "proxies-by-space", [], space=space, replace=replace)


@app.command("hw-nas-bench", epilog="Example: catalog ingest hw-nas-bench hw_nas_bench_cifar10.csv.gz")
def hw_nas_bench(
    files: Files,
    db: Database = DEFAULT_DATABASE,
    source: Source = None,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """HW-NAS-Bench tables: latency and energy of NAS-Bench-201's cells on six devices; unsupported is NULL."""
    _ingest(db, wait, "hw-nas-bench", files, source=source, size_limit=size_limit, replace=replace)


@app.command("transnas-micro", epilog="Example: catalog ingest transnas-micro tnb101_micro.csv.gz")
def transnas_micro(
    files: FilesOrNone = None,
    db: Database = DEFAULT_DATABASE,
    source: Source = None,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """TransNAS-Bench-101's micro space: tables or JSON lists of its seven tasks, or NAS-Bench-Suite-Zero's zc_*.json.

    A table has arch and one column a task; a JSON list has [arch, value] pairs of the task in its file's name, and a
    JSON object such lists by task.
    """
    _ingest(db, wait, "transnas-micro", files or [], source=source, size_limit=size_limit, replace=replace)


def _staged(name: str) -> None:
    """The command for the public table of one staged space."""
    benchmark = name.replace("_", "-")

    @app.command(
        benchmark,
        epilog=example(name),
        help=f"The public table of the space {name}, or without a file every architecture; see docs/spaces.md.",
    )
    def staged(
        files: FilesOrNone = None,
        db: Database = DEFAULT_DATABASE,
        source: Source = None,
        size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
        wait: Wait = None,
        replace: Replace = False,
    ) -> None:
        _ingest(db, wait, benchmark, files or [], source=source, size_limit=size_limit, replace=replace)


for _name in TABLES:
    _staged(_name)


@app.command("staged", epilog="Example: catalog ingest staged my_results.csv --space my_space")
def own_staged(
    files: Files,
    space: Annotated[
        str, typer.Option("--space", metavar="NAME", help="The space, added with `catalog spaces add`, or built in.")
    ],
    db: Database = DEFAULT_DATABASE,
    source: Source = None,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """Tables of a staged space of your own, as the [table] of its description says; see docs/spaces.md."""
    _ingest(db, wait, "staged", files, space=space, source=source, size_limit=size_limit, replace=replace)


@app.command("graphs", epilog="Example: catalog ingest graphs mine.jsonl --space mine --operators ops.json")
def graphs(
    files: Files,
    space: Annotated[str, typer.Option("--space", metavar="NAME", help="The space that the graphs belong to.")],
    operators: Annotated[
        Path | None,
        typer.Option(
            "--operators", metavar="FILE", help="JSON: operator name to kind, generic, kernel, weights, description."
        ),
    ] = None,
    direction: Directions = None,
    db: Database = DEFAULT_DATABASE,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """Your own search space: one JSON object a line with id, cells (name, ops, edges), metrics and proxies."""
    _ingest(
        db,
        wait,
        "graphs",
        files,
        space=space,
        operators=operators,
        direction=direction,
        size_limit=size_limit,
        replace=replace,
    )


@app.command(
    "model",
    epilog=(
        "Example: catalog ingest model torch.nn:TransformerEncoderLayer --argument d_model=64 --argument nhead=4 "
        "--input 1x16x64 --space blocks --id encoder"
    ),
)
def model(
    target: Annotated[
        str,
        typer.Argument(metavar="MODULE:CALLABLE|FILE.onnx", help="What makes a PyTorch module, or an ONNX file."),
    ],
    space: Annotated[str, typer.Option("--space", metavar="NAME", help="Your own space that the network belongs to.")],
    native_id: Annotated[str, typer.Option("--id", metavar="ID", help="The network's id in that space.")],
    inputs: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="SHAPE",
            help="Shape of an input, batch first: 1x3x32x32 (the default for modules), or 1x16:int64; repeatable.",
        ),
    ] = None,
    arguments: Annotated[
        list[str] | None,
        typer.Option(
            "--argument", metavar="NAME=VALUE", help="Argument of the callable, a Python literal; repeatable."
        ),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    size_limit: SizeLimit = 2**31,
    wait: Wait = None,
    replace: Replace = False,
) -> None:
    """Any PyTorch module or ONNX file as a graph of primitive operators, with shapes, parameters and costs.

    MODULE:CALLABLE imports your Python module, from the current folder first, and runs its code: name only code that
    you trust. An ONNX file is read as data; nothing of it is run.
    """
    _ingest(
        db,
        wait,
        "model",
        [target],
        space=space,
        id=native_id,
        input=inputs,
        argument=arguments,
        size_limit=size_limit,
        replace=replace,
    )
