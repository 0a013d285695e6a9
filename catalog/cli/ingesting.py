"""``catalog ingest``: benchmark files into the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.cli.options import DEFAULT_DATABASE, Database, Wait
from catalog.cli.output import note
from catalog.cli.progress import counting
from catalog.cli.spaces import enter_space
from catalog.errors import UsageError
from ingest.reading.sources import DEFAULT_SIZE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from catalog.architecture.operators import Operator
    from ingest.reading.batch import Loader
    from ingest.reading.job import IngestReport


app = typer.Typer(no_args_is_help=True, help="Read benchmark files into the catalog; all of a file or nothing of it.")

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files to read, in this order.")]
FilesOrNone = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE...]", help="Files to read, in this order; without one the space is enumerated."),
]
Epochs = Annotated[
    int | None, typer.Option("--epochs", min=1, help="Length of the trainings, where the file's name does not say it.")
]
Release = Annotated[
    str | None, typer.Option("--release", help="Version of the benchmark, where the file's name does not say it.")
]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="nb201|nats", help="Whose accuracies a table holds, where its name does not say."),
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


def ingest_files(db: Path, wait: float | None, pairs: list[tuple[Loader, Path]]) -> None:
    """Ingest files one after the other, creating the catalog if there is none; each file is a transaction."""
    from catalog.storage.store import Store
    from ingest.reading.job import ingest

    with Store.open(db, mode="write", create=True, wait=wait) as catalog:
        for loader, path in pairs:
            with counting(f"reading {path.name}") as progress:
                done = ingest(catalog, loader, path, progress)
            report(path.name, done)


def report(name: str, done: IngestReport) -> None:
    """Say what an ingest did."""
    if done.was_known:
        rest = f"{done.new_operators:,} new operators stored" if done.new_operators else "nothing to do"
        note(f"{name}: already in the catalog as {done.source} ({done.records:,} records); {rest}.")
    else:
        note(
            f"{name}: {done.records:,} records of {done.source} into {done.space}: {done.new_architectures:,} new "
            f"architectures, {done.metrics:,} metrics, {done.scores:,} scores."
        )


@app.command("nasbench201", epilog="Example: catalog ingest nasbench201 nb201_v1.1_200ep.csv.gz nb201_12ep.csv.gz")
def nasbench201(
    files: FilesOrNone = None,
    db: Database = DEFAULT_DATABASE,
    epochs: Epochs = None,
    release: Release = None,
    source: Source = None,
    curves: Curves = False,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
) -> None:
    """NAS-Bench-201 and NATS-Bench: .pth, .pickle.pbz2, a NATS folder, NAS-Bench-Suite-Zero's zc_*.json, or tables.

    A table has nb201_index or arch_str, {dataset}_{split}_acc, {dataset}_{split}_acc_seeds and params_cifar10. Pickles
    are read without running anything in them: a file that imports more than plain data is refused by name.
    """
    if not files:
        enter_space(db, "nb201", wait)
        return
    from ingest.formats.choosing import loader_for
    from ingest.formats.nb201_table import NB201Table

    ingest_files(
        db,
        wait,
        [
            (
                loader_for("nasbench201", file, curves=curves, size_limit=size_limit)
                or NB201Table(epochs, release, size_limit, source),
                file,
            )
            for file in files
        ],
    )


@app.command("nasbench101", epilog="Example: catalog ingest nasbench101 nb101_108ep_mean_test.csv.gz")
def nasbench101(
    files: FilesOrNone = None,
    db: Database = DEFAULT_DATABASE,
    epochs: Epochs = None,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
) -> None:
    """NAS-Bench-101: .tfrecord files, NAS-Bench-Suite-Zero's zc_*.json, or tables.

    A table holds modules with mean accuracies, or module hashes with the accuracy of each training.
    """
    if not files:
        enter_space(db, "nb101", wait)
        return
    from ingest.formats.choosing import loader_for
    from ingest.formats.nb101_table import NB101Table

    ingest_files(
        db,
        wait,
        [
            (loader_for("nasbench101", file, size_limit=size_limit) or NB101Table(epochs, size_limit), file)
            for file in files
        ],
    )


@app.command("nasbench301", epilog="Example: catalog ingest nasbench301 zc_nasbench301@22280f71.json")
def nasbench301(
    files: Files,
    db: Database = DEFAULT_DATABASE,
    curves: Curves = False,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
) -> None:
    """NAS-Bench-301 over the DARTS space: folders of results_*.json, or NAS-Bench-Suite-Zero's zc_*.json.

    Trainings and the surrogate's predictions are different kinds of metrics and never share a column.
    """
    _ingest_official("nasbench301", db, wait, files, curves=curves, size_limit=size_limit)


@app.command("darts", epilog="Example: catalog ingest darts darts_214_trained_cifar10.csv")
def darts(
    files: Files,
    db: Database = DEFAULT_DATABASE,
    epochs: Epochs = None,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
) -> None:
    """Lists of DARTS genotypes: csv, json or txt with Genotype(...) literals, and the NDS JSON."""
    _ingest_official("darts", db, wait, files, epochs=epochs, size_limit=size_limit)


@app.command("darts-published", epilog="Example: catalog ingest darts-published")
def darts_published(db: Database = DEFAULT_DATABASE, wait: Wait = None) -> None:
    """The DARTS cells that papers published, with the accuracies and parameters that they report; needs no file."""
    from catalog.storage.store import Store
    from ingest.formats.genotypes import PublishedGenotypes
    from ingest.reading.job import ingest_content

    loader = PublishedGenotypes()
    name = Path("darts-published")
    with Store.open(db, mode="write", create=True, wait=wait) as catalog:
        report(name.name, ingest_content(catalog, loader, name, loader.digest()))


@app.command("nb201-digits", epilog="Example: catalog ingest nb201-digits")
def nb201_digits(db: Database = DEFAULT_DATABASE, wait: Wait = None) -> None:
    """NB201-digits, the table that comes with the package: NAS-Bench-201 cells trained on scikit-learn's digits.

    `catalog evaluate nb201` trains such networks; this reads the accuracies of those that were trained before.
    """
    from ingest.formats.nb201_digits import TABLE, NB201Digits

    ingest_files(db, wait, [(NB201Digits(), TABLE)])


@app.command("hw-nas-bench", epilog="Example: catalog ingest hw-nas-bench hw_nas_bench_cifar10.csv.gz")
def hw_nas_bench(
    files: Files,
    db: Database = DEFAULT_DATABASE,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
) -> None:
    """HW-NAS-Bench tables: latency and energy of NAS-Bench-201's cells on six devices; unsupported is NULL."""
    _ingest_official("hw-nas-bench", db, wait, files, size_limit=size_limit)


