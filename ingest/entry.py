"""The one way in for files: a benchmark's name and what belongs to it become readers, and readers fill the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import IngestError, UsageError
from catalog.nearest import did_you_mean
from catalog.progress import Listener
from catalog.spaces.staged import TABLES
from catalog.tables.name_gate import checked_name, shown_file_name

if TYPE_CHECKING:
    from catalog.spaces.base import SearchSpace
    from catalog.storage.store import Store
    from ingest.reading.batch import Loader
    from ingest.reading.job import IngestReport

Options = Mapping[str, Any]
LoaderIn = Callable[["Store"], "Loader"]


@dataclass(frozen=True)
class Benchmark:
    """What a user may hand over under one name.

    Parameters
    ----------
    options
        The options that its readers know.
    loader
        Given a file and the options: what gives the file's reader once a store is open.
    enumerates
        The space that is entered where no file is named; None where files are needed.
    """

    options: frozenset[str]
    loader: Callable[[Path, Options], LoaderIn]
    enumerates: str | None = None


Job = Callable[["Store"], "IngestReport"]
"""One file, ready to be read into a store."""


def prepared(name: str, files: Sequence[Path], options: Options, listener: Listener) -> list[Job]:
    """The jobs that read files, one a file; what can be wrong without a catalog is found now.

    Parameters
    ----------
    name
        One of `NAMES`.
    files
        What to read; of ``model`` a module's name or an ONNX file.
    options
        Options of the benchmark; those that are None or false count as not given. Each knows ``replace``: the earlier
        reading of a file goes in the step that reads it.
    listener
        Hears of each file as soon as it is stored.

    Raises
    ------
    UsageError
        There is no such benchmark or option, or it needs a file.
    """
    given = {option: value for option, value in options.items() if value not in (None, False)}
    replace = bool(given.pop("replace", False))
    if name == "model":
        return [_model(files, given, listener, replace)]
    if name == "darts-published":
        _only(name, given, frozenset())
        return [_published(listener, replace)]
    if name == "proxies-by-space":
        return _proxies_by_space(name, files, given, listener, replace)
    benchmark = BENCHMARKS.get(name)
    if benchmark is None:
        raise UsageError(
            f"unknown benchmark {name!r}; known are {', '.join(sorted(NAMES))}. {did_you_mean(name, NAMES)}".rstrip()
        )
    _only(name, given, benchmark.options)
    for file in files:
        if not file.exists():
            raise IngestError(f"{file} does not exist; nothing was stored. Check the path and run the command again.")
    if name == "nb201-digits":
        from ingest.formats.nb201_digits import TABLE

        files = [TABLE]
    if not files and replace:
        raise UsageError(f"name the file that replaces its earlier reading: catalog ingest {name} FILE --replace.")
    if not files and benchmark.enumerates is not None:
        return [_enumeration(benchmark.enumerates, listener)]
    if not files:
        raise UsageError(f"name a file: catalog ingest {name} FILE.")
    read = [] if name == "nb201-digits" else files
    return [
        _of_file(benchmark.loader(file, given), file, listener, replace, _typed(name, read and [file], given))
        for file in files
    ]


def _typed(name: str, files: Sequence[Path], given: Options) -> list[str]:
    """The command as a user types it, with the names of files and without their folders, which are one machine's."""
    words = ["catalog", "ingest", name, *(shown_file_name(file.name) for file in files)]
    for option, value in sorted(given.items()):
        if option == "size_limit":
            continue  # changes nothing of what is stored
        flag = f"--{option.replace('_', '-')}"
        if isinstance(value, Mapping):
            value = [f"{key}={one}" for key, one in value.items()]
        for one in value if isinstance(value, list | tuple) else [value]:
            shown = Path(one).name if option == "operators" else str(one)
            words += [flag] if one is True else [flag, shown]
    return words


