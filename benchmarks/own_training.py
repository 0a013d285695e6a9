"""NB201-digits: train functionally distinct NAS-Bench-201 cells on scikit-learn's digits.

python benchmarks/own_training.py lengths --cells 60                 # what the number of epochs was chosen by
python benchmarks/own_training.py run --out FOLDER --cells 2000      # stop and start again at will
python benchmarks/own_training.py ceiling --out FOLDER               # how far the seeds agree
python benchmarks/own_training.py merge --out FOLDER --table FILE    # one parquet file of all parts
python benchmarks/own_training.py company --space nb201 --cells 40   # whether a seed's result depends on the others
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch

from catalog.spaces import space_named
from catalog.spaces.nb201 import NASBench201
from catalog.tables.column_names import DIGITS_EPOCHS
from predictor.networks.datasets import digits
from predictor.own_training.generation import (
    accuracy_table,
    distinct_functions,
    generate,
    noise_ceiling,
    plan_of,
    read_parts,
)
from predictor.own_training.recipes import recipe
from predictor.own_training.trainer import TrainConfig, Training, train

# (epochs, images a minibatch, learning rate) that were compared
LENGTHS = [(1, 50, 0.1), (1, 25, 0.1), (2, 50, 0.1), (2, 50, 0.05), (2, 50, 0.02), (3, 50, 0.1), (4, 100, 0.1)]


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["lengths", "run", "ceiling", "merge", "company"])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--space", choices=["nb101", "nb201", "darts"], default="nb201")
    parser.add_argument("--epochs", type=int, default=DIGITS_EPOCHS)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.command == "lengths":
        lengths(arguments)
    elif arguments.command == "run":
        run(arguments)
    elif arguments.command == "company":
        company(arguments)
    elif arguments.command == "ceiling":
        for column in ("valid_accuracy", "test_accuracy"):
            print(column, noise_ceiling(accuracy_table(read_parts(arguments.out), column)))
    else:
        merge(arguments)


def lengths(arguments: argparse.Namespace) -> None:
    """Agreement between seeds for several lengths, on cells drawn with another seed than the table's."""
    graphs = distinct_functions(NASBench201())
    drawn = np.random.default_rng(1).permutation(len(graphs))[: arguments.cells]
    print("epochs  minibatch  rate  between seeds (test, valid)  mean  deviation of cells, of seeds  CPU s a cell")
    for epochs, batch_size, rate in LENGTHS:
        config = TrainConfig(batch_size=batch_size, learning_rate=rate)
        used = time.process_time()
        trained = [
            train(graphs[place], digits(), epochs=epochs, seeds=range(arguments.seeds), config=config)
            for place in drawn
        ]
        seconds = (time.process_time() - used) / len(trained)
        test = np.array([[one.test for one in found] for found in trained])
        valid = np.array([[one.valid for one in found] for found in trained])
        print(
            f"{epochs}  {batch_size}  {rate}  {noise_ceiling(test).between_seeds:.3f}, "
            f"{noise_ceiling(valid).between_seeds:.3f}  {test.mean():.1f}  {test.mean(axis=1).std():.2f}, "
            f"{test.std(axis=1, ddof=1).mean():.2f}  {seconds:.2f}",
            flush=True,
        )


def company(arguments: argparse.Namespace) -> None:
    """How often the result of seed 0 depends on which seeds are trained beside it and where it stands among them."""
    space = space_named(arguments.space)
    config = recipe(arguments.space, "digits")
    graphs = [graph for graph in space.sample(arguments.cells, seed=12) if graph.is_connected]
    train(graphs[0], digits(), epochs=1, seeds=(0,), config=config)  # what is done once is nobody's cost
    found: dict[tuple[int, ...], list[Training]] = {}
    print(f"{len(graphs)} cells; compared with (0, 1, 2)\nseeds  other losses  other accuracy  CPU s a cell")
    for seeds in [(0, 1, 2), (0,), (0, 0), (0, 1), (0, 3, 4, 5, 6), (1, 0), (1, 2, 0)]:
        used = time.process_time()
        trained = [train(graph, digits(), epochs=arguments.epochs, seeds=seeds, config=config) for graph in graphs]
        seconds = (time.process_time() - used) / len(graphs)
        found[seeds] = [next(one for one in several if one.seed == 0) for several in trained]
        pairs = list(zip(found[seeds], found[0, 1, 2], strict=True))
        losses = sum(one.losses != other.losses for one, other in pairs)
        accuracies = sum((one.valid, one.test) != (other.valid, other.test) for one, other in pairs)
        print(f"{seeds}  {losses}  {accuracies}  {seconds:.3f}", flush=True)


def run(arguments: argparse.Namespace) -> None:
    """Train what is missing and tell the rate."""
    plan = plan_of("nb201", "digits", epochs=arguments.epochs, seeds=range(arguments.seeds), config=TrainConfig())
    start, used = time.perf_counter(), time.process_time()
    for done, wanted in generate(arguments.out, plan, NASBench201(), count=arguments.cells):
        hours, busy = (time.perf_counter() - start) / 3600, time.process_time() - used
        print(f"{done} of {wanted} cells, {hours:.2f} h, {busy:.0f} s of CPU", flush=True)


def merge(arguments: argparse.Namespace) -> None:
    """Write the table: what can be reproduced, so no seconds, with its plan as metadata."""
    table = read_parts(arguments.out).drop("seconds", "curve").to_arrow()
    plan = " ".join((arguments.out / "plan.json").read_text().split())
    table = table.replace_schema_metadata({"plan": plan, "torch": torch.__version__})
    pq.write_table(table, arguments.table, compression="zstd")


if __name__ == "__main__":
    main()
