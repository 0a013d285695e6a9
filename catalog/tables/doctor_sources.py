"""What stored rows show of files that were read as something else than they are, and what to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.spaces import nb201
from catalog.spaces.nb201_network import SKELETON
from catalog.tables.finding import Finding
from catalog.tables.forgetting import command
from catalog.tables.suite_zero_facts import ACCURACIES

if TYPE_CHECKING:
    from catalog.storage.store import Store

NB101_LENGTHS = (4, 12, 36, 108)
"""Epochs of NAS-Bench-101's trainings."""

_DRAWING = 0.05  # isomorphic drawings of one module differ by about one per cent in their parameters
_HALF = (0.25, 0.75)  # the share of a training's time after which the half-way evaluation can be


_Fault = tuple[dict[str, Any], str]
"""The row of a source (``id``, ``name``, ``path`` and more), and what is wrong with it."""


def examine_sources(catalog: Store) -> Iterator[Finding]:
    """One finding for every source that contradicts what it is stored as; one in all where none does."""
    sources: dict[int, dict[str, Any]] = {}
    faults: defaultdict[int, list[str]] = defaultdict(list)
    for check in (_lengths, _halves, _parameters, _accuracies, _inputs, _settings, _equal_keys):
        for row, what in check(catalog):
            sources[row["id"]] = row
            faults[row["id"]].append(what)
    for number in sorted(sources):
        yield _finding(catalog, sources[number], "; ".join(faults[number]))
    if not sources:
        count = catalog.rows("SELECT count(*) FROM source")[0][0]
        yield Finding("sources", "ok", f"{count:,} sources are what they are stored as, as far as rows can tell")
    yield from _isomorphic_keys(catalog)


