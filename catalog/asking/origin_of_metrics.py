"""Where a metric column comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from catalog.asking.origin_parts import Facts, Part, listed_seeds, source_facts
from catalog.tables.measures import word_of
from catalog.tables.space_ids import is_of_space

if TYPE_CHECKING:
    from catalog.storage.store import Store

_KEYS = ("source_id", "name", "kind", "dataset", "split", "epochs", "stage", "device")


def metric_parts(catalog: Store, space: str, groups: Sequence[Mapping[str, Any]]) -> tuple[Facts, tuple[Part, ...]]:
    """What holds for a metric column, and a part for each kind of metric rows behind it.

    Parameters
    ----------
    groups
        The kinds of rows, as `catalog.tables.views.metric_groups` gives them.
    """
    first = groups[0]
    found = catalog.rows("SELECT unit, direction FROM measure WHERE name = ?", [first["name"]])
    unit, direction = found[0] if found else (None, None)
    counted = [_counted(catalog, space, group) for group in groups]
    facts = {
        "metric": first["name"],
        "unit": unit or "none stored: a plain number, or nobody said it",
        "better": "nobody said it" if direction is None else word_of(direction),
        "how it is averaged": _averaging(groups),
        "NULL because": _missing(catalog, space, groups),
    }
    parts = [_part(catalog, group, counts) for group, counts in zip(groups, counted, strict=True)]
    return facts, tuple(parts)


def _averaging(groups: Sequence[Mapping[str, Any]]) -> str:
    if any(group["has_seeds"] for group in groups):
        means = "the mean over the seeds that are stored; a published mean only where there is no seeded row"
    else:
        means = "as published: the source tells no seeds apart"
    return means if len(groups) == 1 else f"{means}; of several parts the first that has a value, never a mix"


def _is_kind(group: Mapping[str, Any]) -> tuple[str, list[object]]:
    return " AND ".join(f"{key} IS NOT DISTINCT FROM ?" for key in _KEYS), [group[key] for key in _KEYS]


def _counted(catalog: Store, space: str, group: Mapping[str, Any]) -> dict[str, Any]:
    condition, values = _is_kind(group)
    (row,) = catalog.rows(
        f"""
        WITH found AS (SELECT * FROM metric WHERE {is_of_space(catalog, space)} AND {condition})
        SELECT count(*), count(DISTINCT architecture_id), count(*) - count(value),
            count(*) FILTER (coalesce(seed, repeat) IS NOT NULL), list(DISTINCT seed ORDER BY seed),
            count(DISTINCT repeat), (
                SELECT array_to_string(list(format('{{:,}} with {{}}', n, runs) ORDER BY runs), ', ') FROM (
                    SELECT runs, count(*) AS n FROM (
                        SELECT count(*) AS runs FROM found
                        WHERE coalesce(seed, repeat) IS NOT NULL AND value IS NOT NULL GROUP BY architecture_id
                    ) GROUP BY runs
                )
            )
        FROM found
        """,
        values,
    )
    names = ("rows", "architectures", "nulls", "seeded", "seeds", "repeats", "runs")
    return dict(zip(names, row, strict=True))


def _part(catalog: Store, group: Mapping[str, Any], counts: Mapping[str, Any]) -> Part:
    words = [group["kind"], group["name"], "on", group["dataset"] or "no data set", group["split"]]
    if group["epochs"] is not None:
        words.append(f"after {group['epochs']} epochs")
    words += [f"({group[key]})" for key in ("stage", "device") if group[key] is not None]
    seeds = listed_seeds(counts["seeds"] or ())
    if seeds is None and counts["repeats"]:
        seeds = f"unnamed, up to {counts['repeats']} an architecture"
    facts = {
        "rows": counts["rows"],
        "architectures": counts["architectures"],
        "rows without a value": counts["nulls"] or None,
        "rows of one seed": counts["seeded"],
        "published means": counts["rows"] - counts["seeded"],
        "seeds": seeds,
        "architectures by seeds": counts["runs"] or None,
        **source_facts(catalog, group["source_id"]),
    }
    return Part(" ".join(map(str, filter(None, words))), facts)


def _missing(catalog: Store, space: str, groups: Sequence[Mapping[str, Any]]) -> str | None:
    """Why architectures have no value: no source has a row, or a row has none."""
    conditions, values = zip(*(_is_kind(group) for group in groups), strict=True)
    ((known, valued),) = catalog.rows(
        f"""
        SELECT count(DISTINCT architecture_id), count(DISTINCT architecture_id) FILTER (value IS NOT NULL) FROM metric
        WHERE {is_of_space(catalog, space)} AND ({" OR ".join(f"({one})" for one in conditions)})
        """,
        [value for part in values for value in part],
    )
    ((stored,),) = catalog.rows("SELECT count(*) FROM architecture WHERE space = ?", [space])
    reasons = [
        f"{stored - known:,}: no source has a row" if stored > known else "",
        f"{known - valued:,}: the source has a row without a value" if known > valued else "",
    ]
    return "; ".join(filter(None, reasons)) or None
