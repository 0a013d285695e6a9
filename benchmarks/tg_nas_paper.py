"""Train the released recipe, its epoch chosen on held-out graphs of what it is trained on.

    python benchmarks/tg_nas_paper.py [--epochs 100] [--graphs N] [--out DIR]
    python benchmarks/tg_nas_paper.py --with-nb201 --epochs 10 --out DIR

The released schedule is 423,624 graphs and 100 epochs, about half an hour of one core. `--with-nb201` is the paper's
model for DARTS: NAS-Bench-101 and the cells of NAS-Bench-201, labelled by all three data sets.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np
import tg_nas_data as data
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from predictor.tg_nas.job import use_threads
from predictor.tg_nas.paper import (
    SMALLEST,
    PaperConfig,
    PaperGraphs,
    PaperScorer,
    encode,
    feature_table,
    first_cells,
    train_paper,
)

WEIGHTS = Path(__file__).resolve().parents[1] / "predictor" / "tg_nas" / "weights" / "tg_nas_paper"
MODULES_ARE = data.MODULE_OPERATORS
MODULES = 423_624
CELLS = 15_625

Values = NDArray[np.float64]


def modules(smallest: int = SMALLEST) -> tuple[PaperGraphs, Values, str]:
    """Every NAS-Bench-101 module in the released encoding, its accuracy as a fraction, and the table's sha256."""
    path = data.data_folder() / "nb101" / "nb101_108ep_mean_test.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))[1:]
    graphs, accuracy = [], []
    for vertices in sorted({int(row[2]) for row in rows}):
        group = [row for row in rows if int(row[2]) == vertices]
        bits = np.frombuffer("".join(row[3] for row in group).encode(), dtype=np.uint8) - ord("0")
        operators = np.array([[3, *map(int, row[4]), 4] for row in group], dtype=np.int16)
        arrays = CellArrays("module", MODULES_ARE, operators, bits.reshape(-1, vertices, vertices))
        graphs.append(encode(arrays, smallest))
        accuracy.extend(float(row[6]) for row in group)
    return PaperGraphs.joined(graphs), np.array(accuracy), hashlib.sha256(path.read_bytes()).hexdigest()


def two_sources(count: int, seed: int, cells: int = CELLS) -> tuple[PaperGraphs, Values, tuple[str, ...]]:
    """`count` random modules and `cells` cells of NAS-Bench-201, their labels, and the operators that rows index.

    Modules are padded to the eight nodes of a cell, so that one batch holds both. The paper adds cells "with combined
    normalised accuracies" and says no more; here the label of a cell is the mean over the three data sets of the
    standard score of its test accuracy, brought to the mean and deviation of the modules' labels.
    """
    target = data.nb201(canonical=False)
    arrays = CellArrays.of(first_cells(target.graphs))
    names = tuple(dict.fromkeys((*MODULES_ARE, *arrays.vocabulary)))
    found, accuracy, _ = modules(arrays.operators.shape[1])
    chosen = np.sort(np.random.default_rng([seed, 3]).permutation(len(found))[:count])
    standard = np.mean([(one - one.mean()) / one.std() for one in target.labels.values()], axis=0)
    labels = accuracy.mean() + accuracy.std() * standard / standard.std()
    some = np.sort(np.random.default_rng([seed, 4]).permutation(len(labels))[:cells])
    parts = [
        _renamed(found.taken(chosen), MODULES_ARE, names),
        _renamed(encode(arrays).taken(some), arrays.vocabulary, names),
    ]
    return PaperGraphs.joined(parts), np.concatenate([accuracy[chosen], labels[some]]), names


def _renamed(graphs: PaperGraphs, own: tuple[str, ...], names: tuple[str, ...]) -> PaperGraphs:
    """The same graphs with rows that index `names`, padding and the global node behind them."""
    place = np.array([*(names.index(name) for name in own), len(names), len(names) + 1])
    return PaperGraphs(place[graphs.rows], graphs.adjacency)


def main() -> None:
    """Train, save and print the held-out course."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=PaperConfig.graphs)
    parser.add_argument("--epochs", type=int, default=PaperConfig.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--with-nb201", action="store_true")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    if arguments.with_nb201 and arguments.out == WEIGHTS:
        parser.error("--with-nb201 trains another model than the one that ships; give --out")
    use_threads(1)
    sources = ["nb101 cifar10_test", *(["nb201, mean of three data sets"] if arguments.with_nb201 else [])]
    if arguments.with_nb201:
        graphs, accuracy, names = two_sources(arguments.graphs, arguments.seed)
        facts = [{"name": name} for name in sources]
    else:
        graphs, accuracy, digest = modules()
        names = MODULES_ARE
        facts = [{"name": sources[0], "sha256": digest, "architectures": len(accuracy)}]
    config = PaperConfig(graphs=len(graphs) if arguments.with_nb201 else arguments.graphs, epochs=arguments.epochs)

    def progress(epoch: int, loss: float, tau: float) -> None:
        sys.stderr.write(f"epoch {epoch}: loss {loss:.5f}, held-out tau {tau:.3f}\n")

    table = feature_table(names)
    network, found = train_paper(graphs, accuracy, table, config, arguments.seed, progress=progress)
    PaperScorer(network, {**found, "sources": facts}).save(arguments.out)
    sys.stdout.write(f"{arguments.out}: epoch {found['chosen_epoch']} of {arguments.epochs}\n")


if __name__ == "__main__":
    main()
