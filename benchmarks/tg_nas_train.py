"""Train the ensembles that come with the package.

python benchmarks/tg_nas_train.py tg_nas [--out DIR] [--seeds 5] [--threads 1]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import tg_nas_data as data

from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.job import train_ensemble, use_threads

WEIGHTS = Path(__file__).resolve().parents[1] / "predictor" / "tg_nas" / "weights"


def main() -> None:
    """Train one checkpoint and print its card's held-out scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=("tg_nas", "tg_nas_multi"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    use_threads(arguments.threads)
    sources = [data.source(data.nb101(), "cifar10_test")]
    if arguments.name == "tg_nas_multi":
        sources.append(data.source(data.nb201(), "cifar10_test", distinct=True))

    def progress(seed: int, step: int, steps: int, loss: float) -> None:
        if step % 100 == 0 or step == steps:
            sys.stderr.write(f"seed {seed}: step {step} of {steps}, loss {loss:.3f}\n")

    out = arguments.out or WEIGHTS / arguments.name
    card = train_ensemble(sources, TGNASConfig(), range(arguments.seeds), out, progress=progress)
    sys.stdout.write(f"{out}\n{card['held_out']}\nseconds a member: {card['seconds_per_member']}\n")


if __name__ == "__main__":
    main()
