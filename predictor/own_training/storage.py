"""Trainings in a catalog: their source, their metrics and their curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from catalog.storage.row_schemas import METRIC_FIELDS
from catalog.tables import views
from predictor.own_training.recipes import described, source_name

if TYPE_CHECKING:
    from catalog.storage.store import Store
    from predictor.own_training.trainer import TrainConfig
    from predictor.own_training.workers import Outcome

KIND = "own-training"
"""Kind of the sources that hold trainings of our own; one a recipe."""

_METRICS = pa.schema([("architecture_id", pa.int64()), ("source_id", pa.int32()), *METRIC_FIELDS])

_CURVES = pa.schema(
    [
        ("architecture_id", pa.int64()),
        ("source_id", pa.int32()),
        ("dataset", pa.string()),
        ("split", pa.string()),
        ("epochs", pa.int32()),
        ("seed", pa.int32()),
        ("epoch", pa.int32()),
        ("value", pa.float64()),
    ]
)


class TrainingStore:
    """The trainings of one recipe on one data set, `epochs` long."""

    def __init__(self, catalog: Store, space: str, config: TrainConfig, dataset: str, epochs: int) -> None:
        self.catalog = catalog
        self.space = space
        self.source = source_name(space, dataset, config)
        self.version = described(config)
        self.dataset = dataset
        self.epochs = epochs

    def trained(self) -> pl.DataFrame:
        """``canonical_digest`` and ``seed`` of every training that is stored."""
        return self.catalog.query(
            """
            SELECT canonical_digest, seed FROM metric
            JOIN architecture ON architecture.id = architecture_id
            JOIN source ON source.id = source_id
            WHERE space = ? AND source.name = ? AND version = ? AND dataset = ? AND epochs = ?
                AND metric.name = 'accuracy' AND split = 'test'
            """,
            [self.space, self.source, self.version, self.dataset, self.epochs],
        )

    def store(self, outcomes: Sequence[Outcome], run_id: int) -> None:
        """Add finished trainings and rebuild the wide view, in one transaction."""
        trainings = sum(len(outcome.trainings) for outcome in outcomes)
        if not trainings:
            return
        with self.catalog.transaction():
            source_id = self._source(run_id, trainings)
            self.catalog.append(
                "metric", pa.Table.from_pylist(list(self._metrics(outcomes, source_id)), schema=_METRICS)
            )
            self.catalog.append(
                "training_curve", pa.Table.from_pylist(list(self._curves(outcomes, source_id)), schema=_CURVES)
            )
            views.rebuild(self.catalog, self.space)

    def _source(self, run_id: int, trainings: int) -> int:
        """The recipe's source, entered at its first training; its row count grows."""
        held = self.catalog.arrow(
            "SELECT id FROM source WHERE kind = ? AND name = ? AND version = ?", [KIND, self.source, self.version]
        )
        if len(held):
            source_id = int(held["id"][0].as_py())
            self.catalog.execute("UPDATE source SET row_count = row_count + ? WHERE id = ?", [trainings, source_id])
            return source_id
        source_id = self.catalog.next_id("source")
        self.catalog.append(
            "source",
            pa.table(
                {
                    "id": pa.array([source_id], pa.int32()),
                    "name": [self.source],
                    "kind": [KIND],
                    "version": [self.version],
                    "row_count": [trainings],
                    "ingested_at": [self.catalog.now()],
                    "run_id": pa.array([run_id], pa.int32()),
                }
            ),
        )
        return source_id

    def _metrics(self, outcomes: Sequence[Outcome], source_id: int) -> Iterator[dict[str, object]]:
        for outcome in outcomes:
            for one in outcome.trainings:
                common = {
                    "architecture_id": outcome.architecture_id,
                    "source_id": source_id,
                    "kind": "trained",
                    "dataset": self.dataset,
                    "epochs": self.epochs,
                    "stage": "final",
                    "seed": one.seed,
                }
                for split, value in (("valid", one.valid), ("test", one.test)):
                    yield common | {"name": "accuracy", "split": split, "value": value}
                yield common | {"name": "training_time", "split": None, "value": one.seconds}

    def _curves(self, outcomes: Sequence[Outcome], source_id: int) -> Iterator[dict[str, object]]:
        for outcome in outcomes:
            for one in outcome.trainings:
                for epoch, value in enumerate(one.curve, start=1):
                    yield {
                        "architecture_id": outcome.architecture_id,
                        "source_id": source_id,
                        "dataset": self.dataset,
                        "split": "train",
                        "epochs": self.epochs,
                        "seed": one.seed,
                        "epoch": epoch,
                        "value": value,
                    }
