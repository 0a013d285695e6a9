"""Integrity checks: whether the file is what it says it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import IdentifierError, UnknownSpaceError
from catalog.quoting import identifier
from catalog.spaces import space_named
from catalog.spaces.base import SearchSpace
from catalog.tables.doctor_sources import examine_sources
from catalog.tables.finding import Finding
from catalog.tables.source_findings import source_findings
from catalog.tables.stored_graphs import read_graphs

if TYPE_CHECKING:
    from catalog.storage.store import Store


@dataclass(frozen=True)
class Optimum:
    """A published best value of a benchmark: the column, the architecture's native index and the value in percent."""

    space: str
    column: str
    index: int | None
    value: float
    tolerance: float


KNOWN_OPTIMA = (
    Optimum("nb201", "cifar10_valid_accuracy", 6111, 91.607, 6e-4),
    Optimum("nb201", "cifar10_test_accuracy", 6111, 94.373, 6e-4),
    Optimum("nb201", "cifar100_valid_accuracy", 9930, 73.493, 6e-4),
    Optimum("nb201", "cifar100_test_accuracy", 9930, 73.513, 6e-4),
    Optimum("nb201", "imagenet16_120_valid_accuracy", 10676, 46.733, 6e-4),
    Optimum("nb201", "imagenet16_120_test_accuracy", 857, 47.311, 6e-4),
    Optimum("nb101", "cifar10_test_accuracy", None, 94.318, 6e-4),
)
"""NAS-Bench-201 v1.1 after 200 epochs, and NAS-Bench-101 after 108 epochs, mean over the trainings."""

KNOWN_FUNCTIONS = {"nb101": (423_624, 423_624, 0), "nb201": (15_625, 5_425, 341)}
"""Architectures, distinct functions and disconnected architectures of the complete spaces."""

_CHUNK = 20_000


def examine(catalog: Store, *, full: bool = False) -> Iterator[Finding]:
    """Run all checks; `full` also computes every stored digest anew instead of a thousand a space."""
    yield from _references(catalog)
    yield from _runs(catalog)
    spaces = catalog.arrow("SELECT name FROM space ORDER BY name")["name"].to_pylist()
    for space in spaces:
        yield _functions(catalog, space)
        yield _twins(catalog, space)
        yield _digests(catalog, space, None if full else 1_000)
        yield _view(catalog, space)
    for findings in (_values, source_findings, examine_sources, _optima):
        yield from findings(catalog)


def _count(catalog: Store, sql: str, *parameters: object) -> int:
    value: Any = catalog.arrow(sql, list(parameters)).column(0)[0].as_py()
    return int(value)


def _finding(check: str, wrong: int, good: str, bad: str) -> Finding:
    return Finding(check, "failed" if wrong else "ok", f"{wrong:,} {bad}" if wrong else good)


def _references(catalog: Store) -> Iterator[Finding]:
    """Every row that names an architecture, source or proxy names one that exists."""
    for table, column, target in (
        ("node", "architecture_id", "architecture"),
        ("edge", "architecture_id", "architecture"),
        ("node_attribute", "architecture_id", "architecture"),
        ("metric", "architecture_id", "architecture"),
        ("metric", "source_id", "source"),
        ("score", "architecture_id", "architecture"),
        ("score", "proxy_id", "proxy"),
        ("score", "source_id", "source"),
        ("score", "shared_from", "architecture"),
        ("layer_score", "architecture_id", "architecture"),
        ("layer_score", "proxy_id", "proxy"),
        ("training_curve", "architecture_id", "architecture"),
        ("training_curve", "source_id", "source"),
        ("search_visit", "architecture_id", "architecture"),
        ("search_visit", "run_id", "run"),
        ("architecture", "canonical_id", "architecture"),
        ("source", "run_id", "run"),
        ("score", "run_id", "run"),
    ):
        wrong = _count(
            catalog,
            f"SELECT count(*) FROM {table} AS child ANTI JOIN {target} AS parent ON parent.id = child.{column} "
            f"WHERE child.{column} IS NOT NULL",
        )
        rows = _count(catalog, f"SELECT count(*) FROM {table}")
        yield _finding(f"{table}.{column}", wrong, f"{rows:,} rows", f"rows name no {target}")
    dangling = _count(
        catalog,
        """
        SELECT count(*) FROM (
            SELECT edge.* FROM edge ANTI JOIN node ON node.architecture_id = edge.architecture_id
                AND node.form = edge.form AND node.cell = edge.cell AND node.position = edge.source
            UNION ALL
            SELECT edge.* FROM edge ANTI JOIN node ON node.architecture_id = edge.architecture_id
                AND node.form = edge.form AND node.cell = edge.cell AND node.position = edge.target
        )
        """,
    )
    yield _finding("edge ends", dangling, "every edge joins two nodes", "edge ends without a node")


def _runs(catalog: Store) -> Iterator[Finding]:
    broken = catalog.arrow(
        "SELECT id, kind, outcome, started_at::VARCHAR AS started FROM run WHERE outcome != 'done' ORDER BY id"
    ).to_pylist()
    for row in broken:
        words = "was cut off" if row["outcome"] == "running" else str(row["outcome"])
        yield Finding(
            f"run {row['id']}", "note", f"{row['kind']} of {row['started']} {words}; it stored nothing in part"
        )
    if not broken:
        yield Finding("runs", "ok", "every run came to its end")


