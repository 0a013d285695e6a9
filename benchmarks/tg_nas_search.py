"""The paper's search, pruning and then evolution, by TG-NAS and by what it has to beat.

    python -m benchmarks.tg_nas_search nb201|darts|ofa [--by tg_nas --by params] [--seeds 5] [--budget 1000]

On NAS-Bench-201 the answer is judged by its test accuracies on all three data sets; on DARTS by its size as the network
of 14 cells and 48 channels for ImageNet, and on once-for-all by what it costs: there it is not trained. Seconds are of
the search on one thread, without reading weights.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.protocol.spaces import data_folder
from catalog.architecture.computation.sized import SizedNetworks
from catalog.architecture.graph import ArchitectureGraph
from catalog.search.job import prepare
from catalog.search.methods.problem import Budget
from catalog.search.methods.running import search
from catalog.search.request import Request
from catalog.search.scores import Objectives
from catalog.spaces import space_named
from catalog.storage.store import Store

SCORES = ("random", "params", "root_macs", "tg_nas_paper", "tg_nas", "tg_nas_universal")
COLUMNS = ("cifar10_test_acc", "cifar100_test_acc", "imagenet16_test_acc")

Judge = Callable[[ArchitectureGraph], Sequence[float]]


def found_by(by: str, space: str, budget: int, seed: int) -> tuple[ArchitectureGraph, float, int]:
    """The best architecture that one search finds, its seconds and its evaluations."""
    method = "random" if by == "random" else "prune-evolve"
    request = Request(space, ("params" if by == "random" else by,), method, 1 if by == "random" else budget, seed=seed)
    with (
        tempfile.TemporaryDirectory() as folder,
        Store.open(Path(folder) / "search.duckdb", mode="write", create=True) as store,
    ):
        problem = prepare(store, request).problem
        assert isinstance(problem.score, Objectives)
        problem.score.source.scorer_of_names(problem.score.formulas[0].names)  # reads the weights
        history = search(problem, method, Budget(request.budget), seed)
    assert history.best is not None
    assert history.best.candidate.graph is not None
    return history.best.candidate.graph, history.seconds, history.evaluations


def accuracies() -> Judge:
    """The three test accuracies of a cell of NAS-Bench-201."""
    with gzip.open(data_folder() / "nb201" / "nb201_v1.1_200ep.csv.gz", "rt") as file:
        known = {row["arch_str"]: [float(row[column]) for column in COLUMNS] for row in csv.DictReader(file)}
    space = space_named("nb201")
    return lambda graph: known[space.native_id(graph)]


def imagenet_size(graph: ArchitectureGraph) -> Sequence[float]:
    """Millions of parameters of the paper's network for ImageNet."""
    from predictor.networks import NetworkConfig, build

    network = build(graph, NetworkConfig(imagenet=True, classes=1000, channels=48, cells=14))
    return [sum(weight.numel() for weight in network.parameters()) / 1e6]


def costs(graph: ArchitectureGraph) -> Sequence[float]:
    """Millions of parameters, and of multiply-accumulates."""
    facts = SizedNetworks(graph.vocabulary).facts(graph)
    return [(facts.parameters or 0) / 1e6, (facts.multiply_accumulates or 0) / 1e6]


JUDGES: dict[str, tuple[tuple[str, ...], Callable[[], Judge]]] = {
    "nb201": (("CIFAR-10", "CIFAR-100", "ImageNet16-120"), accuracies),
    "darts": (("M parameters at 14 cells, 48 channels",), lambda: imagenet_size),
    "ofa": (("M parameters", "M multiply-accumulates"), lambda: costs),
}


def lines(space: str, scores: Sequence[str], budget: int, seeds: int) -> Iterator[str]:
    """One row a score, and below the table what the first seed found."""
    titles, make = JUDGES[space]
    judge, first = make(), []
    yield f"| {space}, by | " + " | ".join(titles) + " | evaluations | seconds |"
    yield "|---|" + "---|" * (len(titles) + 2)
    for by in scores:
        runs = [found_by(by, space, budget, seed) for seed in range(seeds)]
        judged = np.array([judge(graph) for graph, _, _ in runs])
        cells = [
            f"{mean:.2f} ± {spread:.2f}"
            for mean, spread in zip(judged.mean(axis=0), judged.std(axis=0, ddof=min(1, seeds - 1)), strict=True)
        ]
        evaluations, seconds = np.mean([run[2] for run in runs]), np.mean([run[1] for run in runs])
        yield f"| `{by}` | " + " | ".join(cells) + f" | {evaluations:.0f} | {seconds:.1f} |"
        first.append(f"* `{by}`: `{space_named(space).native_id(runs[0][0])}`")
    yield ""
    yield from first


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("space", choices=tuple(JUDGES))
    parser.add_argument("--by", action="append")
    parser.add_argument("--budget", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for line in lines(arguments.space, arguments.by or SCORES, arguments.budget, arguments.seeds):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
