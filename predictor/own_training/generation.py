"""Making a table of ground truth: many architectures trained with several seeds, in parts that survive a kill."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import UsageError
from catalog.output_file import make_folder, write_bytes, write_text
from catalog.spaces.base import SearchSpace

if TYPE_CHECKING:
    from predictor.own_training.trainer import TrainConfig, Training

_PLAN = "plan.json"


@dataclass(frozen=True)
class Plan:
    """What a run trains; written beside its parts, so that a resumed run cannot mix two plans.

    Parameters
    ----------
    space
        The search space.
    dataset
        ``digits`` or ``cifar10:DIR``.
    epochs, seeds
        Length of each training, and the seeds of each architecture.
    sample_seed
        Of the order in which functionally distinct architectures are taken.
    config
        `TrainConfig` as plain values.
    """

    space: str
    dataset: str
    epochs: int
    seeds: tuple[int, ...]
    sample_seed: int = 0
    config: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> str:
        """The plan as text, equal for equal plans."""
        return json.dumps(asdict(self), sort_keys=True, indent=1)


def plan_of(
    space: str, dataset: str, *, epochs: int, seeds: Sequence[int], sample_seed: int = 0, config: TrainConfig
) -> Plan:
    """A plan from a `TrainConfig`."""
    return Plan(space, dataset, epochs, tuple(seeds), sample_seed, asdict(config))


def distinct_functions(space: SearchSpace) -> list[ArchitectureGraph]:
    """One connected native graph a function, the first in the space's order; the space must be enumerable."""
    graphs = list(space.enumerate())
    first: dict[str, ArchitectureGraph] = {}
    for graph, canonical in zip(graphs, canonical_graphs(graphs), strict=True):
        if all(cell.depth() > 0 for cell in canonical.cells):
            first.setdefault(canonical.digest_as_is(), graph)
    return list(first.values())


def generate(
    folder: Path, plan: Plan, space: SearchSpace, *, count: int, part_size: int = 20
) -> Iterator[tuple[int, int]]:
    """Train the plan's first `count` distinct architectures that `folder` does not hold yet.

    Each finished part is one parquet file, written under another name first: a kill costs the part that was being
    trained, nothing else. A larger `count` later continues the same order.

    Yields
    ------
    tuple of int
        Architectures stored so far, and `count`, after every part.

    Raises
    ------
    UsageError
        The folder holds parts of another plan.
    """
    from predictor.networks.datasets import dataset_named
    from predictor.own_training.trainer import TrainConfig, train

    _claim(folder, plan)
    dataset = dataset_named(plan.dataset)
    config = TrainConfig(**plan.config)
    graphs = distinct_functions(space)
    order = np.random.default_rng(plan.sample_seed).permutation(len(graphs))[:count]
    stored = set(read_parts(folder)["native_id"].to_list())
    missing = [graph for graph in (graphs[place] for place in order) if space.native_id(graph) not in stored]
    for start in range(0, len(missing), part_size):
        rows: list[dict[str, Any]] = []
        for graph in missing[start : start + part_size]:
            found = train(graph, dataset, epochs=plan.epochs, seeds=plan.seeds, config=config)
            rows += [_row(space.native_id(graph), one) for one in found]
        _write_part(folder, rows)
        stored.update(row["native_id"] for row in rows)
        yield len(stored), len(order)


def _claim(folder: Path, plan: Plan) -> None:
    make_folder(folder)
    path = folder / _PLAN
    if not path.exists():
        write_text(path, plan.as_json())
    elif path.read_text() != plan.as_json():
        raise UsageError(
            f"{folder} holds parts of another plan: {' '.join(path.read_text().split())}. Give the same arguments to "
            "continue it, or another folder to start anew."
        )


def _row(native_id: str, training: Training) -> dict[str, Any]:
    return {
        "native_id": native_id,
        "seed": training.seed,
        "valid_accuracy": training.valid,
        "test_accuracy": training.test,
        "seconds": training.seconds,
        "curve": training.curve,
    }


_SCHEMA = {
    "native_id": pl.String(),
    "seed": pl.Int32(),
    "valid_accuracy": pl.Float32(),
    "test_accuracy": pl.Float32(),
    "seconds": pl.Float32(),
    "curve": pl.List(pl.Float32()),
}


def _write_part(folder: Path, rows: list[dict[str, Any]]) -> None:
    number = len(list(folder.glob("part-*.parquet")))
    content = io.BytesIO()
    pl.DataFrame(rows, schema=_SCHEMA).write_parquet(content)
    write_bytes(folder / f"part-{number:05d}.parquet", content.getbuffer())


def read_parts(folder: Path) -> pl.DataFrame:
    """All finished parts of a run as one table, a row a training, in the order of native id and seed."""
    parts = [pl.read_parquet(path, columns=list(_SCHEMA)) for path in sorted(folder.glob("part-*.parquet"))]
    return pl.concat(parts).sort("native_id", "seed") if parts else pl.DataFrame(schema=_SCHEMA)


@dataclass(frozen=True)
class NoiseCeiling:
    """How far seeds agree, and so how well any predictor can do.

    Parameters
    ----------
    between_seeds
        Mean Spearman correlation between the accuracies of two seeds.
    of_mean
        Reliability of the mean over all seeds, :math:`k r / (1 + (k - 1) r)` (Spearman 1910, Brown 1910).
    ceiling
        Its square root: what a predictor that knows the true accuracies would reach against that mean.
    """

    between_seeds: float
    of_mean: float
    ceiling: float


def noise_ceiling(accuracies: NDArray[np.float64]) -> NoiseCeiling:
    """The noise ceiling of a table (architectures, seeds) with at least two seeds."""
    from scipy.stats import spearmanr

    seeds = accuracies.shape[1]
    if seeds < 2:
        raise UsageError(f"the noise ceiling needs at least two seeds; the table has {seeds}.")
    pairs = combinations(range(seeds), 2)
    between = float(np.mean([spearmanr(accuracies[:, i], accuracies[:, j]).statistic for i, j in pairs]))
    reliability = seeds * between / (1 + (seeds - 1) * between)
    return NoiseCeiling(between, reliability, float(np.sqrt(max(reliability, 0.0))))


def accuracy_table(trainings: pl.DataFrame, column: str = "test_accuracy") -> NDArray[np.float64]:
    """(architectures, seeds) of one column of `read_parts`, architectures in the order of their native ids."""
    wide = trainings.pivot(on="seed", index="native_id", values=column).sort("native_id")
    return wide.drop("native_id").to_numpy().astype(np.float64)
