"""The wide view of a space: one row an architecture, one column a metric and one column a proxy.

It is a stored table, rebuilt inside each transaction that adds metrics or scores: pivoting the long tables whenever
someone asks costs twenty times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.errors import IngestError
from catalog.quoting import identifier, literal
from catalog.tables import measures
from catalog.tables.column_names import (
    DEFAULTS,
    OWN_GRAPHS,
    OWN_TABLE,
    PUBLISHED,
    WideDefaults,
    metric_columns,
    proxy_column_name,
    proxy_columns,
    score_key,
    word,
)
from catalog.tables.confirmed_counts import compared
from catalog.tables.official_sources import is_reserved
from catalog.tables.space_ids import is_of_space

if TYPE_CHECKING:
    from catalog.storage.store import Store

FIXED_COLUMNS = (
    "architecture_id",
    "index",
    "canonical_digest",
    "canonical_id",
    "is_connected",
    "nodes",
    "edges",
)

MOST_COLUMNS = 1_000
"""Columns that a wide view may have: each comment on one costs as much as there are columns."""


@dataclass(frozen=True)
class WideColumn:
    """One column of a wide view: its name, the SQL that aggregates it, and what it holds.

    `metric` is the name of the metric that it shows, `proxies` are the ids of the proxies whose scores it shows.
    """

    name: str
    expression: str
    comment: str
    metric: str | None = None
    proxies: tuple[int, ...] = ()


@dataclass(frozen=True)
class ViewPlan:
    """How the wide view of a space follows from the long tables.

    Parameters
    ----------
    query
        The SELECT that gives its rows, which reads `tables` besides the catalog's own.
    described
        The columns that have a comment, in order.
    shown
        Those of them that show a metric or a proxy, as ``wide_column`` lists them.
    """

    query: str
    tables: Mapping[str, pa.Table]
    described: Sequence[WideColumn]
    shown: Sequence[WideColumn]


def plan_of(catalog: Store, space: str) -> ViewPlan:
    """How the wide view of `space` is built from what is stored now.

    Raises
    ------
    IngestError
        There would be more than `MOST_COLUMNS`.
    """
    native = str(_rows(catalog, "SELECT native_id_name FROM space WHERE name = ?", space)[0]["native_id_name"])
    taken = {*FIXED_COLUMNS, native}
    operators = _distinct(_operator_columns(catalog, space), taken, "_operator")
    found, metric_parts = _metric_columns(catalog, space)
    metrics = _distinct(found, taken, "_metric")
    found, score_parts = _proxy_columns(catalog, space)
    proxies = _distinct(found, taken, "_proxy")
    _require_few(space, operators, metrics, proxies)
    is_member = is_of_space(catalog, space)
    query = f"""
        WITH members AS (SELECT * FROM architecture WHERE space = {literal(space)}),
        metric_values AS (
            SELECT architecture_id, part, value
            FROM metric JOIN metric_parts ON {_same_keys("metric", "metric_parts", _METRIC_KEYS)}
                AND metric_parts.is_seeded = (coalesce(seed, repeat) IS NOT NULL)
            WHERE {is_member}
        ),
        score_values AS (
            SELECT architecture_id, part, value
            FROM score JOIN score_parts ON {_same_keys("score", "score_parts", _SCORE_KEYS)}
            WHERE status = 'ok' AND {is_member}
        ),
        measured AS (SELECT {_listed("architecture_id", metrics)} FROM metric_values GROUP BY architecture_id),
        scored AS (SELECT {_listed("architecture_id", proxies)} FROM score_values GROUP BY architecture_id)
        SELECT members.id AS architecture_id, native_index AS index, native_id AS {identifier(native)},
            {_listed("canonical_digest, canonical_id, is_connected, nodes, edges", operators)}
            {"".join(f", measured.{identifier(column.name)}" for column in metrics)}
            {"".join(f", scored.{identifier(column.name)}" for column in proxies)}
        FROM members
        LEFT JOIN measured ON measured.architecture_id = members.id
        LEFT JOIN scored ON scored.architecture_id = members.id
        ORDER BY members.id
        """
    tables = {"metric_parts": metric_parts, "score_parts": score_parts}
    return ViewPlan(query, tables, [*operators, *metrics, *proxies], [*metrics, *proxies])


def rebuild(catalog: Store, space: str) -> None:
    """Build the wide view of `space` anew from the long tables; call it inside the transaction that changed them.

    Metrics that nobody has entered into ``measure`` are entered with what the catalog knows of them.
    """
    measures.enter_missing(catalog, space)
    plan = plan_of(catalog, space)
    view = identifier(space)
    catalog.execute(f"CREATE OR REPLACE TABLE {view} AS {plan.query}", tables=plan.tables)
    for column in plan.described:
        catalog.execute(f"COMMENT ON COLUMN {view}.{identifier(column.name)} IS {literal(column.comment)}")
    catalog.execute("DELETE FROM wide_column WHERE space = ?", [space])
    catalog.append("wide_column", shown_rows(space, plan.shown))


def _require_few(
    space: str, operators: Sequence[WideColumn], metrics: Sequence[WideColumn], proxies: Sequence[WideColumn]
) -> None:
    count = len(FIXED_COLUMNS) + 1 + len(operators) + len(metrics) + len(proxies)
    if count > MOST_COLUMNS:
        raise IngestError(
            f"the space {space!r} would have {count:,} columns: {len(metrics):,} metrics, {len(proxies):,} proxies and "
            f"{len(operators):,} counts of operators; {MOST_COLUMNS:,} columns is the most. Nothing was stored. Leave "
            "metrics and proxies out, or divide them among catalogs."
        )


def shown_rows(space: str, columns: Sequence[WideColumn]) -> pa.Table:
    """The rows of ``wide_column``: what the columns show."""
    rows = [
        {"space": space, "name": column.name, "metric": column.metric, "proxy_id": proxy}
        for column in columns
        for proxy in (column.proxies or (None,))
    ]
    schema = pa.schema(
        [("space", pa.string()), ("name", pa.string()), ("metric", pa.string()), ("proxy_id", pa.int32())]
    )
    return pa.Table.from_pylist(rows, schema=schema)


def update_scores(
    catalog: Store, space: str, columns: Mapping[str, tuple[int, str | None]], architectures: pa.Table
) -> None:
    """Bring some proxy columns of some architectures up to date, in the transaction that changed their scores.

    A job that stores many small batches calls this instead of `rebuild`, which costs seconds. The columns exist since
    the first `rebuild` after their first score.

    Parameters
    ----------
    columns
        Name to ``proxy.id`` and input of our own scores; the only ones that the column shows.
    architectures
        One column, ``architecture_id``.
    """
    parts = [{"proxy_id": proxy_id, "input": given} for proxy_id, given in columns.values()]
    schema = pa.schema([("proxy_id", pa.int32()), ("input", pa.string())])
    means = ", ".join(f"{_mean_of(part)} AS part_{part}" for part in range(len(parts)))
    values = ", ".join(f"{identifier(name)} = means.part_{part}" for part, name in enumerate(columns))
    catalog.execute(
        f"""
        UPDATE {identifier(space)} SET {values} FROM (
            SELECT architecture_id, {means} FROM (
                SELECT architecture_id, part, CASE WHEN status = 'ok' THEN value END AS value
                FROM score SEMI JOIN touched USING (architecture_id)
                JOIN parts ON {_same_keys("score", "parts", ("proxy_id", "input"))}
                WHERE source_id IS NULL
            ) GROUP BY architecture_id
        ) AS means WHERE means.architecture_id = {identifier(space)}.architecture_id
        """,
        tables={"touched": architectures, "parts": _numbered(parts, schema)},
    )


def _rows(catalog: Store, sql: str, *parameters: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = catalog.arrow(sql, list(parameters)).to_pylist()
    return rows


def _listed(first: str, columns: Iterable[WideColumn]) -> str:
    return ", ".join([first, *(f"{column.expression} AS {identifier(column.name)}" for column in columns)])


def _distinct(columns: Iterable[WideColumn], taken: set[str], suffix: str) -> list[WideColumn]:
    """Columns under names that nobody has yet: a hostile or careless source must not break the view."""
    result = []
    for column in columns:
        name = column.name
        while name in taken:
            name += suffix
        taken.add(name)
        result.append(replace(column, name=name))
    return result


def _operator_columns(catalog: Store, space: str) -> list[WideColumn]:
    """``count_<operator>`` in the native form and, where the forms differ, ``live_<operator>`` in the canonical one."""
    columns = []
    for prefix, counts, words in (
        ("count", "operator_counts", "native graph"),
        ("live", "live_operator_counts", "canonical graph"),
    ):
        if prefix == "live" and not _forms_differ(catalog, space):
            continue
        names = f"SELECT DISTINCT unnest(map_keys({counts})) AS operator FROM architecture WHERE space = ? ORDER BY ALL"
        for row in _rows(catalog, names, space):
            operator = str(row["operator"])
            value = f"coalesce({counts}[{literal(operator)}], 0)"
            columns.append(
                WideColumn(f"{prefix}_{word(operator)}", value, f"number of {operator} nodes in the {words}")
            )
    return columns


def _forms_differ(catalog: Store, space: str) -> bool:
    query = (
        "SELECT count(*) > 0 AS differ FROM architecture WHERE space = ? AND operator_counts != live_operator_counts"
    )
    return bool(_rows(catalog, query, space)[0]["differ"])


_METRIC_KEYS = ("source_id", "name", "kind", "dataset", "split", "epochs", "stage", "device")
_SCORE_KEYS = ("proxy_id", "input", "source_id")


def _same_keys(table: str, parts: str, keys: Sequence[str]) -> str:
    return " AND ".join(f"{table}.{key} IS NOT DISTINCT FROM {parts}.{key}" for key in keys)


def metric_groups(catalog: Store, space: str) -> dict[str, list[dict[str, Any]]]:
    """The metric columns of a space's wide view, each with the kinds of metric rows that it shows.

    A kind has the keys ``source`` (its name), ``source_id``, ``name``, ``kind``, ``dataset``, ``split``, ``epochs``,
    ``stage``, ``device``, ``has_seeds`` and ``has_mean``.
    """
    groups = _rows(
        catalog,
        f"""
        SELECT source.name AS source, source.kind AS source_kind, source_id, metric.name, metric.kind, dataset, split,
            epochs, stage, device,
            count(coalesce(seed, repeat)) > 0 AS has_seeds, count(*) > count(coalesce(seed, repeat)) AS has_mean
        FROM metric JOIN source ON source.id = source_id
        WHERE {is_of_space(catalog, space)}
            AND (stage IS NULL OR stage NOT LIKE 'of %') -- the points of a training curve have rows, not columns
        GROUP BY ALL HAVING count(value) > 0
        ORDER BY source_id, metric.name, dataset, split, epochs, stage, device, metric.kind
        """,
    )
    return metric_columns(groups, DEFAULTS.get(space) or _first_source(groups))


def _metric_columns(catalog: Store, space: str) -> tuple[list[WideColumn], pa.Table]:
    """The metric columns, and the table that gives each kind of metric row the number of the part that it falls in.

    A column's value is its first part that has one: seeds averaged before a published mean, the earliest source first.
    """
    columns: list[WideColumn] = []
    parts: list[dict[str, Any]] = []
    said = {name: rest for name, *rest in catalog.rows("SELECT name, direction, unit FROM measure")}
    for name, members in metric_groups(catalog, space).items():
        first = len(parts)
        parts += [member | {"is_seeded": True} for member in members if member["has_seeds"]]
        parts += [member | {"is_seeded": False} for member in members if member["has_mean"]]
        columns.append(
            WideColumn(
                name,
                _first_of(range(first, len(parts))),
                _metric_comment(members, *said.get(members[0]["name"], (None, None))),
                members[0]["name"],
            )
        )
    schema = [(key, pa.int32() if key in ("source_id", "epochs") else pa.string()) for key in _METRIC_KEYS]
    return columns, _numbered(parts, pa.schema([*schema, ("is_seeded", pa.bool_())]))


def _first_of(parts: Iterable[int]) -> str:
    return "coalesce(" + ", ".join(map(_mean_of, parts)) + ")"


def _mean_of(part: int) -> str:
    """The mean of one part; by FILTER, DuckDB 1.5 would copy all columns once for each: 3 GB for a thousand."""
    return f"favg(CASE WHEN part = {part} THEN value END)"


def _numbered(parts: Sequence[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    rows = [{name: part[name] for name in schema.names} for part in parts]
    numbers = pa.array(range(len(rows)), pa.int32())
    return pa.Table.from_pylist(rows, schema=schema).append_column("part", numbers)


def _first_source(groups: Sequence[dict[str, Any]]) -> WideDefaults:
    """A user's space shows its first source plainly, at the longest training of it."""
    source = groups[0]["source"] if groups else ""
    lengths = [group["epochs"] for group in groups if group["source"] == source and group["epochs"] is not None]
    return WideDefaults(source, max(lengths, default=None))