def _rows(catalog: Store, sql: str, **tables: pa.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = catalog.arrow(sql, tables=tables or None).to_pylist()
    return rows


def _finding(catalog: Store, row: dict[str, Any], what: str) -> Finding:
    """A failed check of a source, with the command that takes its numbers out."""
    return Finding(
        f"source {row['id']} {row['name']}",
        "failed",
        f"{row['path']}: {what}. Take its numbers out with: {command(catalog, row['id'])} -- then ingest the right "
        "file; one that is what it says is read again, one that is not is refused.",
    )


def _lengths(catalog: Store) -> Iterator[_Fault]:
    """Record files hold the benchmark's four lengths, and no others."""
    for row in _rows(
        catalog,
        f"""
        SELECT source.id, source.name, source.path, count(*) AS wrong, min(epochs) AS epochs
        FROM metric JOIN source ON source.id = source_id
        WHERE source.kind = 'nb101-records' AND metric.kind = 'trained' AND epochs NOT IN {NB101_LENGTHS}
        GROUP BY ALL ORDER BY source.id
        """,
    ):
        lengths = ", ".join(map(str, NB101_LENGTHS))
        yield (row, f"{row['wrong']:,} rows after {row['epochs']} epochs; NAS-Bench-101 trains {lengths}")


def _halves(catalog: Store) -> Iterator[_Fault]:
    """In the middle of its training a network is not yet what it is at the end."""
    for row in _rows(
        catalog,
        f"""
        SELECT source.id, source.name, source.path, count(*) FILTER (half.name = 'accuracy') AS pairs,
            count(*) FILTER (half.name = 'accuracy' AND half.value = final.value) AS equal,
            count(*) FILTER (half.name = 'training_time') AS times,
            count(*) FILTER (
                half.name = 'training_time'
                AND NOT half.value BETWEEN {_HALF[0]} * final.value AND {_HALF[1]} * final.value
            ) AS elsewhere
        FROM metric AS half
        JOIN metric AS final USING (architecture_id, source_id, name, epochs, repeat)
        JOIN source ON source.id = source_id
        WHERE (source_id, architecture_id) IN (SELECT (source_id, architecture_id) FROM looked_at)
            AND half.stage = 'half' AND final.stage = 'final'
            AND half.split IS NOT DISTINCT FROM final.split AND half.name IN ('accuracy', 'training_time')
        GROUP BY ALL ORDER BY source.id
        """,
        looked_at=_some_modules(catalog),
    ):
        if row["pairs"] and row["equal"] == row["pairs"]:
            yield (
                row,
                f"all {row['pairs']:,} accuracies half-way equal those at the end, which no training of NAS-Bench-101 "
                "does: other trainings under its name",
            )
        elif 2 * row["elsewhere"] > row["times"]:
            yield (
                row,
                f"{row['elsewhere']:,} of {row['times']:,} half-way evaluations were not made half-way: trainings "
                "under NAS-Bench-101's name",
            )


def _some_modules(catalog: Store) -> pa.Table:
    """A thousand architectures of each record file: to compare all of the benchmark's would take half a minute."""
    pairs: list[dict[str, int]] = []
    for (source,) in catalog.rows("SELECT id FROM source WHERE kind = 'nb101-records' ORDER BY id"):
        found = catalog.rows("SELECT DISTINCT architecture_id FROM metric WHERE source_id = ? LIMIT 1000", [source])
        pairs += [{"source_id": source, "architecture_id": architecture} for (architecture,) in found]
    return pa.Table.from_pylist(pairs, pa.schema([("source_id", pa.int32()), ("architecture_id", pa.int64())]))


def _parameters(catalog: Store) -> Iterator[_Fault]:
    """Published parameters are those of the network that is computed here, with the data set's classifier."""
    usual = nb201.parameters([""])[0]
    heads = {dataset: int(nb201.parameters([""], dataset)[0] - usual) for dataset in SKELETON.datasets}
    for row in _rows(
        catalog,
        f"""
        WITH computed AS (
            SELECT architecture_id, value FROM score
            WHERE source_id IS NULL AND proxy_id IN (SELECT id FROM proxy WHERE name = 'params')
        ),
        published AS (
            SELECT architecture_id, source_id, input AS dataset, value FROM score
            WHERE source_id IS NOT NULL AND status = 'ok' AND proxy_id IN (SELECT id FROM proxy WHERE name = 'params')
            UNION ALL
            SELECT architecture_id, source_id, dataset, value FROM metric
            WHERE name = 'parameters' AND kind = 'reported'
        ),
        judged AS (
            SELECT source_id, native_id, published.value AS value, computed.value + coalesce(head, 0) AS expected,
                CASE space
                    WHEN 'nb201' THEN head IS NOT NULL AND published.value != computed.value + head
                    WHEN 'nb101' THEN abs(published.value - computed.value) > computed.value
                        * CASE WHEN source.kind IN ('suite-zero', 'nb101-table') THEN {_DRAWING} ELSE 0 END
                    ELSE false
                END AS is_wrong
            FROM published JOIN computed USING (architecture_id)
            JOIN architecture ON architecture.id = architecture_id
            JOIN source ON source.id = source_id
            LEFT JOIN heads USING (dataset)
        )
        SELECT source.id, source.name, source.path, count(*) AS wrong, min(native_id) AS native_id,
            arg_min(judged.value, native_id)::BIGINT AS value, arg_min(expected, native_id)::BIGINT AS expected
        FROM judged JOIN source ON source.id = source_id WHERE is_wrong GROUP BY ALL ORDER BY source.id
        """,
        heads=pa.table({"dataset": list(heads), "head": list(heads.values())}),
    ):
        yield (
            row,
            f"{row['wrong']:,} parameter counts are not those of the networks, for example {row['value']:,} instead of "
            f"{row['expected']:,} for {row['native_id']}: a file of another benchmark",
        )


def _accuracies(catalog: Store) -> Iterator[_Fault]:
    """Accuracies of NAS-Bench-Suite-Zero stand under what they are."""
    allowed = [
        {"space": space, "kind": accuracy.kind, "dataset": accuracy.dataset, "split": accuracy.split}
        for space, accuracies in ACCURACIES.items()
        for accuracy in accuracies.values()
    ]
    for row in _rows(
        catalog,
        """
        SELECT source.id, source.name, source.path, count(*) AS wrong,
            concat_ws(', ', metric.kind, metric.dataset, metric.split) AS stored
        FROM metric JOIN source ON source.id = source_id JOIN architecture ON architecture.id = architecture_id
        ANTI JOIN allowed ON allowed.space = architecture.space AND allowed.kind = metric.kind
            AND allowed.dataset IS NOT DISTINCT FROM metric.dataset AND allowed.split IS NOT DISTINCT FROM metric.split
        WHERE source.kind = 'suite-zero' AND metric.name = 'accuracy'
            AND (metric.split IS NOT NULL OR starts_with(source.name, 'suite_zero'))  -- a user's file says no split
        GROUP BY ALL ORDER BY source.id, stored
        """,
        allowed=pa.Table.from_pylist(allowed),
    ):
        yield (
            row,
            f"{row['wrong']:,} accuracies are stored as {row['stored']}, which val_accuracy of NAS-Bench-Suite-Zero is "
            "not (of NAS-Bench-201 it is a test accuracy)",
        )


def _inputs(catalog: Store) -> Iterator[_Fault]:
    """Scores of NAS-Bench-Suite-Zero belong to the data sets of their benchmark."""
    allowed = [{"space": space, "input": dataset} for space, datasets in ACCURACIES.items() for dataset in datasets]
    for row in _rows(
        catalog,
        """
        SELECT source.id, source.name, source.path, count(*) AS wrong, score.input, architecture.space
        FROM score JOIN source ON source.id = source_id JOIN architecture ON architecture.id = architecture_id
        ANTI JOIN allowed ON allowed.space = architecture.space AND allowed.input = score.input
        WHERE source.kind = 'suite-zero' GROUP BY ALL ORDER BY source.id, score.input
        """,
        allowed=pa.Table.from_pylist(allowed),
    ):
        yield (row, f"{row['wrong']:,} scores on {row['input']}, which is no data set of {row['space']}")


def _settings(catalog: Store) -> Iterator[_Fault]:
    """Trainings with other settings than the default ones are no repeats of each other."""
    for row in _rows(
        catalog,
        """
        SELECT source.id, source.name, source.path, count(*) AS wrong FROM (
            SELECT source_id, architecture_id FROM metric
            WHERE name = 'tuned_accuracy' AND split = 'test' AND stage = 'final'
            GROUP BY source_id, architecture_id, epochs HAVING count(*) > 1
        ) JOIN source ON source.id = source_id WHERE source.kind = 'nb301-logs' GROUP BY ALL ORDER BY source.id
        """,
    ):
        yield (
            row,
            f"trainings with other hyper-parameters share a column, as a mean, for {row['wrong']:,} architectures",
        )


def _isomorphic_keys(catalog: Store) -> Iterator[Finding]:
    """Where a file names one architecture by several keys, its wide columns are means: a fact to know, no failure."""
    for row in _rows(
        catalog,
        """
        SELECT source.id, source.name, source.path, count(DISTINCT architecture_id) AS architectures
        FROM score JOIN source ON source.id = source_id
        WHERE source.kind = 'suite-zero' AND seed IS NOT NULL GROUP BY ALL ORDER BY source.id
        """,
    ):
        yield Finding(
            f"source {row['id']} {row['name']}",
            "note",
            f"{row['path']} names {row['architectures']:,} architectures by several isomorphic keys whose scores "
            "contradict each other; they stand as seeds, and the wide view shows their mean",
        )


def _equal_keys(catalog: Store) -> Iterator[_Fault]:
    """No two rows of one source say something of the same thing: nobody could tell which is meant."""
    for table, key, among in (
        ("score", "architecture_id, proxy_id, source_id, input, seed", "source_id IS NOT NULL"),
        (
            "metric",
            "architecture_id, source_id, metric.name, metric.kind, dataset, split, epochs, stage, device",
            "coalesce(seed, repeat) IS NULL",
        ),
    ):
        for row in _rows(
            catalog,
            f"""
            SELECT source.id, source.name, source.path, count(*) AS keys, sum(rows - 1)::BIGINT AS surplus FROM (
                SELECT source_id, count(*) AS rows FROM {table} WHERE {among} GROUP BY source_id, {key}
                HAVING count(*) > 1
            ) JOIN source ON source.id = source_id GROUP BY ALL ORDER BY source.id
            """,
        ):
            yield (
                row,
                f"{row['keys']:,} {table}s stand more than once under one key ({row['surplus']:,} rows too many), and "
                "views show their mean: keys of one file that are one architecture were not told apart",
            )
