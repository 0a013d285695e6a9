"""The benchmark tables as TG-NAS reads them: cells in batches, labels, and the baselines to stand beside."""

from __future__ import annotations

import ast
import csv
import gzip
import json
import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph
from catalog.spaces import space_named
from predictor.encoding.padded_graphs import CellBatch, from_graphs
from predictor.tg_nas.job import Source
from predictor.tg_nas.nb101_modules import module_cells

MODULE_OPERATORS = ("conv3x3", "conv1x1", "maxpool3x3", "input", "output")
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """A space with its labels and baselines: what a table of results is made from."""

    name: str
    cells: tuple[CellBatch, ...]
    labels: dict[str, Values]
    baselines: dict[str, Values]
    graphs: tuple[ArchitectureGraph, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.labels.values())))


def data_folder() -> Path:
    """`$CATALOG_DATA`, else ``../shared/data`` beside the checkout."""
    return Path(os.environ.get("CATALOG_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def nb101(limit: int | None = None, seed: int = 0) -> Target:
    """All modules of NAS-Bench-101, or `limit` random ones, as the network computes them."""
    with gzip.open(data_folder() / "nb101" / "nb101_108ep_mean_test.csv.gz", "rt") as file:
        rows = list(csv.reader(file))[1:]
    if limit is not None:
        rows = [rows[place] for place in np.sort(np.random.default_rng(seed).choice(len(rows), limit, replace=False))]
    sizes: defaultdict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        sizes[int(row[2])].append(place)
    batches = []
    for vertices, places in sorted(sizes.items()):
        bits = np.frombuffer("".join(rows[place][3] for place in places).encode(), dtype=np.uint8)
        operators = np.array([[3, *map(int, rows[place][4]), 4] for place in places], dtype=np.int16)
        matrices = bits.reshape(-1, vertices, vertices) - ord("0")
        batches.append(module_cells(MODULE_OPERATORS, operators, matrices, np.array(places)))
    accuracy = np.array([100.0 * float(row[6]) for row in rows])
    return Target(
        "nb101", tuple(batches), {"cifar10_test": accuracy}, {"params": np.array([float(row[5]) for row in rows])}
    )


def nb201(canonical: bool = True) -> Target:
    """All 15,625 cells of NAS-Bench-201."""
    rows = _rows(data_folder() / "nb201" / "nb201_v1.1_200ep.csv.gz")
    space = space_named("nb201")
    native = [space.graph(row["arch_str"]) for row in rows]
    graphs = canonical_graphs(native) if canonical else native
    labels = {
        name: np.array([float(row[column]) for row in rows])
        for name, column in (
            ("cifar10_test", "cifar10_test_acc"),
            ("cifar100_test", "cifar100_test_acc"),
            ("imagenet16_120_test", "imagenet16_test_acc"),
        )
    }
    return Target("nb201", tuple(from_graphs(graphs)), labels, _baselines("nb201", native), tuple(graphs))


def darts(canonical: bool = True) -> Target:
    """The 1,218 DARTS cells with surrogate accuracy; a cell that several files hold has their mean."""
    accuracy: defaultdict[str, list[float]] = defaultdict(list)
    proxies: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for path in sorted((data_folder() / "nb301").glob("zc_*.json")):
        content = json.loads(path.read_text())
        for cell, entry in content.get("nasbench301", content)["cifar10"].items():
            accuracy[cell].append(entry["val_accuracy"])
            for name in ("params", "flops"):
                if name in entry:
                    value = entry[name]
                    proxies[cell][name] = value["score"] if isinstance(value, dict) else value
    cells = sorted(accuracy)
    space = space_named("darts")
    native = [space.graph(ast.literal_eval(cell)) for cell in cells]
    graphs = canonical_graphs(native) if canonical else native
    published = {name: np.array([proxies[cell].get(name, np.nan) for cell in cells]) for name in ("params", "flops")}
    baselines = _baselines("darts", native) | published
    labels = {"surrogate_val": np.array([np.mean(accuracy[cell]) for cell in cells])}
    return Target("darts", tuple(from_graphs(graphs)), labels, baselines, tuple(graphs))


def darts_trained(canonical: bool = True) -> Target:
    """The 214 randomly drawn DARTS genotypes that were really trained."""
    with (data_folder() / "darts" / "darts_214_trained_cifar10.csv").open() as file:
        rows = list(csv.DictReader(file))
    space = space_named("darts")
    native = [space.graph(row["genotype"].removeprefix("GENOTYPE=")) for row in rows]
    graphs = canonical_graphs(native) if canonical else native
    labels = {"cifar10_best_test": np.array([float(row["cifar10_best_test_acc"]) for row in rows])}
    return Target("darts-214", tuple(from_graphs(graphs)), labels, _baselines("darts", native), tuple(graphs))


def _baselines(space: str, native: list[ArchitectureGraph]) -> dict[str, Values]:
    """What every number stands beside: counted sizes, of the architecture and of what it computes."""
    scores = space_named(space).structural_scores(native, canonical_graphs(native))
    return {name: np.asarray(scores[name], dtype=float) for name in ("params", "flops", "live_params")}


def source(target: Target, label: str, *, distinct: bool = False) -> Source:
    """A target's labels as a training source; `distinct` keeps one cell a function, with the mean of their labels."""
    labels = target.labels[label]
    if distinct:
        groups: defaultdict[str, list[int]] = defaultdict(list)
        for place, graph in enumerate(target.graphs):
            if graph.is_connected:
                groups[graph.digest].append(place)
        merged = np.full(len(labels), np.nan)
        for places in groups.values():
            merged[places[0]] = labels[places].mean()
        labels = merged
    return Source(f"{target.name} {label}", target.cells, labels)