def _metric_comment(parts: Sequence[dict[str, Any]], direction: int | None, unit: str | None) -> str:
    first = parts[0]
    sources = ", ".join(dict.fromkeys(str(part["source"]) for part in parts))
    epochs = f" after {first['epochs']} epochs" if first["epochs"] is not None else ""
    where = " ".join(str(part) for part in (first["dataset"], first["split"]) if part)
    stage = f", {first['stage']}" if first["stage"] not in (None, "final") else ""
    device = f", device {first['device']}" if first["device"] else ""
    seeds = "mean over seeds" if any(part["has_seeds"] for part in parts) else "as published"
    good = f"; {measures.word_of(direction)} is better" if direction else ""
    return (
        f"{first['kind']} {first['name']} ({unit or measures.NO_UNIT}) on {where or 'no dataset'}{epochs}{stage}"
        f"{device}, {seeds}; source: {sources}{good}"
    )


def proxy_directions(catalog: Store, space: str) -> dict[str, int | None]:
    """The proxy columns of a space's wide view, in its order, with +1 (higher is better), -1, or None if unknown."""
    rows = catalog.rows(
        """
        SELECT DISTINCT ON (column_index) wide_column.name, direction
        FROM wide_column JOIN proxy ON proxy.id = proxy_id
        JOIN duckdb_columns() AS held ON held.table_name = space AND held.column_name = wide_column.name
        WHERE space = ? ORDER BY column_index, proxy_id
        """,
        [space],
    )
    return {str(name): direction for name, direction in rows}


