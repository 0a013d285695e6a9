"""What all parts of a column's origin tell alike: the source, and the runs that stored rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.asking.run_command import run_command

if TYPE_CHECKING:
    from catalog.storage.store import Store

Facts = Mapping[str, object]
"""What is said of a column or a part, in the order in which it is shown; None is left out."""

_MOST_RUNS = 8


@dataclass(frozen=True)
class Part:
    """One kind of rows behind a column.

    Parameters
    ----------
    title
        What the rows are.
    facts
        What is known of them.
    """

    title: str
    facts: Facts


def told(value: object) -> str:
    """A fact as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def source_facts(catalog: Store, source_id: int) -> dict[str, object]:
    """File, digest, version, licence and citation of a source, and the run that read it."""
    rows = catalog.rows(
        "SELECT name, kind, path, sha256, version, licence, citation, row_count, run_id FROM source WHERE id = ?",
        [source_id],
    )
    if not rows:
        return {"source": f"source {source_id}, which is not stored any more"}
    name, kind, path, sha256, version, licence, citation, count, run_id = rows[0]
    return {
        "source": f"{name} (id {source_id}, {kind})",
        "file": path,
        "sha256": sha256,
        "version of the source": version,
        "licence": licence,
        "citation": citation,
        "records of the file": count,
        **run_facts(catalog, [run_id]),
    }


def run_facts(catalog: Store, run_ids: Iterable[int]) -> dict[str, object]:
    """The runs that stored rows: number, time, versions and command of each."""
    wanted = sorted(set(run_ids))
    rows = catalog.rows(
        "SELECT id, kind, parameters, versions, strftime(started_at AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M UTC'), outcome "
        "FROM run WHERE list_contains(?, id) ORDER BY id",
        [wanted],
    )
    facts: dict[str, object] = {}
    for number, kind, parameters, versions, started, outcome in rows[:_MOST_RUNS]:
        packages = ", ".join(f"{name} {version}" for name, version in json.loads(versions).items())
        facts[f"run {number}"] = f"{kind} of {started}, {outcome}; {packages}"
        command = run_command(str(kind), str(parameters))
        facts[f"command of run {number}"] = command or "not recorded; `parameters` of the table run has what is known"
    if len(rows) > _MOST_RUNS:
        facts["further runs"] = ", ".join(str(row[0]) for row in rows[_MOST_RUNS:])
    if missing := [number for number in wanted if number not in {row[0] for row in rows}]:
        facts["runs not stored"] = ", ".join(map(str, missing))
    return facts


def listed_seeds(seeds: Iterable[object]) -> str | None:
    """Seeds as a list; None where there are none."""
    found = [str(seed) for seed in seeds if seed is not None]
    return ", ".join(found) or None
