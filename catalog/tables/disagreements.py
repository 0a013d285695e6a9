"""Sources that say different things of the same measurement of the same architecture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.storage.store import Store

_FLOAT_NOISE = 1e-6  # relative; a fraction with ten digits, times 100, is exact to 1e-10
_LONGEST_ID = 100

_SQL = """
    WITH mean AS MATERIALIZED (
        -- as in the wide view: seeds averaged, and a published mean only where there are none
        SELECT architecture_id, source_id, name, metric.kind, dataset, split, epochs, stage, device,
            coalesce(favg(value) FILTER (coalesce(seed, repeat) IS NOT NULL), favg(value)) AS value,
            count(coalesce(seed, repeat)) > 0 AS has_seeds
        FROM metric
        WHERE value IS NOT NULL AND (stage IS NULL OR stage NOT LIKE 'of %') AND (
            $source IS NULL OR architecture_id IN (SELECT architecture_id FROM metric WHERE source_id = $source)
        )
        GROUP BY ALL
        UNION ALL BY NAME
        SELECT architecture_id, source_id, proxy.name, 'score' AS kind, input AS dataset, favg(value) AS value,
            false AS has_seeds
        FROM score JOIN proxy ON proxy.id = proxy_id
        WHERE source_id IS NOT NULL AND status = 'ok' AND (
            $source IS NULL OR architecture_id IN (SELECT architecture_id FROM score WHERE source_id = $source)
        )
        GROUP BY architecture_id, source_id, proxy_id, proxy.name, input
    ),
    pair AS (
        SELECT one.architecture_id, one.source_id AS source, other.source_id AS other_source,
            one.name, one.kind, one.dataset, one.split, one.epochs, one.device,
            one.has_seeds AND NOT other.has_seeds AS is_shown,
            one.value AS value, other.value AS other_value, abs(one.value - other.value) AS gap,
            gap > $noise * greatest(1, abs(one.value), abs(other.value)) AS differs
        FROM mean AS one JOIN mean AS other ON one.architecture_id = other.architecture_id
            AND one.name = other.name AND one.kind = other.kind AND one.dataset IS NOT DISTINCT FROM other.dataset
            AND one.split IS NOT DISTINCT FROM other.split AND one.epochs IS NOT DISTINCT FROM other.epochs
            AND one.stage IS NOT DISTINCT FROM other.stage AND one.device IS NOT DISTINCT FROM other.device
        WHERE one.source_id > other.source_id AND $source IS NULL
            OR one.source_id = $source AND other.source_id != $source
    ),
    told AS (
        SELECT source, other_source, name, kind, dataset, split, epochs, device, count(*) AS shared,
            count(*) FILTER (differs) AS differing, max(gap) AS largest,
            arg_max({'id': architecture_id, 'value': value, 'other_value': other_value, 'is_shown': is_shown}, gap)
                AS worst
        FROM pair GROUP BY ALL HAVING differing > 0
    )
    SELECT source.name AS source, other.name AS other_source, other.path AS other_path, told.name, told.kind, dataset,
        split, epochs, device, shared, differing, largest,
        worst.value AS value, worst.other_value AS other_value, worst.is_shown AS is_shown,
        architecture.space, architecture.native_id
    FROM told JOIN source ON source.id = told.source JOIN source AS other ON other.id = other_source
        JOIN architecture ON architecture.id = worst.id
    ORDER BY told.source, other_source, told.name, told.kind, dataset, split, epochs, device
"""

_OTHERS = """
    WITH own AS (
        SELECT min(architecture_id) AS first, max(architecture_id) AS last FROM (
            SELECT architecture_id FROM metric WHERE source_id = $source
            UNION ALL SELECT architecture_id FROM score WHERE source_id = $source
        )
    )
    SELECT EXISTS (FROM metric JOIN own ON architecture_id BETWEEN first AND last WHERE source_id != $source)
        OR EXISTS (FROM score JOIN own ON architecture_id BETWEEN first AND last WHERE source_id != $source)
"""
"""Whether other sources say anything about architectures like those of a source; comparing all of them takes long."""


@dataclass(frozen=True)
class Disagreement:
    """One metric or published score that two sources give, in a number of architectures differently.

    Parameters
    ----------
    metric
        What is measured, in words.
    shared, differing
        Architectures that both sources have, and those among them whose values differ beyond float noise.
    largest
        The largest difference, of the architecture `native_id`: `value` in `source`, `other_value` in `other_source`.
    shown
        What the wide view shows where both share a column, as the end of a sentence; empty where each has its own.
    """

    space: str
    metric: str
    source: str
    other_source: str
    other_path: str | None
    shared: int
    differing: int
    largest: float
    native_id: str
    value: float
    other_value: float
    shown: str = ""

    def __str__(self) -> str:
        cut = self.native_id if len(self.native_id) <= _LONGEST_ID else f"{self.native_id[: _LONGEST_ID - 3]}..."
        return (
            f"{self.metric}: {self.differing:,} of {self.shared:,} architectures differ from {self.other_source}"
            f"{f' ({self.other_path})' if self.other_path else ''}, by {self.largest:.6g} at most: {cut!r} has "
            f"{self.value:.6g} in {self.source}, {self.other_value:.6g} there{self.shown}"
        )


def disagreements(catalog: Store, source_id: int | None = None) -> list[Disagreement]:
    """All pairs of sources that differ in a metric or published score, or those of one source with the others.

    Values are compared where name, kind, data set, split, epochs, stage and device are the same: means over seeds, as
    the wide view shows them. The points of training curves are left out.
    """
    if source_id is not None and not catalog.rows(_OTHERS, {"source": source_id})[0][0]:
        return []
    rows = catalog.arrow(_SQL, {"source": source_id, "noise": _FLOAT_NOISE}).to_pylist()
    return [
        Disagreement(
            space=row["space"],
            metric=_in_words(row),
            shown=_shown(row),
            **{name: row[name] for name in _AS_FOUND},
        )
        for row in rows
    ]


_AS_FOUND = (
    "source", "other_source", "other_path", "shared", "differing", "largest", "native_id", "value", "other_value",
)  # fmt: skip


def _shown(row: dict[str, object]) -> str:
    """Which of the two the wide view shows: columns of trainings carry their source's name, those of others do not."""
    if row["kind"] == "score" or (row["kind"] == "trained" and row["source"] != row["other_source"]):
        return ""
    return f"; the wide view shows the {'later' if row['is_shown'] else 'earlier'} source"


def _in_words(row: dict[str, object]) -> str:
    epochs = None if row["epochs"] is None else f"{row['epochs']} epochs"
    kind = None if row["kind"] == "trained" else row["kind"]
    about = [str(word) for word in (row["dataset"], row["split"], epochs, row["device"], kind) if word]
    return f"{row['name']} ({', '.join(about)})" if about else str(row["name"])