def proxy_namer(catalog: Store, space: str) -> Callable[[Mapping[str, Any]], str]:
    """What gives the column of scores by the ``column`` of their proxy, `published_as` and ``input``."""
    names = {score_key(group): name for name, members in proxy_groups(catalog, space).items() for group in members}

    def name_of(group: Mapping[str, Any]) -> str:
        return names.get(score_key(group)) or proxy_column_name(group)

    return name_of


def published_as(catalog: Store) -> str:
    """SQL that gives, beside ``source_id``, as what scores are published; NULL for our own.

    A user's table of proxies of a benchmark's space has columns of its own; those of a table of a user's own numbers
    need no word behind them.
    """
    own = [
        (number, "" if kind == OWN_TABLE else name)
        for number, name, kind in catalog.rows("SELECT id, name, kind FROM source ORDER BY id")
        if kind != OWN_GRAPHS and not is_reserved(name)
    ]
    cases = "".join(f" WHEN source_id = {number:d} THEN {literal(name)}" for number, name in own)
    return f"CASE WHEN source_id IS NULL THEN NULL{cases} ELSE {literal(PUBLISHED)} END"


def proxy_groups(catalog: Store, space: str) -> dict[str, list[dict[str, Any]]]:
    """The proxy columns of a space's wide view, each with the kinds of score rows that it shows.

    A kind has, among others, the keys ``proxy_id``, ``source_id`` and ``input``. Published counts that equal ours have
    no column.
    """
    equal = {(one.proxy_id, one.source_id) for one in compared(catalog, space) if one.is_equal}
    groups = _rows(
        catalog,
        f"""
        SELECT DISTINCT proxy_id, proxy."column", proxy.name, proxy.description, proxy.direction, source_id,
            source.name AS source, {published_as(catalog)} AS published_as, input
        FROM score JOIN proxy ON proxy.id = proxy_id LEFT JOIN source ON source.id = source_id
        WHERE status = 'ok' AND {is_of_space(catalog, space)}
        ORDER BY published_as IS NOT NULL, proxy_id, input NULLS FIRST, source_id NULLS FIRST
        """,
    )
    return proxy_columns(group for group in groups if (group["proxy_id"], group["source_id"]) not in equal)


