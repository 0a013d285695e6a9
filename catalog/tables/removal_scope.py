"""What belongs together when something is taken out of a catalog: the rows that go, table by table.

A source brought numbers, and perhaps architectures. The numbers go; an architecture goes where nothing else says
anything of it, and with it what only it used. Everything here reads; `catalog.tables.removing` deletes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from catalog.quoting import literal
from catalog.spaces import SPACES
from catalog.tables.named_things import structural_ids

if TYPE_CHECKING:
    from catalog.storage.store import Store

_OF_ARCHITECTURES = ("node", "edge", "node_attribute", "metric", "score", "layer_score", "training_curve",
                     "training_member", "search_visit")  # fmt: skip
_WITH_RUNS = ("score", "layer_score", "search_visit")
_ID = pa.schema([("id", pa.int64())])


@dataclass(frozen=True)
class Scope:
    """The things that go, from which the rows follow.

    Parameters
    ----------
    sources, proxies, runs
        Ids; of the runs goes what they stored, not their rows.
    spaces
        Spaces that go whole.
    architectures
        A table with the column ``id``.
    operators
        Space and name of each.
    measures, sentences
        Names of metrics that nobody has any more, and descriptions that no operator has any more.
    structural
        ``proxy.id`` of the scores that follow from graphs, which go with their architectures alone.
    """

    sources: tuple[int, ...] = ()
    proxies: tuple[int, ...] = ()
    runs: tuple[int, ...] = ()
    spaces: tuple[str, ...] = ()
    architectures: pa.Table = field(default_factory=_ID.empty_table)
    operators: tuple[tuple[str, str], ...] = ()
    measures: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    structural: tuple[int, ...] = ()

    @property
    def tables(self) -> dict[str, pa.Table]:
        """What the conditions read besides the catalog."""
        return {"gone_architectures": self.architectures}

    def conditions(self) -> dict[str, str]:
        """Table to the SQL condition of its rows that go; they never are NULL."""
        of_sources = _among("source_id", self.sources)
        of_proxies = _among("proxy_id", self.proxies)
        of_runs = _among("run_id", self.runs)
        rows = {table: ["false"] for table in _OF_ARCHITECTURES}
        for table in ("metric", "score", "training_curve"):
            rows[table].append(of_sources)
        for table in ("score", "layer_score", "training_member"):
            rows[table].append(of_proxies)
        measured = f"(source_id IS NULL AND {of_runs} AND NOT {_among('proxy_id', self.structural)})"
        rows["score"].append(measured)
        rows["layer_score"].append(of_runs)
        rows["search_visit"].append(of_runs)
        if len(self.architectures):
            for table in _OF_ARCHITECTURES:
                rows[table].append("architecture_id IN (SELECT id FROM gone_architectures)")
        found = {table: " OR ".join(dict.fromkeys(conditions)) for table, conditions in rows.items()}
        return {
            **found,
            "architecture": "id IN (SELECT id FROM gone_architectures)" if len(self.architectures) else "false",
            "source": _among("id", self.sources),
            "proxy": _among("id", self.proxies),
            "measure": _among("name", self.measures),
            "operator": " OR ".join(
                f"(space = {literal(space)} AND name = {literal(name)})" for space, name in self.operators
            )
            or "false",
            "operator_embedding": _among("sentence", self.sentences),
            "space": _among("name", self.spaces),
        }


def _among(column: str, values: Sequence[int] | Sequence[str]) -> str:
    """The condition that a column has one of some values; false, not NULL, where it has none."""
    if not values:
        return "false"
    listed = ", ".join(literal(value) if isinstance(value, str) else f"{value:d}" for value in values)
    return f"coalesce({column} IN ({listed}), false)"


def of_source(store: Store, source: int) -> Scope:
    """What goes with a source."""
    return _completed(store, Scope(sources=(source,)))


def of_proxy(store: Store, proxies: Sequence[int]) -> Scope:
    """What goes with proxies; a file that brought nothing else goes too, so that it can be read again."""
    return _completed(store, Scope(proxies=tuple(proxies)))


def of_run(store: Store, run: int) -> Scope:
    """What goes with a run: what it stored, a source that it read, and architectures that it entered."""
    sources = store.rows("SELECT id FROM source WHERE run_id = ? ORDER BY id", [run])
    return _completed(store, Scope(sources=_ids(sources), runs=(run,)))


def of_space(store: Store, space: str) -> Scope:
    """What goes with a space."""
    sources = store.rows(
        "SELECT source.id FROM source JOIN run ON run.id = run_id WHERE parameters->>'$.space' = $1 "
        "AND run.kind = 'ingest' ORDER BY 1",
        [space],
    )
    return _completed(
        store,
        Scope(
            sources=_ids(sources),
            spaces=(space,),
            architectures=store.arrow("SELECT id FROM architecture WHERE space = ?", [space]),
        ),
    )


def _completed(store: Store, scope: Scope) -> Scope:
    """The scope with all that nobody needs once it is gone."""
    scope = replace(scope, structural=tuple(structural_ids(store)))
    scope = replace(scope, sources=tuple(sorted({*scope.sources, *_emptied_sources(store, scope)})))
    if not scope.spaces:
        scope = replace(scope, architectures=_unused_architectures(store, scope))
        scope = replace(scope, spaces=_emptied_spaces(store, scope))
    scope = replace(scope, proxies=tuple(sorted({*scope.proxies, *_unused_proxies(store, scope)})))
    scope = replace(scope, operators=_unused_operators(store, scope), measures=_unused_measures(store, scope))
    return replace(scope, sentences=_unused_sentences(store, scope))


def _ids(rows: Iterable[Sequence[int]]) -> tuple[int, ...]:
    return tuple(int(row[0]) for row in rows)


def _rows(store: Store, scope: Scope, sql: str) -> Sequence[Sequence[int]]:
    return store.rows(sql, tables=scope.tables)


def _emptied_sources(store: Store, scope: Scope) -> tuple[int, ...]:
    """Sources of which no number is left."""
    gone = scope.conditions()
    parts = " UNION ALL ".join(
        f"SELECT source_id, ({gone[table]}) AS goes FROM {table} WHERE source_id IS NOT NULL"
        for table in ("metric", "score", "training_curve")
        if gone[table] != "false"
    )
    if not parts:
        return ()
    left = " UNION ".join(
        f"SELECT source_id FROM {table} WHERE source_id IS NOT NULL AND NOT ({gone[table]})"
        for table in ("metric", "score", "training_curve")
    )
    return _ids(
        _rows(store, scope, f"SELECT DISTINCT source_id FROM ({parts}) WHERE goes AND source_id NOT IN ({left})")
    )


def _unused_architectures(store: Store, scope: Scope) -> pa.Table:
    """What the runs that go have entered, and of which nothing else says anything.

    Who entered an architecture wrote its structural scores.
    """
    runs = _ids(store.rows(f"SELECT run_id FROM source WHERE {_among('id', scope.sources)}")) + scope.runs
    if not runs:
        return _ID.empty_table()
    gone = scope.conditions()
    is_structural = f"(source_id IS NULL AND {_among('proxy_id', scope.structural)})"
    uses = [
        f"SELECT architecture_id FROM {table} WHERE NOT ({gone[table]})"
        for table in ("metric", "layer_score", "training_curve", "training_member", "search_visit")
    ]
    uses.append(f"SELECT architecture_id FROM score WHERE NOT ({gone['score']}) AND NOT {is_structural}")
    uses.append(f"SELECT shared_from FROM score WHERE shared_from IS NOT NULL AND NOT ({gone['score']})")
    return store.arrow(
        f"""
        WITH entered AS (
            SELECT architecture_id AS id FROM score WHERE {is_structural}
            GROUP BY 1 HAVING {_among("min(run_id)", runs)}
        ), used AS ({" UNION ALL ".join(uses)})
        SELECT id FROM entered WHERE id NOT IN (SELECT architecture_id FROM used)
        """,
        tables=scope.tables,
    )


def _emptied_spaces(store: Store, scope: Scope) -> tuple[str, ...]:
    """Spaces whose last architectures go; what a user described in a file stays."""
    if not len(scope.architectures):
        return ()
    rows = store.rows(
        "SELECT name FROM space JOIN architecture ON space = name WHERE definition IS NULL GROUP BY name "
        "HAVING bool_and(id IN (SELECT id FROM gone_architectures)) ORDER BY name",
        tables=scope.tables,
    )
    return tuple(str(name) for (name,) in rows)


def _unused_proxies(store: Store, scope: Scope) -> tuple[int, ...]:
    """Proxies that lose all their scores."""
    gone = scope.conditions()["score"]
    return _ids(
        _rows(
            store,
            scope,
            f"SELECT proxy_id FROM score WHERE NOT {_among('proxy_id', scope.structural)} GROUP BY proxy_id "
            f"HAVING bool_and({gone}) ORDER BY 1",
        )
    )


def _unused_operators(store: Store, scope: Scope) -> tuple[tuple[str, str], ...]:
    """Operators of spaces that go, and those that a user's own space had for these architectures alone."""
    of_spaces = _among("operator.space", scope.spaces)
    rows = store.rows(
        f"""
        WITH used AS (
            SELECT architecture.space, operator, bool_and(id IN (SELECT id FROM gone_architectures)) AS goes
            FROM node JOIN architecture ON architecture.id = architecture_id
            WHERE NOT {_among("architecture.space", tuple(SPACES))} GROUP BY ALL
        )
        SELECT operator.space, name FROM operator LEFT JOIN used ON used.space = operator.space AND operator = name
        WHERE {of_spaces} OR goes ORDER BY ALL
        """
        if len(scope.architectures)
        else f"SELECT space, name FROM operator WHERE {of_spaces} ORDER BY ALL",
        tables=scope.tables,
    )
    return tuple((str(space), str(name)) for space, name in rows)


