"""Integrity checks: whether the file is what it says it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.storage.runs import DONE, REMOVED
from catalog.storage.table_columns import table_columns
from catalog.tables.doctor_graphs import examine_graphs
from catalog.tables.doctor_references import examine_references
from catalog.tables.doctor_seals import examine_seals
from catalog.tables.doctor_sources import examine_sources
from catalog.tables.doctor_views import examine_twins, examine_view
from catalog.tables.finding import Finding
from catalog.tables.source_findings import source_findings

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

_LOST = "take the file from a backup, or fill a new catalog"

_GRAPHS_REST_ON = ("architecture", "node", "edge", "operator", "score", "proxy")

KNOWN_FUNCTIONS = {"nb101": (423_624, 423_624, 0), "nb201": (15_625, 5_260, 341), "transnas_micro": (4_096, 1_376, 169)}
"""Architectures, functions by canonical form and disconnected architectures of the complete spaces."""


def examine(catalog: Store, *, full: bool = False) -> Iterator[Finding]:
    """Run all checks.

    Seals prove that no row was changed since it was stored, representatives and wide views are derived anew in full.
    What follows from graphs is derived anew where a seal that it rests on is broken, or with `full`.
    """
    wrong = list(examine_tables(catalog))
    yield from wrong or [Finding("tables", "ok", "all are there, with their columns")]
    if wrong:
        return
    broken = catalog.broken_parts()
    yield from examine_seals(catalog, broken)
    yield from examine_references(catalog)
    yield from _runs(catalog)
    suspicious = full or any(broken[table] for table in _GRAPHS_REST_ON) or not catalog.is_sealed()
    spaces = catalog.rows("SELECT name FROM space UNION SELECT space FROM architecture ORDER BY 1")
    for (space,) in spaces:
        yield _functions(catalog, space)
        yield examine_twins(catalog, space)
        if suspicious:
            yield examine_graphs(catalog, space)
        if catalog.rows("SELECT 1 FROM architecture WHERE space = ? LIMIT 1", [space]):
            yield from examine_view(catalog, space)
    for findings in (source_findings, examine_sources, _optima):
        yield from findings(catalog)


def examine_tables(catalog: Store) -> Iterator[Finding]:
    """Every table of the schema is there, with every column and its type; what is right is not told."""
    held = {
        (str(table), str(column)): (str(kind), bool(is_table))
        for table, column, kind, is_table in catalog.rows(
            "SELECT table_name, column_name, data_type, table_name IN (SELECT table_name FROM duckdb_tables()) "
            "FROM duckdb_columns() WHERE database_name = current_database() AND schema_name = 'main'"
        )
    }
    for table, columns in table_columns().items():
        lost = [column for column in columns if (table, column) not in held]
        if len(lost) == len(columns):
            what = "is missing"
        elif lost:
            what = f"has no column {', '.join(lost)}"
        elif not all(held[table, column][1] for column in columns):
            what = "is a view, not a table"
        elif other := [name for name, kind in columns.items() if held[table, name][0] != kind]:
            what = ", ".join(f"has {name} as {held[table, name][0]}, not {columns[name]}" for name in other)
        else:
            continue
        yield Finding(f"table {table}", "failed", f"{what}: {_LOST}")


def _count(catalog: Store, sql: str, *parameters: object) -> int:
    value: Any = catalog.arrow(sql, list(parameters)).column(0)[0].as_py()
    return int(value)


def _runs(catalog: Store) -> Iterator[Finding]:
    broken = catalog.arrow(
        "SELECT id, kind, outcome, started_at::VARCHAR AS started FROM run "
        "WHERE NOT list_contains(?, outcome) ORDER BY id",
        [[DONE, REMOVED]],
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


def _optima(catalog: Store) -> Iterator[Finding]:
    columns = {
        (str(table), str(column)): str(kind)
        for table, column, kind in catalog.rows("SELECT table_name, column_name, data_type FROM duckdb_columns()")
    }
    for known in KNOWN_OPTIMA:
        complete = _count(catalog, "SELECT count(*) FROM architecture WHERE space = ?", known.space)
        is_there = columns.get((known.space, known.column)) == "DOUBLE" and (known.space, "index") in columns
        if not is_there or complete < KNOWN_FUNCTIONS[known.space][0]:
            continue
        best = catalog.rows(
            f'SELECT "{known.column}", index FROM {known.space} WHERE "{known.column}" IS NOT NULL '
            f'ORDER BY "{known.column}" DESC, index LIMIT 1'
        )
        check = f"{known.space} best {known.column}"
        if not best:
            yield Finding(check, "failed", f"no architecture has a value; published {known.value}")
            continue
        value, index = best[0]
        right = abs(value - known.value) <= known.tolerance and known.index in (None, index)
        yield Finding(check, "ok" if right else "failed", f"{value:.3f} at index {index}; published {known.value}")
