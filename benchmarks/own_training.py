"""NB201-digits: train functionally distinct NAS-Bench-201 cells on scikit-learn's digits.

python benchmarks/own_training.py run --out FOLDER --cells 2000      # stop and start again at will
python benchmarks/own_training.py ceiling --out FOLDER               # how far the seeds agree
python benchmarks/own_training.py merge --out FOLDER --table FILE    # one parquet file of all parts
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from catalog.spaces.nb201 import NASBench201
from predictor.own_training.generation import accuracy_table, generate, noise_ceiling, plan_of, read_parts
from predictor.own_training.trainer import TrainConfig

EPOCHS = 2  # chosen by the agreement between seeds, see docs/proxies.md


def main() -> None:
    """Run one of the three commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "ceiling", "merge"])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--cells", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.command == "run":
        run(arguments)
    elif arguments.command == "ceiling":
        for column in ("valid_accuracy", "test_accuracy"):
            print(column, noise_ceiling(accuracy_table(read_parts(arguments.out), column)))
    else:
        # Seconds tell about one machine at one moment; the table holds what can be reproduced.
        read_parts(arguments.out).drop("seconds").write_parquet(arguments.table, compression="zstd")


def run(arguments: argparse.Namespace) -> None:
    """Train what is missing and tell the rate."""
    plan = plan_of("nb201", "digits", epochs=arguments.epochs, seeds=range(arguments.seeds), config=TrainConfig())
    start, used = time.perf_counter(), time.process_time()
    for done, wanted in generate(arguments.out, plan, NASBench201(), count=arguments.cells):
        hours, busy = (time.perf_counter() - start) / 3600, time.process_time() - used
        print(f"{done} of {wanted} cells, {hours:.2f} h, {busy:.0f} s of CPU", flush=True)


if __name__ == "__main__":
    main()
