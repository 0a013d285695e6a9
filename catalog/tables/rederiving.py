"""Writing what follows from native graphs where something else is stored: forms, digests, counts, structural scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from catalog.tables.derived_graphs import Derived, derived, differing
from catalog.tables.registration import ensure_structural_proxies, link_twins

if TYPE_CHECKING:
    from catalog.storage.store import Store


@dataclass
class Rederived:
    """What was written of one space.

    Attributes
    ----------
    written
        Architectures of which something was written.
    digests
        Those of them whose digest is another one now: what was scored for them was scored for another form.
    unreadable
        Architectures whose native graph is damaged, so that nothing follows from it.
    """

    written: list[int] = field(default_factory=list)
    digests: list[int] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)


def rederive(catalog: Store, space: str, *, digests_hold: bool = False) -> Rederived:
    """Derive a space anew, its representatives too, inside a transaction.

    Where the stored digests hold, a native graph with another one is damaged, and nothing is derived from it.
    """
    result = Rederived()
    for made in derived(catalog, space):
        wrong = differing(catalog, made)
        damaged = {*made.unreadable, *(n for n, what in wrong.items() if digests_hold and "canonical_digest" in what)}
        result.unreadable += sorted(damaged)
        writable = {number: what for number, what in wrong.items() if number not in damaged}
        if writable:
            _write(catalog, space, made, writable)
        result.written += list(writable)
        result.digests += [number for number, what in writable.items() if "canonical_digest" in what]
    link_twins(catalog, space)
    return result


def _write(catalog: Store, space: str, made: Derived, wrong: dict[int, list[str]]) -> None:
    """Replace what is stored of some architectures by what was derived."""
    columns = [name for name in made.facts.column_names if name != "id"]
    for name in columns:  # one by one: what is as it should be is not touched
        if any(name in what for what in wrong.values()):
            catalog.execute(
                f"UPDATE architecture SET {name} = made.{name} FROM made SEMI JOIN wrong USING (id) "
                f"WHERE architecture.id = made.id AND architecture.{name} IS DISTINCT FROM made.{name}",
                tables={"made": made.facts, "wrong": _ids(list(wrong))},
            )
    for table, rows, condition in made.tables():
        if numbers := [number for number, what in wrong.items() if f"{table}s" in what]:
            chosen = _ids(numbers)
            catalog.execute(
                f"DELETE FROM {table} WHERE architecture_id IN (SELECT id FROM chosen) AND {condition}",
                tables={"chosen": chosen},
            )
            kept = np.isin(rows["architecture_id"].to_numpy(), np.array(numbers))
            catalog.append(table, rows.filter(pa.array(kept)))
    if scores := [(number, what) for number, names in wrong.items() for what in names if what.startswith("score ")]:
        _write_scores(catalog, space, made, scores)


def _ids(numbers: list[int]) -> pa.Table:
    return pa.table({"id": pa.array(numbers, pa.int64())})


def _write_scores(catalog: Store, space: str, made: Derived, wrong: list[tuple[int, str]]) -> None:
    numbers = ensure_structural_proxies(catalog)
    names = [what.removeprefix("score ") for _, what in wrong]
    chosen = pa.table(
        {
            "architecture_id": pa.array([number for number, _ in wrong], pa.int64()),
            "proxy_id": pa.array([numbers[name] for name in names], pa.int32()),
            "name": pa.array(names, pa.string()),
        }
    )
    fresh = catalog.arrow(
        """
        SELECT architecture_id, chosen.proxy_id, made.value, made.status, made.reason,
            coalesce(own.run_id, (
                SELECT min(run_id) FROM score JOIN architecture ON architecture.id = score.architecture_id
                WHERE space = $space AND source_id IS NULL
            ), 0)::INTEGER AS run_id
        FROM chosen JOIN made USING (architecture_id, name)
        LEFT JOIN (
            SELECT architecture_id, min(run_id) AS run_id FROM score
            WHERE source_id IS NULL AND proxy_id IN (SELECT proxy_id FROM chosen) GROUP BY architecture_id
        ) AS own USING (architecture_id)
        """,
        {"space": space},
        tables={"chosen": chosen, "made": made.scores},
    )
    catalog.execute(
        "DELETE FROM score USING chosen WHERE source_id IS NULL AND score.architecture_id = chosen.architecture_id "
        "AND score.proxy_id = chosen.proxy_id",
        tables={"chosen": chosen},
    )
    catalog.append("score", fresh)