def _of_file(
    loader_in: Callable[[Store], Loader], file: Path, listener: Listener, replace: bool, typed: Sequence[str]
) -> Job:
    def job(store: Store) -> IngestReport:
        from ingest.reading.job import ingest

        loader = loader_in(store)
        with listener.watch(f"reading {file.name}") as advance:
            report = ingest(store, loader, file, advance, replace=replace, typed=typed)
        listener.note(f"{file.name}: {report}")
        return report

    return job


def enter_space(store: Store, name: str, listener: Listener) -> int:
    """Enter every architecture of a space, without metrics; returns how many are new.

    Raises
    ------
    UnknownSpaceError
        The space is neither built in nor stored.
    """
    from catalog.tables.enumeration import enumerate_space

    return _entered(store, name, enumerate_space, listener)


def draw_space(store: Store, name: str, count: int, seed: int, listener: Listener) -> int:
    """Enter so many different architectures drawn from a space, without metrics; returns how many are new.

    Raises
    ------
    UnknownSpaceError
        The space is neither built in nor stored.
    """
    from catalog.tables.enumeration import enter_drawn

    def enter(store: Store, space: SearchSpace, advance: Callable[[int], None]) -> int:
        return enter_drawn(store, space, count, seed, advance)

    return _entered(store, name, enter, listener)


def _entered(
    store: Store, name: str, enter: Callable[[Store, SearchSpace, Callable[[int], None]], int], listener: Listener
) -> int:
    from catalog.tables.stored_spaces import space_of

    definition = space_of(store, name)
    with listener.watch(f"entering {name}") as advance:
        new = enter(store, definition, advance)
    listener.note(f"{name}: {new:,} new architectures.")
    return new


def _enumeration(space: str, listener: Listener) -> Job:
    def job(store: Store) -> IngestReport:
        from ingest.reading.job import IngestReport

        return IngestReport("enumeration", space, 0, enter_space(store, space, listener), 0, 0)

    return job


def _only(name: str, given: Options, known: frozenset[str]) -> None:
    if unknown := sorted(set(given) - known - {"size_limit"}):
        allowed = f"it knows {', '.join(sorted(known))}" if known else "it has none"
        raise UsageError(f"{name} has no option {', '.join(unknown)}; {allowed}.")


def _nasbench201(file: Path, options: Options) -> LoaderIn:
    from ingest.formats.choosing import loader_for
    from ingest.formats.nb201_table import NB201Table

    official = loader_for(
        "nasbench201",
        file,
        curves=options.get("curves", False),
        source=options.get("source"),
        **_limits(options),
    )
    _only_for_tables(official, options, file)
    table = NB201Table(options.get("epochs"), options.get("release"), source=options.get("source"), **_limits(options))
    return lambda _: official or table


def _only_for_tables(official: Loader | None, options: Options, file: Path) -> None:
    """Refuse what a file of the benchmark's own says itself: whose numbers it holds."""
    if "source" not in options or official is None:
        return
    from ingest.formats.suite_zero import SuiteZero
    from ingest.reading.known_tables import source_is_known

    if not isinstance(official, SuiteZero):  # which tells its own tables from others by their bytes
        raise source_is_known(file)


def _nasbench101(file: Path, options: Options) -> LoaderIn:
    from ingest.formats.choosing import loader_for
    from ingest.formats.nb101_table import NB101Table

    official = loader_for("nasbench101", file, source=options.get("source"), **_limits(options))
    _only_for_tables(official, options, file)
    table = NB101Table(options.get("epochs"), source=options.get("source"), **_limits(options))
    return lambda _: official or table


def _official(name: str) -> Callable[[Path, Options], LoaderIn]:
    def loader(file: Path, options: Options) -> LoaderIn:
        from ingest.formats.choosing import loader_for

        found = loader_for(name, file, **options)
        if found is None:
            raise _unknown_file(name, file)
        return lambda _: found

    return loader


def _unknown_file(name: str, file: Path) -> UsageError:
    return UsageError(f"{file} is no file that this command knows; `catalog ingest {name} --help` names them.")