@app.command("graphs", epilog="Example: catalog ingest graphs mine.jsonl --space mine --operators ops.json")
def graphs(
    files: Files,
    space: Annotated[str, typer.Option("--space", metavar="NAME", help="The space that the graphs belong to.")],
    operators: Annotated[
        Path | None,
        typer.Option("--operators", metavar="FILE", help="JSON: operator name to kind, kernel, weights, description."),
    ] = None,
    db: Database = DEFAULT_DATABASE,
    size_limit: SizeLimit = DEFAULT_SIZE_LIMIT,
    wait: Wait = None,
) -> None:
    """Your own search space: one JSON object a line with id, cells (name, ops, edges), metrics and proxies."""
    from ingest.formats.graphs_jsonl import GraphsJSONL
    from ingest.formats.operator_file import read_operators

    own = {operator.name: operator for operator in _stored_operators(db, space, wait)}
    own |= {operator.name: operator for operator in (read_operators(operators) if operators is not None else ())}
    ingest_files(db, wait, [(GraphsJSONL(space, tuple(own.values()), size_limit=size_limit), file) for file in files])


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
) -> None:
    """Any PyTorch module or ONNX file as a graph of primitive operators, with shapes, parameters and costs.

    MODULE:CALLABLE imports your Python module, from the current folder first, and runs its code: name only code that
    you trust. An ONNX file is read as data; nothing of it is run.
    """
    from catalog.storage.store import Store
    from ingest.model.loader import ingest_traced
    from ingest.model.user_modules import example_inputs, is_target, load_module, parse_arguments, parse_shape

    source: Path | str
    if target.endswith(".onnx") or not is_target(target):
        from ingest.model.onnx_reading import read_onnx

        source = Path(target)
        if not source.is_file():
            raise UsageError(
                f"{target} is neither an ONNX file nor of the form MODULE:callable, such as my_nets:build."
            )
        shapes = [parse_shape(word)[0] for word in inputs] if inputs else None
        traced = read_onnx(source, shapes, size_limit=size_limit)
    else:
        source = target
        given = parse_arguments(arguments or [])
        note(f"importing {target.partition(':')[0]} and running its code ...")
        made = load_module(target, given, Path.cwd())
        from ingest.model.torch_tracing import trace_module

        traced = trace_module(made, example_inputs(inputs or ["1x3x32x32"]))
    with Store.open(db, mode="write", create=True, wait=wait) as catalog:
        report(target, ingest_traced(catalog, traced, space, native_id, source))
    note(f"{native_id}: {traced!r}")


def _stored_operators(db: Path, space: str, wait: float | None) -> Sequence[Operator]:
    """The operators that an earlier file of the same space brought, so that they need not be given again."""
    from catalog.storage.store import Store
    from catalog.tables.stored_spaces import space_of

    if not db.exists():
        return ()
    with Store.open(db, wait=wait) as catalog:
        if not len(catalog.arrow("SELECT 1 FROM space WHERE name = ?", [space])):
            return ()
        return space_of(catalog, space).own_operators


def _ingest_official(benchmark: str, db: Path, wait: float | None, files: list[Path], **options: Any) -> None:
    from ingest.formats.choosing import loader_for

    pairs = []
    for file in files:
        loader = loader_for(benchmark, file, **options)
        if loader is None:
            raise UsageError(
                f"{file} is no file that this command knows; `catalog ingest {benchmark} --help` names them."
            )
        pairs.append((loader, file))
    ingest_files(db, wait, pairs)
