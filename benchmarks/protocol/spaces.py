"""The spaces of the protocol: from their public tables to a catalog file in a folder, and from that to a pool."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import catalog
from benchmarks.protocol.pools import Pool, Rows, Target, Values, part
from catalog.storage.store import Store
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView
from predictor.door import Needs
from predictor.scoring.reading import read_given

NB101_SEED = 7
NB101_TESTED = 10_000


@dataclass(frozen=True)
class Space:
    """Where a space's numbers come from.

    Parameters
    ----------
    reader
        Of ``catalog ingest``.
    files
        In the folder of public tables; ``*`` stands for any text.
    targets
        By name: the columns of label and truth.
    scored
        Predictors whose scores are stored with the space.
    """

    reader: str
    files: tuple[str, ...]
    targets: Mapping[str, tuple[str, str]]
    scored: tuple[str, ...] = ()


def _both(*columns: str) -> dict[str, tuple[str, str]]:
    return {column: (column, column) for column in columns}


SPACES: Mapping[str, Space] = {
    "nb201": Space(
        "nasbench201",
        ("nb201/nb201_v1.1_200ep.csv.gz", "nb201/published_proxies_cifar10.csv.gz"),
        {
            name: (f"{name}_valid_accuracy", f"{name}_test_accuracy")
            for name in ("cifar10", "cifar100", "imagenet16_120")
        }
        | {"cifar10_truth": ("cifar10_test_accuracy", "cifar10_test_accuracy")},
        ("tg_nas",),
    ),
    "darts": Space("nasbench301", ("nb301/zc_*.json",), _both("cifar10_valid_accuracy_surrogate"), ("tg_nas",)),
    "nb101": Space("nasbench101", ("nb101/nb101_108ep_mean_test.csv.gz",), _both("cifar10_test_accuracy")),
    "accel_nasbench": Space("accel-nasbench", ("spaces/accel_nasbench.csv.gz",), _both("imagenet_valid_accuracy")),
    "autoformer": Space(
        "autoformer",
        ("spaces/autoformer.jsonl.gz",),
        _both("cifar100_distilled_accuracy", "flowers_distilled_accuracy", "chaoyang_distilled_accuracy"),
    ),
    "naap440": Space("naap440", ("spaces/naap440.jsonl.gz",), _both("cifar10_test_accuracy")),
    "flexibert": Space("flexibert", ("spaces/flexibert.jsonl.gz",), _both("glue_valid_glue_score")),
    "transnas_micro": Space(
        "transnas-micro",
        ("spaces/tnb101_micro.csv.gz",),
        _both(
            "class_scene_valid_accuracy",
            "class_object_valid_accuracy",
            "jigsaw_valid_accuracy",
            "segmentsemantic_valid_miou",
            "normal_valid_ssim",
            "autoencoder_valid_ssim",
            "room_layout_valid_neg_loss",
        ),
    ),
    "nasbench_macro": Space("nasbench-macro", ("spaces/nasbench_macro.csv.gz",), _both("cifar10_test_accuracy")),
}


def data_folder() -> Path:
    """`$CATALOG_DATA`, else ``../shared/data`` beside the checkout."""
    return Path(os.environ.get("CATALOG_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")


def catalog_of(space: str, folder: Path) -> Path:
    """The space's own catalog file in `folder`; it is made if it is not there."""
    path = folder / f"{space}.duckdb"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        facts = SPACES[space]
        files = [file for pattern in facts.files for file in sorted(data_folder().glob(pattern))]
        making = path.with_suffix(".part.duckdb")
        making.unlink(missing_ok=True)
        with catalog.open(making, mode="write") as opened:
            opened.ingest(facts.reader, *files)
            if facts.scored:
                opened.score(space, list(facts.scored))
        making.rename(path)
    return path


def pool_of(space: str, folder: Path, needs: Needs) -> Pool:
    """The pool of a space, with what `needs` asks for."""
    with Store.open(catalog_of(space, folder)) as store:
        view = SpaceView.of(store, space)
        facts = SPACES[space]
        columns = list(dict.fromkeys(column for pair in facts.targets.values() for column in pair))
        fixed = ["canonical_id", "index", view.native_id_name]
        frame = view.frame([*fixed, *columns]).with_row_index("row")
        known = _means_of_sources(store, space, frame, columns) if space == "darts" else frame
        signs = {column: -1.0 if is_cost(store, space, column) else 1.0 for column in columns}
        given = read_given(store, space, needs)[1]
        for graphs in given.forms.values():
            assert graphs.cells  # read while the file is open
    kept = _in_native_order(space, known, columns, view.native_id_name)
    functions = frame["canonical_id"].to_numpy()[kept]
    values = {
        column: signs[column] * _means_of_functions(known[column].cast(pl.Float64).to_numpy()[kept], functions, space)
        for column in columns
    }
    targets = {name: Target(values[label], values[truth]) for name, (label, truth) in facts.targets.items()}
    labelled, tested = _drawn_and_tested(space, len(kept))
    return Pool(space, part(given, kept), functions, targets, labelled, tested)


def _in_native_order(space: str, frame: pl.DataFrame, columns: Sequence[str], native_id: str) -> Rows:
    """Rows of the architectures with any of these columns: NAS-Bench-101 in its table's order, others by index."""
    known = frame.filter(pl.any_horizontal(pl.col(column).is_not_null() for column in columns))
    if space == "nb101":
        with gzip.open(data_folder() / SPACES[space].files[0], "rt") as file:
            table = pl.read_csv(file.read().encode(), columns=["hash"], schema_overrides={"hash": pl.String})
        hashes = table.rename({"hash": native_id})
        known = hashes.join(known, on=native_id, how="left", maintain_order="left")
    else:
        known = known.sort("index", "row", nulls_last=True)
    return known["row"].to_numpy().astype(np.int64)


def _means_of_sources(store: Store, space: str, frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """The surrogate's accuracy where several files have a cell: their mean."""
    (column,) = columns
    means = store.query(
        """
        SELECT architecture_id, avg(value) AS mean FROM metric JOIN architecture ON architecture.id = architecture_id
        WHERE space = ? AND kind = 'surrogate' AND name = 'accuracy' AND split = 'valid' GROUP BY ALL
        """,
        [space],
    )
    ids = SpaceView.of(store, space).frame(["architecture_id"])
    found = ids.join(means, on="architecture_id", how="left", maintain_order="left")["mean"]
    return frame.with_columns(found.alias(column))


def _means_of_functions(values: Values, functions: Rows, space: str) -> Values:
    """In the spaces of ``spaces/`` one function with several rows has their mean."""
    if not SPACES[space].files[0].startswith("spaces/"):
        return values
    _, place = np.unique(functions, return_inverse=True)
    known = np.isfinite(values)
    sums, counts = np.bincount(place, np.where(known, values, 0.0)), np.bincount(place, known)
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)[place])


def _drawn_and_tested(space: str, count: int) -> tuple[Rows, Rows]:
    """Rows that labels are drawn from, and rows that are tested."""
    rows = np.arange(count)
    if space != "nb101":
        return rows, rows
    order = np.random.default_rng(NB101_SEED).permutation(count)
    return np.sort(order[NB101_TESTED:]), np.sort(order[:NB101_TESTED])