def _nb201_digits(_file: Path, _options: Options) -> LoaderIn:
    from ingest.formats.nb201_digits import NB201Digits

    return lambda _: NB201Digits()


def _graphs(_: Path, options: Options) -> LoaderIn:
    from catalog.tables.measures import parsed
    from ingest.formats.graphs_jsonl import GraphsJSONL
    from ingest.formats.operator_file import read_operators

    if "space" not in options:
        raise UsageError("name the space that the graphs belong to: --space NAME.")
    space = str(options["space"])
    brought = read_operators(Path(options["operators"])) if "operators" in options else ()
    said = parsed(options.get("direction", ()))

    def loader(store: Store) -> Loader:
        own = {operator.name: operator for operator in (*_stored_operators(store, space), *brought)}
        return GraphsJSONL(space, tuple(own.values()), directions=said, **_limits(options))

    return loader


def _stored_operators(store: Store, space: str) -> Sequence[Any]:
    """The operators that an earlier file of the same space brought, so that they need not be given again."""
    from catalog.tables.stored_spaces import space_of

    if not store.rows("SELECT 1 FROM space WHERE name = ?", [space]):
        return ()
    return space_of(store, space).own_operators


def _limits(options: Options) -> dict[str, Any]:
    return {"size_limit": options["size_limit"]} if "size_limit" in options else {}


def _published(listener: Listener, replace: bool) -> Job:
    def job(store: Store) -> IngestReport:
        from ingest.formats.genotypes import PublishedGenotypes
        from ingest.reading.job import ingest_content

        loader = PublishedGenotypes()
        typed = _typed("darts-published", [], {})
        report = ingest_content(store, loader, Path("darts-published"), loader.digest(), replace=replace, typed=typed)
        listener.note(f"darts-published: {report}")
        return report

    return job


def _proxies_by_space(
    name: str, files: Sequence[Path], options: Options, listener: Listener, replace: bool
) -> list[Job]:
    """The scores that come with the package, a source for each space."""
    from ingest.formats.proxies_by_space import TABLE, ProxiesBySpace, chosen_spaces

    _only(name, options, frozenset({"space"}))
    if files:
        raise UsageError(f"{name} reads the table that comes with the package; name no file.")

    def job(loader: Loader) -> Job:
        return _of_file(lambda _: loader, TABLE, listener, replace, _typed(name, [], {"space": loader.space}))

    return [job(ProxiesBySpace(space)) for space in chosen_spaces(options.get("space"))]


def _model(targets: Sequence[Path], options: Options, listener: Listener, replace: bool) -> Job:
    _only("model", options, frozenset({"space", "id", "input", "argument"}))
    if len(targets) != 1 or "space" not in options or "id" not in options:
        raise UsageError("a model is one MODULE:CALLABLE or one ONNX file, with --space and --id.")
    checked_name("--id", str(options["id"]))
    source, traced = _traced(str(targets[0]), options, listener)

    def job(store: Store) -> IngestReport:
        from ingest.model.loader import ingest_traced

        report = ingest_traced(store, traced, options["space"], options["id"], source, replace=replace)
        listener.note(f"{targets[0]}: {report}")
        listener.note(f"{options['id']}: {traced!r}")
        return report

    return job


def _traced(target: str, options: Options, listener: Listener) -> tuple[Path | str, Any]:
    """Where a network comes from, and what it is; naming a module imports it and runs its code."""
    from catalog.user_code import is_target
    from ingest.model.user_modules import example_inputs, load_module, parse_arguments, parse_shape

    inputs = options.get("input")
    if target.endswith(".onnx") or not is_target(target):
        from ingest.model.onnx_reading import read_onnx

        path = Path(target)
        if path.is_dir():
            raise UsageError(f"{target} is a folder; name the ONNX file in it.")
        if not path.is_file():
            raise UsageError(
                f"there is no file {target}, and it is neither an ONNX file nor of the form MODULE:callable, such as "
                "my_nets:build. Check the path."
            )
        shapes = [parse_shape(word)[0] for word in inputs] if inputs else None
        return path, read_onnx(path, shapes, size_limit=options.get("size_limit", _LARGEST_MODEL))
    given = parse_arguments(options.get("argument") or [])
    listener.note(f"importing {target.partition(':')[0]} and running its code ...")
    made = load_module(target, given, Path.cwd())
    from ingest.model.torch_tracing import trace_module

    return target, trace_module(made, example_inputs(inputs or ["1x3x32x32"]))


