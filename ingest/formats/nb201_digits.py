"""NB201-digits: the measured table that comes with the package."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.architecture.members import Members
from catalog.errors import IngestError
from ingest.reading.batch import Batch, SourceFacts, metric_rows

TABLE = Path(__file__).parent / "nb201_digits.parquet"
"""The table; ``benchmarks/own_training.py`` makes it."""

_SPLITS = ("valid", "test")
_COLUMNS = ("native_id", "seed", *(f"{split}_accuracy" for split in _SPLITS))


class NB201Digits:
    """Functionally distinct cells of NAS-Bench-201, each trained with three seeds on scikit-learn's digits.

    One row a training: ``native_id``, ``seed`` and the accuracy in percent on each split. How they were trained is in
    the file's own metadata, under ``plan``.
    """

    space = "nb201"

    def facts(self, path: Path) -> SourceFacts:
        return SourceFacts(
            name="nb201-digits",
            kind="nb201-digits",
            version=_plan(path),
            licence="Apache-2.0",
            citation="trained for this package on the digits of scikit-learn (Alpaydin and Kaynak 1998, CC BY 4.0)",
        )

    def read(self, path: Path) -> Iterator[Batch]:
        epochs = json.loads(_plan(path))["epochs"]
        table = pq.read_table(path, columns=list(_COLUMNS))
        cells, rows = np.unique(table["native_id"].to_numpy(), return_inverse=True)
        metrics = [
            metric_rows(
                rows,
                table[f"{split}_accuracy"].to_numpy().astype(np.float64),
                name="accuracy",
                kind="trained",
                dataset="digits",
                split=split,
                epochs=epochs,
                stage="final",
                seed=table["seed"],
            )
            for split in _SPLITS
        ]
        yield Batch(Members(cells.tolist()), len(table), pa.concat_tables(metrics))


def _plan(path: Path) -> str:
    """How the trainings of the file were made, as JSON."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise IngestError(
            f"{path} is no parquet file ({error}); nothing was stored. Install the package again."
        ) from error
    plan: bytes | None = (schema.metadata or {}).get(b"plan")
    if plan is None or not set(_COLUMNS) <= set(schema.names):
        raise IngestError(
            f"{path} is no table that benchmarks/own_training.py made: its columns are {', '.join(schema.names)}; "
            "nothing was stored."
        )
    return plan.decode()