def _proxy_columns(catalog: Store, space: str) -> tuple[list[WideColumn], pa.Table]:
    """The proxy columns, and the table that gives each kind of score row its part, as in `_metric_columns`.

    Scores of two sources are never averaged: a column shows those of the earliest source that has one.
    """
    columns: list[WideColumn] = []
    parts: list[dict[str, Any]] = []
    for name, members in proxy_groups(catalog, space).items():
        direction = members[0]["direction"]
        good = f"; {measures.word_of(direction)} is better" if direction else ""
        sources = ", ".join(dict.fromkeys(str(group["source"]) for group in members if group["source"]))
        given = f" on {members[0]['input']}" if members[0]["input"] else ""
        told = f"{given}; source: {sources}" if sources else given
        unit = measures.unit_of_proxy(members[0]["name"])
        comment = f"proxy {members[0]['name']} ({unit}): {members[0]['description']}{told}{good}"
        shown = _first_of(range(len(parts), len(parts) + len(members)))
        columns.append(
            WideColumn(name, shown, comment, proxies=tuple(dict.fromkeys(int(group["proxy_id"]) for group in members)))
        )
        parts += members
    schema = pa.schema([("proxy_id", pa.int32()), ("input", pa.string()), ("source_id", pa.int32())])
    return columns, _numbered(parts, schema)
