"""Train the released recipe on NAS-Bench-101, its epoch chosen on held-out graphs.

    python benchmarks/tg_nas_paper.py [--epochs 100] [--graphs N] [--out DIR]

The released schedule is 423,624 graphs and 100 epochs, about half an hour of one core.
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

from catalog.architecture.cell_arrays import CellArrays
from predictor.tg_nas.job import use_threads
from predictor.tg_nas.paper import PaperConfig, PaperGraphs, PaperScorer, encode, feature_table, train_paper

WEIGHTS = Path(__file__).resolve().parents[1] / "predictor" / "tg_nas" / "weights" / "tg_nas_paper"


def modules() -> tuple[PaperGraphs, np.ndarray, str]:
    """Every NAS-Bench-101 module in the released encoding, its accuracy as a fraction, and the table's sha256."""
    path = data.data_folder() / "nb101" / "nb101_108ep_mean_test.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = list(csv.reader(file))[1:]
    graphs, accuracy = [], []
    for vertices in sorted({int(row[2]) for row in rows}):
        group = [row for row in rows if int(row[2]) == vertices]
        bits = np.frombuffer("".join(row[3] for row in group).encode(), dtype=np.uint8) - ord("0")
        operators = np.array([[3, *map(int, row[4]), 4] for row in group], dtype=np.int16)
        arrays = CellArrays("module", data.MODULE_OPERATORS, operators, bits.reshape(-1, vertices, vertices))
        graphs.append(encode(arrays))
        accuracy.extend(float(row[6]) for row in group)
    merged = PaperGraphs(
        np.concatenate([one.rows for one in graphs]), np.concatenate([one.adjacency for one in graphs])
    )
    return merged, np.array(accuracy), hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Train, save and print the held-out course."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=PaperConfig.graphs)
    parser.add_argument("--epochs", type=int, default=PaperConfig.epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    arguments = parser.parse_args()
    use_threads(1)
    graphs, accuracy, digest = modules()
    table = feature_table(data.MODULE_OPERATORS)
    config = PaperConfig(graphs=arguments.graphs, epochs=arguments.epochs)

    def progress(epoch: int, loss: float, tau: float) -> None:
        sys.stderr.write(f"epoch {epoch}: loss {loss:.5f}, held-out tau {tau:.3f}\n")

    network, facts = train_paper(graphs, accuracy, table, config, arguments.seed, progress=progress)
    source = {"name": "nb101 cifar10_test", "sha256": digest, "architectures": len(accuracy)}
    PaperScorer(network, {**facts, "sources": [source]}).save(arguments.out)
    sys.stdout.write(f"{arguments.out}: epoch {facts['chosen_epoch']} of {arguments.epochs}\n")


if __name__ == "__main__":
    main()
