"""What is left to measure: the scores that are missing, and which one measurement gives which of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.spaces import NATIVE_NETWORKS
from predictor.scoring.configuration import Column
from predictor.scoring.selection import Selection
from predictor.zero_cost import LayeredProxy

if TYPE_CHECKING:
    from catalog.storage.store import Store

NO_PATH = "no path leads from an input to the output"

_CELLS = """
    WITH cell AS (  -- every score that is asked for
        SELECT architecture.id, is_connected, target, wanted.proxy_id, input, seed, run_seed,
            CASE WHEN is_own THEN architecture.id ELSE canonical_id END AS function_id
        FROM architecture SEMI JOIN chosen ON chosen.id = architecture.id CROSS JOIN wanted
    ),
    known AS (  -- every score of these proxies that the space has, of other architectures too
        SELECT target, architecture_id AS id, status, reason, value, is_layered,
            CASE WHEN is_own THEN architecture_id ELSE canonical_id END AS function_id,
            coalesce(shared_from, architecture_id) AS measured_id
        FROM score JOIN wanted ON score.proxy_id = wanted.proxy_id
            AND score.input IS NOT DISTINCT FROM wanted.input AND score.seed IS NOT DISTINCT FROM wanted.seed
        JOIN architecture ON architecture.id = architecture_id
        WHERE source_id IS NULL AND space = (SELECT any_value(space) FROM architecture SEMI JOIN chosen USING (id))
    ),
    absent AS (SELECT cell.* FROM cell ANTI JOIN known USING (target, id))
