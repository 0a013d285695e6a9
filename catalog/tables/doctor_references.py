"""Whether rows that name other rows name some that exist, and hold what their tables allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.tables.finding import Finding

if TYPE_CHECKING:
    from catalog.storage.store import Store

_OF_ARCHITECTURES = (
    ("node", "architecture_id"),
    ("edge", "architecture_id"),
    ("node_attribute", "architecture_id"),
    ("metric", "architecture_id"),
    ("score", "architecture_id"),
    ("score", "shared_from"),
    ("layer_score", "architecture_id"),
    ("training_curve", "architecture_id"),
    ("training_member", "architecture_id"),
    ("search_visit", "architecture_id"),
    ("architecture", "canonical_id"),
)
_REFERENCES = (
    *((table, column, "architecture", "id") for table, column in _OF_ARCHITECTURES),
    *((table, "source_id", "source", "id") for table in ("metric", "score", "training_curve")),
    *((table, "proxy_id", "proxy", "id") for table in ("score", "layer_score", "training_member", "wide_column")),
    *((table, "run_id", "run", "id") for table in ("source", "score", "layer_score", "search_visit")),
    *((table, "space", "space", "name") for table in ("architecture", "wide_column")),
    ("metric", "name", "measure", "name"),
)
"""Table and column that name a row, and the table and column in which it stands."""

_SHOWN = 3
_STATUSES = ("ok", "failed", "disconnected")

_RULES = (
    (
        "edge ends",
        "every edge joins two nodes",
        "edge ends without a node",
        """
        SELECT architecture_id FROM (
            SELECT edge.* FROM edge ANTI JOIN node ON node.architecture_id = edge.architecture_id
                AND node.form = edge.form AND node.cell = edge.cell AND node.position = edge.source
            UNION ALL
            SELECT edge.* FROM edge ANTI JOIN node ON node.architecture_id = edge.architecture_id
                AND node.form = edge.form AND node.cell = edge.cell AND node.position = edge.target
        )
        """,
    ),
    (
        "edges",
        "every edge leads forward",
        "edges lead backward, or stand there no time",
        "SELECT architecture_id FROM edge WHERE source >= target OR multiplicity < 1",
    ),
    (
        "graphs",
        "every architecture has nodes",
        "architectures without nodes",
        "SELECT id FROM architecture ANTI JOIN node ON node.architecture_id = id",
    ),
    (
        "operators",
        "every node has an operator of its space",
        "architectures have nodes whose operator is none of their space's",
        """
        SELECT DISTINCT architecture_id FROM (
            SELECT architecture_id, space, node.operator
            FROM node JOIN architecture ON architecture.id = architecture_id
        ) AS used ANTI JOIN operator ON name = used.operator AND operator.space IN (used.space, '*')
        """,
    ),
    (
        "node_attribute",
        "every attribute is a node's",
        "attributes of no node",
        "SELECT architecture_id FROM node_attribute ANTI JOIN node USING (architecture_id, form, cell, position)",
    ),
    (
        "accuracies",
        "all are percent",
        "values outside 0 to 100",
        "SELECT architecture_id FROM metric WHERE name = 'accuracy' AND NOT (value BETWEEN 0 AND 100)",
    ),
    (
        "scores",
        "a value if and only if the status is ok",
        "scores without a value, with a sentinel or with an unknown status",
        f"""
        SELECT architecture_id FROM score
        WHERE (status = 'ok') != (value IS NOT NULL) OR NOT isfinite(coalesce(value, 0)) OR status NOT IN {_STATUSES}
        """,
    ),
    (
        "layer_score",
        "every layer is one of a score",
        "layers of no score",
        """
        SELECT architecture_id FROM layer_score AS layer ANTI JOIN score
            ON score.architecture_id = layer.architecture_id AND score.proxy_id = layer.proxy_id
            AND score.input IS NOT DISTINCT FROM layer.input AND score.seed IS NOT DISTINCT FROM layer.seed
        """,
    ),
    (
        "search_visit",
        "every visit is one of a search",
        "visits of no search",
        "SELECT run_id FROM search_visit SEMI JOIN run ON run.id = run_id AND kind NOT LIKE 'search%'",
    ),
)
"""Check, what is good, what is bad, and the query that gives an architecture (or a run) for every bad row."""


def examine_references(catalog: Store) -> Iterator[Finding]:
    """Every row that names another names one that exists; every value is one that its table allows."""
    is_whole = True
    for table, column, target, key in _REFERENCES:
        rows = catalog.rows(
            f"SELECT child.{column}, count(*) FROM {table} AS child ANTI JOIN {target} AS parent "
            f"ON parent.{key} = child.{column} WHERE child.{column} IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        if rows:
            is_whole = False
            wrong = sum(int(count) for _, count in rows)
            shown = ", ".join(f"{value!s:.60}" for value, _ in rows[:_SHOWN])
            yield Finding(f"{table}.{column}", "failed", f"{wrong:,} rows name no {target}: {shown}")
    if is_whole:
        yield Finding("references", "ok", f"all {len(_REFERENCES)} kinds name rows that exist")
    for check, good, bad, query in _RULES:
        count, first = catalog.rows(f"SELECT count(*), min(COLUMNS(*)) FROM ({query})")[0]
        yield Finding(check, "failed" if count else "ok", f"{count:,} {bad}, the first of {first}" if count else good)