def _unused_measures(store: Store, scope: Scope) -> tuple[str, ...]:
    gone = scope.conditions()["metric"]
    if gone == "false":
        return ()
    rows = store.rows(f"SELECT name FROM metric GROUP BY name HAVING bool_and({gone}) ORDER BY 1", tables=scope.tables)
    return tuple(str(name) for (name,) in rows)


def _unused_sentences(store: Store, scope: Scope) -> tuple[str, ...]:
    """Descriptions of operators that go, where no other operator is described so."""
    gone = scope.conditions()["operator"]
    rows = store.rows(
        f"""
        WITH said AS (UNPIVOT operator ON short, medium, long INTO NAME style VALUE sentence)
        SELECT sentence FROM said GROUP BY sentence HAVING bool_and({gone})
            AND sentence IN (SELECT sentence FROM operator_embedding) ORDER BY 1
        """
    )
    return tuple(str(sentence) for (sentence,) in rows)


def left_without_rows(store: Store, scope: Scope) -> tuple[int, ...]:
    """The runs of which something goes and nothing is left, so that they are told to be removed."""
    gone = scope.conditions()
    named = {*scope.runs, *_ids(store.rows(f"SELECT run_id FROM source WHERE {gone['source']}"))}
    touched = " UNION ".join(f"SELECT run_id FROM {table} WHERE {gone[table]}" for table in _WITH_RUNS)
    left = " UNION ".join(
        [
            *(f"SELECT run_id FROM {table} WHERE NOT ({gone[table]})" for table in _WITH_RUNS),
            f"SELECT run_id FROM source WHERE NOT {gone['source']}",
        ]
    )
    rows = _rows(store, scope, f"SELECT run_id FROM ({touched}) WHERE run_id NOT IN ({left})")
    return tuple(sorted({*named, *_ids(rows)}))


def touched_spaces(store: Store, scope: Scope) -> list[str]:
    """Stored spaces of whose architectures rows go, but not all, so that their views change."""
    gone = scope.conditions()
    parts = " UNION ".join(
        f"SELECT architecture_id AS id FROM {table} WHERE {gone[table]}" for table in ("metric", "score")
    )
    rows = store.rows(
        f"SELECT DISTINCT space FROM architecture SEMI JOIN ({parts} UNION FROM gone_architectures) USING (id) "
        f"WHERE NOT {_among('space', scope.spaces)} ORDER BY 1",
        tables=scope.tables,
    )
    return [str(space) for (space,) in rows]


def columns_lost(groups: Mapping[str, Sequence[Mapping[str, object]]], scope: Scope) -> list[str]:
    """The columns of a wide view of which nothing is left, by their kinds of rows."""
    return [
        name
        for name, members in groups.items()
        if all(member["source_id"] in scope.sources or member.get("proxy_id") in scope.proxies for member in members)
    ]
