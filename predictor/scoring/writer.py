"""Storing what was measured: a batch of scores, their layers and their cells of the wide view in one transaction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.storage.row_schemas import SCORE_FIELDS
from catalog.tables import views
from catalog.tables.space_view import SpaceView
from predictor.scoring.plan import Assignment, Plan
from predictor.zero_cost import Measurement

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SCORES = pa.schema(
    [
        ("architecture_id", pa.int64()),
        ("proxy_id", pa.int32()),
        *SCORE_FIELDS,
        ("run_id", pa.int32()),
        ("shared_from", pa.int64()),
    ]
)
_LAYERS = pa.schema(
    [
        ("architecture_id", pa.int64()),
        ("proxy_id", pa.int32()),
        ("input", pa.string()),
        ("seed", pa.int32()),
        ("position", pa.int16()),
        ("layer", pa.string()),
        ("value", pa.float64()),
        ("run_id", pa.int32()),
        ("role", pa.string()),
        ("stage", pa.int16()),
        ("repetition", pa.int16()),
        ("cell", pa.string()),
        ("node", pa.int16()),
        ("operator", pa.string()),
        ("parameters", pa.int64()),
    ]
)
_SHARE = 50  # measuring takes at least so many times as long as storing


@dataclass(frozen=True)
class _Measured:
    assignment: Assignment
    measurements: Sequence[Measurement]


class ScoreWriter:
    """The only one that writes while a job runs; nothing is held open between two batches.

    The cells of the wide view are part of each transaction, so the view agrees with the scores whenever the process
    ends. Only the first batch of a new column pays for building the view.

    Parameters
    ----------
    plan
        What is measured.
    run_id
        The run that the scores belong to.
    batch_seconds
        Time between two batches; longer where storing one has turned out to be slow.
    replaces
        Whether some of the scores exist already.
    """

    def __init__(
        self, catalog: Store, space: str, plan: Plan, run_id: int, *, batch_seconds: float, replaces: bool
    ) -> None:
        self._catalog = catalog
        self._space = space
        self._targets = plan.targets
        self._run_id = run_id
        self._batch_seconds = batch_seconds
        self._replaces = replaces
        self._pending: list[_Measured] = []
        self._stored_at = time.monotonic()
        self._pause = batch_seconds

    def add(self, assignment: Assignment, measurements: Sequence[Measurement]) -> None:
        """Note what was measured, `measurements` in the order of the assignment's targets; stored with its batch."""
        self._pending.append(_Measured(assignment, measurements))

    def store_if_due(self) -> None:
        """Store the batch if the last one is long enough ago."""
        if time.monotonic() - self._stored_at >= self._pause:
            self.store()

    def store(self) -> None:
        """Store what is noted, in one transaction."""
        if not self._pending:
            return
        started = time.monotonic()
        scores = pa.Table.from_pylist([row for one in self._pending for row in self._score_rows(one)], _SCORES)
        layers = pa.Table.from_pylist([row for one in self._pending for row in self._layer_rows(one)], _LAYERS)
        with self._catalog.transaction():
            if self._replaces:
                scores = self._without_lost_values(scores)
                self._delete("score", scores)
                self._delete("layer_score", layers)
            self._catalog.append("score", scores)
            if len(layers):
                self._catalog.append("layer_score", layers)
            self._bring_view_up_to_date(scores)
        self._pending.clear()
        self._stored_at = time.monotonic()
        self._pause = max(self._batch_seconds, _SHARE * (self._stored_at - started)) if self._batch_seconds else 0.0

    def _bring_view_up_to_date(self, scores: pa.Table) -> None:
        """Put stored scores into the wide view, inside the transaction that stored them."""
        columns = {target.column.name: (target.column.proxy_id, target.column.input) for target in self._targets}
        shown = SpaceView.of(self._catalog, self._space).columns
        filled = {
            (row["proxy_id"], row["input"])
            for row in scores.select(["proxy_id", "input", "status"]).to_pylist()
            if row["status"] == "ok"
        }
        if any(name not in shown and scored in filled for name, scored in columns.items()):
            views.rebuild(self._catalog, self._space)  # a column appears with its first value
            return
        columns = {name: scored for name, scored in columns.items() if name in shown}
        if columns:
            views.update_scores(self._catalog, self._space, columns, scores.select(["architecture_id"]))

    def _without_lost_values(self, scores: pa.Table) -> pa.Table:
        """The scores without failures to repeat a measurement that has a value: the value stays."""
        return self._catalog.arrow(
            """
            SELECT fresh.* FROM fresh WHERE status = 'ok' OR NOT EXISTS (
                FROM score WHERE score.status = 'ok' AND score.architecture_id = fresh.architecture_id
                    AND score.proxy_id = fresh.proxy_id AND score.input IS NOT DISTINCT FROM fresh.input
                    AND score.seed IS NOT DISTINCT FROM fresh.seed
            )
            """,
            tables={"fresh": scores},
        ).cast(_SCORES)

    def _delete(self, table: str, rows: pa.Table) -> None:
        self._catalog.execute(
            f"""
            DELETE FROM {table} USING replaced WHERE {table}.architecture_id = replaced.architecture_id
                AND {table}.proxy_id = replaced.proxy_id AND {table}.input IS NOT DISTINCT FROM replaced.input
                AND {table}.seed IS NOT DISTINCT FROM replaced.seed
            """,
            tables={"replaced": rows.select(["architecture_id", "proxy_id", "input", "seed"])},
        )

    def _score_rows(self, one: _Measured) -> list[dict[str, Any]]:
        found = dict(zip(one.assignment.targets, one.measurements, strict=True))
        rows = []
        for place, architecture_id in zip(one.assignment.rows.tolist(), one.assignment.ids.tolist(), strict=True):
            measurement = found[place]
            is_measured = architecture_id == one.assignment.architecture_id
            rows.append(
                self._keys(architecture_id, place)
                | {
                    "value": measurement.value,
                    "status": measurement.status,
                    "reason": measurement.reason,
                    "seconds": measurement.seconds if is_measured else None,
                    "shared_from": None if is_measured else one.assignment.architecture_id,
                }
            )
        return rows

    def _layer_rows(self, one: _Measured) -> list[dict[str, Any]]:
        return [
            self._keys(one.assignment.architecture_id, place)
            | {"position": position, "layer": layer, "value": value, "parameters": facts.parameters}
            | vars(facts.place)
            for place, measurement in zip(one.assignment.targets, one.measurements, strict=True)
            for position, (layer, value) in enumerate(measurement.layers.items())
            for facts in [measurement.facts[layer]]
        ]

    def _keys(self, architecture_id: int, place: int) -> dict[str, Any]:
        target = self._targets[place]
        return {
            "architecture_id": architecture_id,
            "proxy_id": target.column.proxy_id,
            "input": target.column.input,
            "seed": target.seed,
            "run_id": self._run_id,
        }
