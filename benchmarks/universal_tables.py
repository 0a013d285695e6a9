"""One file a space for `benchmarks/universal.py`: its networks as fused computation graphs, sizes, labels and pools.

    python -m benchmarks.universal_tables --folder DIR [--space nb201]

A space that has its file is not read again. Of NAS-Bench-101 a sample of 5,000 is taken.
"""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

import catalog
from benchmarks.protocol.spaces import SPACES, Space, data_folder
from catalog.architecture.computation.arrays import ComputationBatch
from catalog.storage.store import Store
from catalog.tables.computation_graphs import computation_batch
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView

Values = NDArray[np.float64]

SIZES = ("params", "flops", "root_macs")
"""The size columns that every score is compared with."""
NB101_SAMPLE = 5_000


@dataclass(frozen=True)
class Source:
    """Where the numbers of one data set of a family come from."""

    space: str
    facts: Space
    targets: tuple[str, ...]


def _known(name: str, space: str | None = None) -> Source:
    facts = SPACES[name]
    return Source(space or name, facts, tuple(dict.fromkeys(truth for _, truth in facts.targets.values())))


def _more(space: str, reader: str, file: str, target: str) -> Source:
    return Source(space, Space(reader, (file,), {target: (target, target)}), (target,))


SOURCES: Mapping[str, Source] = {
    **{name: _known(name) for name in SPACES},
    "darts_214": _more("darts", "darts", "darts/darts_214_trained_cifar10.csv", "cifar10_test_accuracy"),
    "ofa": _more("ofa", "ofa", "spaces/ofa_mobilenetv3.csv.gz", "imagenet_valid_accuracy_supernet"),
    "face_landmark": _more(
        "face_landmark", "face-landmark", "spaces/face_landmark.csv.gz", "facesynthetics_valid_error_30ep"
    ),
    "decoder_lm": _more("decoder_lm", "decoder-lm", "spaces/decoder_lm.csv.gz", "valid_loss"),
}

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "nb201": ("nb201", "transnas_micro"),
    "nb101": ("nb101",),
    "darts": ("darts", "darts_214"),
    "nasbench_macro": ("nasbench_macro",),
    "accel_nasbench": ("accel_nasbench",),
    "autoformer": ("autoformer",),
    "naap440": ("naap440",),
    "flexibert": ("flexibert",),
    "ofa": ("ofa",),
    "face_landmark": ("face_landmark",),
    "decoder_lm": ("decoder_lm",),
}
"""Kin leave together."""


@dataclass(frozen=True)
class Table:
    """All that is known of one space.

    Parameters
    ----------
    batch
        The networks, one an architecture, empty where it computes nothing.
    sizes
        (A, `SIZES`).
    truths
        By target: (A,) higher is better, NaN where it is not known.
    connected
        (A,) whether a path leads from input to output.
    marks
        By name: (A,) which architectures have ``none`` operators, or two equal cells.
    """

    batch: ComputationBatch
    sizes: Values
    truths: Mapping[str, Values]
    connected: NDArray[np.bool_]
    marks: Mapping[str, NDArray[np.bool_]]


def table_of(name: str, folder: Path) -> Table:
    """The table of a space; it is made if it is not there."""
    path = folder / f"{name}.pickle"
    if not path.exists():
        made = _made(name, folder)
        path.with_suffix(".part").write_bytes(pickle.dumps(vars(made)))
        path.with_suffix(".part").rename(path)
    return Table(**pickle.loads(path.read_bytes()))  # noqa: S301 - a file of our own


def _catalog_of(name: str, folder: Path) -> Path:
    path = folder / f"{name}.duckdb"
    if not path.exists():
        facts = SOURCES[name].facts
        making = path.with_suffix(".part.duckdb")
        making.unlink(missing_ok=True)
        with catalog.open(making, mode="write") as opened:
            opened.ingest(facts.reader, *[file for one in facts.files for file in sorted(data_folder().glob(one))])
        making.rename(path)
    return path


def _made(name: str, folder: Path) -> Table:
    source = SOURCES[name]
    with Store.open(_catalog_of(name, folder)) as store:
        view = SpaceView.of(store, source.space)
        frame = view.frame(["architecture_id", "is_connected", *SIZES, *source.targets])
        frame = frame.filter(pl.any_horizontal(pl.col(one).is_not_null() for one in source.targets))
        frame = frame.sort("architecture_id")
        if name == "nb101":
            frame = frame[np.sort(np.random.default_rng(0).permutation(len(frame))[:NB101_SAMPLE])]
        ids = frame["architecture_id"].to_numpy()
        signs = {one: -1.0 if is_cost(store, source.space, one) else 1.0 for one in source.targets}
        return Table(
            computation_batch(store, source.space, ids.tolist()),
            frame.select(pl.col(SIZES).cast(pl.Float64)).to_numpy(),
            {one: signs[one] * frame[one].cast(pl.Float64).to_numpy() for one in source.targets},
            frame["is_connected"].to_numpy(),
            {"none": _with_none(store, ids), "equal": _with_equal_cells(store, ids)},
        )


def _with_none(store: Store, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    rows = store.rows(
        "SELECT DISTINCT architecture_id FROM node WHERE operator = 'none' AND form IN ('native', 'both')"
    )
    return np.isin(ids, [row[0] for row in rows])


def _with_equal_cells(store: Store, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    rows = store.rows(
        """
        WITH told AS (
            SELECT architecture_id, cell, string_agg(operator, ',' ORDER BY position) AS operators
            FROM node WHERE form IN ('native', 'both') GROUP BY ALL
        ) SELECT architecture_id FROM told GROUP BY 1 HAVING count(*) > 1 AND count(DISTINCT operators) = 1
        """
    )
    return np.isin(ids, [row[0] for row in rows])


def main() -> None:
    """Make the files that are not there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--space", choices=SOURCES, action="append")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.space or SOURCES:
        table = table_of(name, options.folder)
        print(f"{name}: {table.batch}, {', '.join(table.truths)}", flush=True)


if __name__ == "__main__":
    main()
