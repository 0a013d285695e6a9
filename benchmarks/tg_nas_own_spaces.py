"""Rank spaces that no benchmark has: chains, residual chains and random cells, trained here on scikit-learn's digits.

    python benchmarks/tg_nas_own_spaces.py train --folder DIR [--count 120] [--epochs 12]
    python benchmarks/tg_nas_own_spaces.py rank --folder DIR [--checkpoint tg_nas]

They have what NAS-Bench-101 and NAS-Bench-201 lack: depth from 1 to 8 operators, networks without any branch,
separable and dilated convolutions. Training stores a line an architecture and goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tg_nas_evaluate import quality

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from predictor.encoding.padded_graphs import from_graphs
from predictor.networks import build
from predictor.networks.datasets import dataset_named
from predictor.own_training.trainer import TrainConfig, train
from predictor.tg_nas.ensemble import PARTS, Scorer
from predictor.tg_nas.job import use_threads

SEEDS = (0, 1)
Generator = np.random.Generator


def chain(generator: Generator) -> ArchitectureGraph:
    """Eight places in a row, each an operator or nothing."""
    words = ("conv3x3", "conv1x1", "sep_conv_3x3", "dil_conv_3x3", "max_pool_3x3", "skip_connect", "skip_connect")
    chosen = [str(word) for word in generator.choice(words, 8)]
    edges = [(place, place + 1) for place in range(9)]
    return _architecture("chains", ["input", *chosen, "output"], edges)


def residual_chain(generator: Generator) -> ArchitectureGraph:
    """Up to eight residual blocks of one operator each."""
    words = ("conv3x3", "conv1x1", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3")
    names, edges, state = ["input"], [], 0
    for word in generator.choice(words, generator.integers(1, 9)):
        block = len(names)
        names += [str(word), "sum"]
        edges += [(state, block), (block, block + 1), (state, block + 1)]
        state = block + 1
    return _architecture("residual-chains", [*names, "output"], [*edges, (state, len(names))])


def random_cell(generator: Generator) -> ArchitectureGraph:
    """Two to six operators with one or two random inputs each; loose ends are added up."""
    words = ("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5", "avg_pool_3x3", "max_pool_3x3", "conv3x3")
    count = int(generator.integers(2, 7))
    names = ["input", *(str(word) for word in generator.choice(words, count)), "output"]
    edges: set[tuple[int, int]] = set()
    for node in range(1, count + 1):
        inputs = min(node, int(generator.integers(1, 3)))
        edges |= {(int(source), node) for source in generator.choice(node, inputs, replace=False)}
    loose = set(range(1, count + 1)) - {source for source, _ in edges}
    return _architecture("random-cells", names, sorted(edges | {(node, count + 1) for node in loose}))


def _architecture(space: str, names: list[str], edges: list[tuple[int, int]]) -> ArchitectureGraph:
    return ArchitectureGraph(space, (CellGraph.build("cell", names, edges),))


SPACES: dict[str, Callable[[Generator], ArchitectureGraph]] = {
    "chains": chain,
    "residual-chains": residual_chain,
    "random-cells": random_cell,
}


def drawn(space: str, count: int) -> list[ArchitectureGraph]:
    """`count` functionally distinct architectures that compute something; one seed, so always the same."""
    generator = np.random.default_rng(0)
    found: dict[str, ArchitectureGraph] = {}
    while len(found) < count:
        graph = SPACES[space](generator)
        canonical = graph.canonical
        if canonical.cells[0].node_count > 2:
            found.setdefault(canonical.digest_as_is(), graph)
    return list(found.values())


def train_spaces(folder: Path, count: int, epochs: int) -> None:
    """Train what `folder` does not hold yet, the spaces in turns."""
    folder.mkdir(parents=True, exist_ok=True)
    dataset = dataset_named("digits")
    graphs = {space: drawn(space, count) for space in SPACES}
    for place in range(count):
        for space in SPACES:
            path = folder / f"{space}.jsonl"
            done = len(path.read_text().splitlines()) if path.exists() else 0
            if place < done:
                continue
            found = train(graphs[space][place], dataset, epochs=epochs, seeds=SEEDS, config=TrainConfig())
            with path.open("a") as file:
                accuracies = [(one.valid + one.test) / 2 for one in found]
                file.write(json.dumps({"epochs": epochs, "accuracies": accuracies}) + "\n")
        sys.stderr.write(f"{place + 1} of {count}\n")


def read(folder: Path, space: str) -> tuple[list[ArchitectureGraph], NDArray[np.float64]]:
    """The trained architectures of a space and their accuracies (architectures, seeds)."""
    lines = (folder / f"{space}.jsonl").read_text().splitlines()
    return drawn(space, len(lines)), np.array([json.loads(line)["accuracies"] for line in lines])


def rank(folder: Path, checkpoint: str) -> None:
    """Print how each part of the predictor ranks each space, beside params and the agreement of the seeds."""
    scorers = {part: Scorer.load(checkpoint, part=part) for part in PARTS}
    for space in SPACES:
        graphs, accuracies = read(folder, space)
        truth = accuracies.mean(axis=1)
        canonical = canonical_graphs(graphs)
        rows = {"params": np.array([_parameters(graph) for graph in canonical])}
        for part, scorer in scorers.items():
            rows[part] = scorer.score_batches(from_graphs(canonical), len(canonical)).mean
        rows["first seed against the second"] = accuracies[:, 0]
        sys.stdout.write(f"\n{space}, {len(truth)} architectures\n\n| | tau | rho |\n|---|---|---|\n")
        for name, scores in rows.items():
            against = accuracies[:, 1] if name.startswith("first") else truth
            sys.stdout.write(f"| {name} | {quality(scores, against)[0]:.3f} | {quality(scores, against)[1]:.3f} |\n")


def _parameters(graph: ArchitectureGraph) -> float:
    return float(sum(parameter.numel() for parameter in build(graph).parameters()))


def main() -> None:
    """Train or rank."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("train", "rank"))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--count", type=int, default=120)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--checkpoint", default="tg_nas")
    arguments = parser.parse_args()
    use_threads(1)
    if arguments.step == "train":
        train_spaces(arguments.folder, arguments.count, arguments.epochs)
    else:
        rank(arguments.folder, arguments.checkpoint)


if __name__ == "__main__":
    main()
