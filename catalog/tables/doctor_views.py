"""Whether wide views and representatives are what follows from the rows now; both are derived in full and compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from catalog.quoting import identifier
from catalog.tables import views
from catalog.tables.finding import Finding
from catalog.tables.registration import REPRESENTATIVES

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SHOWN = 5
_REBUILT = "rebuilt_view"
_REPAIR = "catalog doctor --repair builds it anew"


def examine_twins(catalog: Store, space: str) -> Finding:
    """Every architecture points at the representative of its function."""
    wrong = catalog.rows(
        f"""
        SELECT id, native_id FROM architecture JOIN ({REPRESENTATIVES}) AS twin USING (space, canonical_digest)
        WHERE space = ? AND canonical_id IS DISTINCT FROM representative ORDER BY id
        """,
        [space],
    )
    if not wrong:
        return Finding(f"{space} twins", "ok", "every architecture has its representative")
    shown = ", ".join(f"{number} ({name!s:.60})" for number, name in wrong[:_SHOWN])
    return Finding(
        f"{space} twins", "failed", f"{len(wrong):,} architectures have a wrong representative: {shown}. {_REPAIR}"
    )


def examine_view(catalog: Store, space: str) -> Iterator[Finding]:
    """The wide view of a space, column by column and row by row, with its comments and its rows in ``wide_column``."""
    check = f"view {space}"
    if not catalog.rows("SELECT 1 FROM space WHERE name = ?", [space]):
        yield Finding(check, "failed", f"the space has architectures but no row in space. {_REPAIR}, if it is built in")
        return
    plan = views.plan_of(catalog, space)
    stored = _columns(catalog, space)
    if not stored:
        yield Finding(check, "failed", f"there is no table {space}. {_REPAIR}")
        return
    catalog.execute(f"CREATE OR REPLACE TEMP TABLE {_REBUILT} AS {plan.query}", tables=plan.tables)
    try:
        faults = list(_differences(catalog, space, plan, stored))
        rows = catalog.rows(f"SELECT count(*) FROM {_REBUILT}")[0][0]
    finally:
        catalog.execute(f"DROP TABLE temp.{_REBUILT}")
    if faults:
        yield Finding(check, "failed", f"{'; '.join(faults)}. {_REPAIR}")
    else:
        yield Finding(check, "ok", f"{rows:,} rows, {len(stored):,} columns: as built anew from the long tables")


def _columns(catalog: Store, table: str, schema: str = "main") -> dict[str, tuple[str, str | None]]:
    """Type and comment of the columns of a table."""
    rows = catalog.rows(
        "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = ? AND schema_name = ? "
        "AND database_name = CASE WHEN ? THEN 'temp' ELSE current_database() END ORDER BY column_index",
        [table, "main", schema == "temp"],
    )
    return {str(name): (str(kind), comment) for name, kind, comment in rows}


def _differences(
    catalog: Store, space: str, plan: views.ViewPlan, stored: dict[str, tuple[str, str | None]]
) -> Iterator[str]:
    expected = _columns(catalog, _REBUILT, "temp")
    if missing := [name for name in expected if name not in stored]:
        yield f"columns are missing: {', '.join(missing[:_SHOWN])}"
    if surplus := [name for name in stored if name not in expected]:
        yield f"columns that nothing stored gives: {', '.join(surplus[:_SHOWN])}"
    if turned := [name for name in expected if name in stored and expected[name][0] != stored[name][0]]:
        yield f"columns have another type: {', '.join(turned[:_SHOWN])}"
    comments = {column.name: column.comment for column in plan.described}
    if said := [name for name, text in comments.items() if name in stored and stored[name][1] != text]:
        yield f"columns are described wrongly: {', '.join(said[:_SHOWN])}"
    shown = catalog.rows(
        "SELECT count(*) FROM ((FROM shown EXCEPT ALL (FROM wide_column WHERE space = $1)) UNION ALL "
        "((FROM wide_column WHERE space = $1) EXCEPT ALL FROM shown))",
        [space],
        tables={"shown": views.shown_rows(space, plan.shown)},
    )[0][0]
    if shown:
        yield f"{shown:,} rows of wide_column are not what its columns show"
    if "architecture_id" in stored:
        same = [name for name in expected if name in stored and expected[name][0] == stored[name][0]]
        yield from _rows(catalog, space, [(name, expected[name][0]) for name in same if name != "architecture_id"])


def _rows(catalog: Store, space: str, columns: list[tuple[str, str]]) -> Iterator[str]:
    view = identifier(space)
    rows = catalog.rows(
        f"SELECT count(*) - count(DISTINCT architecture_id), min(architecture_id) FROM {view} WHERE architecture_id IN "
        f"(SELECT architecture_id FROM {view} GROUP BY 1 HAVING count(*) > 1)"
    )
    if rows[0][0]:
        yield f"{rows[0][0]:,} rows stand twice, such as that of architecture {rows[0][1]}"
    for words, one, other in (("are missing", _REBUILT, view), ("belong to no architecture", view, _REBUILT)):
        count, first = catalog.rows(
            f"SELECT count(*), min(architecture_id) FROM {one} ANTI JOIN {other} USING (architecture_id)"
        )[0]
        if count:
            yield f"{count:,} rows {words}, such as that of architecture {first}"
    if not columns:
        return
    measured = ", ".join(
        f"count(*) FILTER ({_differ(name, kind)}), min(architecture_id) FILTER ({_differ(name, kind)})"
        for name, kind in columns
    )
    found: tuple[Any, ...] = catalog.rows(
        f"SELECT {measured} FROM {_REBUILT} AS made JOIN {view} AS held USING (architecture_id)"
    )[0]
    wrong = [(name, *found[2 * place : 2 * place + 2]) for place, (name, _) in enumerate(columns) if found[2 * place]]
    for name, count, first in wrong[:_SHOWN]:
        yield f"{name} is not what its rows give for {count:,} architectures, such as {first}"
    if len(wrong) > _SHOWN:
        yield f"and {len(wrong) - _SHOWN:,} more columns"


def _differ(name: str, kind: str) -> str:
    """The condition that a stored value is not the derived one; means may differ by how they were rounded."""
    made, held = f"made.{identifier(name)}", f"held.{identifier(name)}"
    if kind != "DOUBLE":
        return f"{made} IS DISTINCT FROM {held}"
    return f"({made} IS NULL) != ({held} IS NULL) OR abs({made} - {held}) > 1e-12 * greatest(abs({made}), abs({held}))"