"""


@dataclass(frozen=True)
class Target:
    """One column with one seed. `seed` is stored, NULL for a proxy without one; `run_seed` is measured with."""

    column: Column
    seed: int | None
    run_seed: int


@dataclass(frozen=True)
class Assignment:
    """One architecture to measure with one seed, and the scores that this fills.

    Parameters
    ----------
    targets
        Places among the plan's targets, each once: what to measure.
    rows
        For each score to store, the place of its target.
    ids
        For each score to store, its architecture; others than `architecture_id` compute the same function.
    """

    architecture_id: int
    run_seed: int
    targets: tuple[int, ...]
    rows: NDArray[np.int64]
    ids: NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """Everything that one job has to measure.

    Parameters
    ----------
    targets
        Every column with every seed.
    todo
        One row a score to store: ``measured_id``, ``run_seed``, ``target``, ``id``; sorted.
    """

    targets: Sequence[Target]
    todo: pa.Table

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        measured, seeds = self.todo["measured_id"].to_numpy(), self.todo["run_seed"].to_numpy()
        fresh = np.ones(len(measured), dtype=bool)
        fresh[1:] = (measured[1:] != measured[:-1]) | (seeds[1:] != seeds[:-1])
        return np.flatnonzero(fresh)

    def __len__(self) -> int:
        return len(self._starts)

    def assignments(self) -> Iterator[Assignment]:
        """The measurements in the order of the architectures."""
        measured, seeds, rows, ids = (
            self.todo[name].to_numpy() for name in ("measured_id", "run_seed", "target", "id")
        )
        ends = [*self._starts[1:], len(ids)][: len(self)]  # nothing to measure has no end either
        for start, end in zip(self._starts, ends, strict=True):
            part = slice(start, end)
            targets = tuple(np.unique(rows[part]).tolist())
            yield Assignment(int(measured[start]), int(seeds[start]), targets, rows[part], ids[part])


def targets_of(columns: Sequence[Column], seeds: int) -> list[Target]:
    """Every column with seeds 0 to `seeds` - 1, one without a seed once."""
    return [
        Target(column, seed if column.seeded else None, seed)
        for column in columns
        for seed in range(seeds if column.seeded else 1)
        if not column.is_stored
    ]


def fill_without_measuring(catalog: Store, selection: Selection, targets: Sequence[Target], run_id: int) -> int:
    """Store what needs no measurement, inside a transaction; returns the number of scores.

    Architectures without a path get the status ``disconnected``; those that compute the same function as one that was
    measured before, in this space and with the same settings, get its score.
    """
    tables = _tables(selection, targets)
    disconnected = catalog.execute(
        f"""
        INSERT INTO score BY NAME {_CELLS}
        SELECT id AS architecture_id, proxy_id, input, seed, 'disconnected' AS status, ? AS reason, ? AS run_id
        FROM absent WHERE NOT is_connected
        """,
        [NO_PATH, run_id],
        tables=tables,
    )
    shared = catalog.execute(
        f"""
        INSERT INTO score BY NAME {_CELLS}
        SELECT absent.id AS architecture_id, proxy_id, input, seed, value, status, reason, measured_id AS shared_from,
            ? AS run_id
        FROM absent JOIN (
            SELECT DISTINCT ON (target, function_id) target, function_id, measured_id, status, value, reason
            FROM known WHERE status != 'disconnected'
            ORDER BY target, function_id, status = 'ok' DESC, measured_id, id
        ) AS twin USING (target, function_id)
        """,
        [run_id],
        tables=tables,
    )
    return disconnected + shared


def plan(
    catalog: Store,
    selection: Selection,
    targets: Sequence[Target],
    *,
    retry_failed: bool = False,
    layerwise: bool = False,
) -> Plan:
    """What `fill_without_measuring` leaves: the scores to measure, functionally equal architectures together.

    Parameters
    ----------
    retry_failed
        Whether scores with the status ``failed`` are measured again. The failures of all architectures that compute
        the same function are replaced by what comes out, those outside of the selection too.
    layerwise
        Whether scores whose layers are not stored are measured again.
    """
    todo = catalog.arrow(
        f"""
        {_CELLS}, due AS (
            SELECT id, target, run_seed, function_id FROM absent WHERE is_connected
            UNION SELECT id, target, run_seed, function_id FROM known JOIN wanted USING (target) SEMI JOIN (
                SELECT target, function_id FROM known SEMI JOIN chosen USING (id) WHERE status = 'failed'
            ) AS failed USING (target, function_id)
            WHERE status = 'failed' AND ?  -- of the whole function: a failure that was shared ends for all alike
            UNION SELECT known.measured_id, known.target, cell.run_seed, cell.function_id
            FROM cell JOIN known USING (target, id) JOIN wanted ON wanted.target = cell.target
            WHERE known.status = 'ok' AND wanted.is_layered AND ? AND NOT EXISTS (
                FROM layer_score AS layer WHERE layer.architecture_id = known.measured_id
                    AND layer.proxy_id = wanted.proxy_id AND layer.input IS NOT DISTINCT FROM wanted.input
                    AND layer.seed IS NOT DISTINCT FROM wanted.seed
                    AND layer.role IS NOT NULL  -- that an earlier version did not know
            )
        )
        SELECT first_value(id) OVER (
            PARTITION BY target, function_id ORDER BY id NOT IN (SELECT id FROM chosen), id
        ) AS measured_id, run_seed, target, id
        FROM due ORDER BY measured_id, run_seed, target, id
        """,
        [retry_failed, layerwise],
        tables=_tables(selection, targets),
    )
    return Plan(targets, todo)


def _tables(selection: Selection, targets: Sequence[Target]) -> dict[str, pa.Table]:
    columns = [target.column for target in targets]
    is_own = [column.proxy.native or selection.space in NATIVE_NETWORKS for column in columns]
    wanted = pa.table(
        {
            "target": pa.array(range(len(targets)), pa.int64()),
            "proxy_id": pa.array([column.proxy_id for column in columns], pa.int32()),
            "input": pa.array([column.input for column in columns], pa.string()),
            "seed": pa.array([target.seed for target in targets], pa.int32()),
            "run_seed": pa.array([target.run_seed for target in targets], pa.int64()),
            "is_own": pa.array(is_own, pa.bool_()),
            "is_layered": pa.array([isinstance(column.proxy, LayeredProxy) for column in columns], pa.bool_()),
        }
    )
    return {"chosen": selection.table, "wanted": wanted}