def _functions(catalog: Store, space: str) -> Finding:
    counts = catalog.arrow(
        "SELECT count(*) AS a, count(DISTINCT canonical_digest) AS f, count(*) FILTER (NOT is_connected) AS d "
        "FROM architecture WHERE space = ?",
        [space],
    ).to_pylist()[0]
    found = (counts["a"], counts["f"], counts["d"])
    words = f"{found[0]:,} architectures, {found[1]:,} functions, {found[2]:,} without a path"
    known = KNOWN_FUNCTIONS.get(space)
    if known is None or found[0] < known[0]:
        return Finding(
            f"{space} functions", "note" if known else "ok", words + (" (not the whole space)" if known else "")
        )
    return Finding(f"{space} functions", "ok" if found == known else "failed", words)


def _twins(catalog: Store, space: str) -> Finding:
    wrong = _count(
        catalog,
        "SELECT count(*) FROM architecture AS a JOIN architecture AS r ON r.id = a.canonical_id "
        "WHERE a.space = ? AND (a.canonical_digest != r.canonical_digest OR r.canonical_id != r.id)",
        space,
    )
    return _finding(
        f"{space} twins", wrong, "every twin has its representative", "architectures have a wrong representative"
    )


def _digests(catalog: Store, space: str, sample: int | None) -> Finding:
    """Digests and native ids computed anew from the stored graphs."""
    limit = "" if sample is None else f" ORDER BY hash(id), id LIMIT {sample}"
    rows = catalog.arrow(f"SELECT id, canonical_digest, native_id FROM architecture WHERE space = ?{limit}", [space])
    definition: SearchSpace | None
    try:
        definition = space_named(space)
    except UnknownSpaceError:
        definition = None  # a user's own space computes no native ids
    wrong = 0
    for start in range(0, len(rows), _CHUNK):
        part = rows.slice(start, _CHUNK).to_pylist()
        ids: list[int] = [row["id"] for row in part]
        canonical = read_graphs(catalog, space, ids, "canonical")
        native = read_graphs(catalog, space, ids, "native") if definition is not None else canonical
        whole = [place for place in range(len(part)) if _is_whole(canonical[place]) and _is_whole(native[place])]
        wrong += len(part) - len(whole)
        shapes = canonical_graphs([canonical[place] for place in whole])
        for place, shape in zip(whole, shapes, strict=True):
            row, own = part[place], native[place]
            wrong += shape.digest_as_is() != row["canonical_digest"] or (
                definition is not None and not _is_named(definition, own, row["native_id"])
            )
    return _finding(f"{space} digests", wrong, f"{len(rows):,} computed anew", "architectures do not match their graph")


def _is_whole(graph: ArchitectureGraph) -> bool:
    """Whether every stored edge leads forward between two stored nodes."""
    return bool(graph.cells) and all(
        source < target < cell.node_count for cell in graph.cells for source, target, _ in cell.edges
    )


def _is_named(space: SearchSpace, graph: ArchitectureGraph, native_id: str) -> bool:
    try:
        return space.native_id(graph) == native_id
    except IdentifierError:
        return False


def _view(catalog: Store, space: str) -> Finding:
    rows = _count(catalog, f"SELECT count(*) FROM {identifier(space)}")
    stored = _count(catalog, "SELECT count(*) FROM architecture WHERE space = ?", space)
    return _finding(
        f"view {space}", abs(rows - stored), f"{rows:,} rows", "rows too few or too many: run an ingest again"
    )


def _values(catalog: Store) -> Iterator[Finding]:
    wrong = _count(catalog, "SELECT count(*) FROM metric WHERE name = 'accuracy' AND NOT (value BETWEEN 0 AND 100)")
    yield _finding("accuracies", wrong, "all are percent", "values outside 0 to 100")
    wrong = _count(
        catalog,
        "SELECT count(*) FROM score WHERE (status = 'ok') != (value IS NOT NULL) OR NOT isfinite(coalesce(value, 0))",
    )
    yield _finding(
        "scores", wrong, "a value if and only if the status is ok", "scores without a value or with a sentinel"
    )


def _optima(catalog: Store) -> Iterator[Finding]:
    columns = {
        (row["table_name"], row["column_name"])
        for row in catalog.arrow("SELECT table_name, column_name FROM duckdb_columns()").to_pylist()
    }
    for known in KNOWN_OPTIMA:
        complete = _count(catalog, "SELECT count(*) FROM architecture WHERE space = ?", known.space)
        if (known.space, known.column) not in columns or complete < KNOWN_FUNCTIONS[known.space][0]:
            continue
        best = catalog.arrow(
            f'SELECT index, "{known.column}" AS value FROM {known.space} '
            f'ORDER BY "{known.column}" DESC NULLS LAST, index LIMIT 1'
        ).to_pylist()[0]
        right = abs(best["value"] - known.value) <= known.tolerance and known.index in (None, best["index"])
        detail = f"{best['value']:.3f} at index {best['index']}; published {known.value}"
        yield Finding(f"{known.space} best {known.column}", "ok" if right else "failed", detail)
