"""How `cg` ranks networks that no search space knows: forty residual networks, trained on the digits, from 15 labels.

    nice -n 19 python -m benchmarks.computation_graph_foreign --folder DIR    # trains what is missing
    python -m benchmarks.computation_graph_foreign --folder DIR --table

Width and depth of each stage are drawn at random. Each network is trained three times for four epochs on the 600 images
that the digits have for training; the truth is the mean accuracy on the 600 for testing, the label that on the 597 for
validation. ``DIR/networks.csv`` has a row a network, what is there is not trained again. The networks are stored as
``catalog ingest model`` stores a module, and, where the package onnx is, once more from ONNX files.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import kendalltau
from torch import Tensor, nn
from torch.nn.functional import relu

import catalog
from catalog.storage.store import Store
from predictor.computation_graph.predictor import ComputationGraphs, ComputationGraphsOptions
from predictor.door import Given, Labelled, Training
from predictor.networks.datasets import digits
from predictor.own_training.trainer import TrainConfig, train_module
from predictor.scoring.reading import read_given

Values = NDArray[np.float64]

COUNT, LABELS = 40, 15
SEEDS = range(10)
EPOCHS, TRAININGS = 4, 3
WIDTHS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
MOST_STAGES, MOST_BLOCKS = 3, 4
SHAPE = (1, 1, 8, 8)
SPACE, EXPORTED = "residual", "residual_onnx"
OPTIONS = ComputationGraphsOptions()
"""A file has more or fewer operators than the module that it was exported from; the encoder does not mind."""
HEADER = ("number", "widths", "depths", "parameters", "valid", "test")


class Block(nn.Module):
    """Two normalised convolutions beside a skip, which is a convolution where the shape changes."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)),
        )
        self.skip: nn.Module = nn.Identity()
        if channels != width or stride > 1:
            self.skip = nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))

    def forward(self, images: Tensor) -> Tensor:
        """The block's result."""
        return relu(self.body(images) + self.skip(images))


class ResidualNetwork(nn.Sequential):
    """A stem, stages of blocks, the second and third at half the resolution of the one before, and a classifier."""

    def __init__(self, widths: Sequence[int], depths: Sequence[int]) -> None:
        channels = widths[0]
        layers: list[nn.Module] = [nn.Conv2d(1, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for block in range(depth):
                layers.append(Block(channels, width, 2 if stage and not block else 1))
                channels = width
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def drawn(number: int) -> tuple[list[int], list[int]]:
    """Widths and depths of the stages of one of the networks."""
    random = np.random.default_rng([2302, number])
    stages = int(random.integers(1, MOST_STAGES + 1))
    return random.choice(WIDTHS, stages).tolist(), random.integers(1, MOST_BLOCKS + 1, stages).tolist()


def network(number: int, seed: int = 0) -> nn.Module:
    """One of the networks with random weights: what ``catalog ingest model`` calls."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ResidualNetwork(*drawn(number))


def trained(folder: Path) -> None:
    """Train the networks that have no row yet."""
    table = folder / "networks.csv"
    done = len(read(table)) if table.exists() else 0
    with table.open("a", newline="") as file:
        writer = csv.writer(file)
        if not done:
            writer.writerow(HEADER)
        for number in range(done, COUNT):
            found = [
                train_module(network(number, seed), digits(), epochs=EPOCHS, seed=seed, config=TrainConfig())
                for seed in range(TRAININGS)
            ]
            parameters = sum(weight.numel() for weight in network(number).parameters())
            valid, test = (np.mean([getattr(one, part) for one in found]) for part in ("valid", "test"))
            shape = ["-".join(map(str, sizes)) for sizes in drawn(number)]
            writer.writerow((number, *shape, parameters, round(float(valid), 3), round(float(test), 3)))
            file.flush()


def read(table: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def stored(path: Path, count: int = COUNT, *, exported: bool = True) -> Path:
    """A catalog file with the networks as modules and, if wanted, as ONNX files."""
    if not path.exists():
        with catalog.open(path, mode="write") as opened:
            for number in range(count):
                module = {"argument": [f"number={number}"], "input": ["x".join(map(str, SHAPE))]}
                opened.ingest("model", f"{network.__module__}:network", space=SPACE, id=f"n{number:02}", **module)
                if exported:
                    file = export(network(number), path.with_suffix(".onnx"))
                    opened.ingest("model", file, space=EXPORTED, id=f"n{number:02}")
                    file.unlink()
    return path


def export(module: nn.Module, path: Path) -> Path:
    """The ONNX file of a module as the exporter makes it by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations
        torch.onnx.export(module.eval(), (torch.zeros(SHAPE),), str(path), dynamo=False)
    return path


@dataclass(frozen=True)
class Ranking:
    """Kendall's tau on the networks without a label, and how far scores of modules and files are apart.

    Parameters
    ----------
    predicted, parameters
        Tau of the scores and of the parameters.
    apart
        The largest difference between a module's score and its file's, in deviations of the scores; NaN without files.
    """

    predicted: float
    parameters: float
    apart: float = float("nan")


def ranked(known: Networks, given: Given, files: Given | None, seed: int) -> Ranking:
    """Learn from `LABELS` of the networks, and rank the others."""
    order = np.random.default_rng(1000 + seed).permutation(len(given))
    others = order[LABELS:]
    labels = np.full(len(given), np.nan)
    labels[order[:LABELS]] = known.valid[order[:LABELS]]
    model = ComputationGraphs(OPTIONS).fit([Labelled(SPACE, given, labels)], Training(seed))
    scores = model.score(given).mean
    of_files = scores if files is None else model.score(files).mean
    apart = float("nan") if files is None else float(np.abs(of_files - scores).max() / scores.std())
    taus = (float(kendalltau(one[others], known.test[others]).statistic) for one in (scores, known.parameters))
    return Ranking(*taus, apart)


@dataclass(frozen=True)
class Networks:
    """(N,) what is known of each of the networks."""

    parameters: Values
    valid: Values
    test: Values

    @classmethod
    def read(cls, table: Path) -> Networks:
        """From a table that `trained` made."""
        rows = read(table)
        return cls(*(np.array([float(row[name]) for row in rows]) for name in ("parameters", "valid", "test")))


def rankings(known: Networks, path: Path, seeds: Sequence[int] = SEEDS) -> list[Ranking]:
    """One for each draw of labels, of the networks in a catalog file that `stored` made."""
    with Store.open(path) as store:
        given = read_given(store, SPACE, ComputationGraphs.needs)[1]
        has_files = EXPORTED in {name for (name,) in store.rows("SELECT DISTINCT space FROM architecture")}
        files = read_given(store, EXPORTED, ComputationGraphs.needs)[1] if has_files else None
        return [ranked(known, given, files, seed) for seed in seeds]


def main() -> None:
    """Train, store, rank, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    if not arguments.table:
        trained(arguments.folder)
    known = Networks.read(arguments.folder / "networks.csv")
    found = rankings(known, stored(arguments.folder / "foreign.duckdb"))
    for seed, ranking in enumerate(found):
        print(f"seed {seed}: {ranking}")
    means = np.mean([(one.predicted, one.parameters) for one in found], axis=0)
    print(
        f"tau of cg {means[0]:.3f}, of parameters {means[1]:.3f}; apart at most {max(one.apart for one in found):.4f}"
    )


if __name__ == "__main__":
    main()