def _nds(file: Path, options: Options) -> LoaderIn:
    """The reader of NDS's logs: of its families of stages, or of its cells, which are genotypes."""
    from ingest.formats.choosing import nds_cells_loader
    from ingest.formats.nds_families import NDSFamilies, is_family
    from ingest.reading.sources import JSON_SIZE_LIMIT, read_json

    limits = _limits(options)
    if ".json" in file.suffixes and is_family(read_json(file, limits.get("size_limit", JSON_SIZE_LIMIT))):
        families = NDSFamilies(file, space=options.get("space"), source=options.get("source"), **limits)
        return lambda _: families
    if "space" in options:
        raise UsageError(f"{file.name} holds no networks of stages, whose space --space names; leave it out.")
    cells = nds_cells_loader(file, source=options.get("source"), **limits)
    return lambda _: cells


def _staged(name: str) -> Callable[[Path, Options], LoaderIn]:
    """The reader of the public table of a staged space that comes with the catalog."""

    def loader(_file: Path, options: Options) -> LoaderIn:
        from catalog.spaces.staged import built_in
        from ingest.formats.staged_table import StagedTable

        table = StagedTable(built_in(name), source=options.get("source"), **_limits(options))
        return lambda _: table

    return loader


def _own_staged(_file: Path, options: Options) -> LoaderIn:
    """The reader of a table of any staged space, a user's own too."""
    if "space" not in options:
        raise UsageError("name the space that the table belongs to: --space NAME.")
    name = str(options["space"])

    def loader(store: Store) -> Loader:
        from catalog.spaces.staged.space import StagedSpace
        from catalog.tables.stored_spaces import space_of
        from ingest.formats.staged_table import StagedTable

        space = space_of(store, name)
        if not isinstance(space, StagedSpace):
            raise UsageError(
                f"the space {name!r} is no staged space; nothing was stored. Read its files with the command of its "
                "benchmark, or with: catalog ingest graphs."
            )
        return StagedTable(space, source=options.get("source"), **_limits(options))

    return loader


def _transnas_micro(file: Path, options: Options) -> LoaderIn:
    def loader(_: Store) -> Loader:
        from ingest.formats.choosing import transnas_loader

        return transnas_loader(file, source=options.get("source"), **_limits(options))

    return loader


_LARGEST_MODEL = 2**31

BENCHMARKS = {
    "nasbench201": Benchmark(frozenset({"epochs", "release", "source", "curves"}), _nasbench201, "nb201"),
    "nasbench101": Benchmark(frozenset({"epochs", "source"}), _nasbench101, "nb101"),
    "nasbench301": Benchmark(frozenset({"curves"}), _official("nasbench301")),
    "darts": Benchmark(frozenset({"epochs", "source"}), _official("darts")),
    "nds": Benchmark(frozenset({"space", "source"}), _nds),
    "hw-nas-bench": Benchmark(frozenset({"source"}), _official("hw-nas-bench")),
    "nb201-digits": Benchmark(frozenset(), _nb201_digits),
    "graphs": Benchmark(frozenset({"space", "operators", "direction"}), _graphs),
    "staged": Benchmark(frozenset({"space", "source"}), _own_staged),
    "transnas-micro": Benchmark(frozenset({"source"}), _transnas_micro, "transnas_micro"),
    **{name.replace("_", "-"): Benchmark(frozenset({"source"}), _staged(name), name) for name in TABLES},
}
"""What a user may hand over as files, by the name of its command."""

NAMES = (*BENCHMARKS, "darts-published", "proxies-by-space", "model")
