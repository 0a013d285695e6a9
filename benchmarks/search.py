"""What a search costs and finds, on a catalog that holds nb201 with its accuracies; each command a cold process.

Example
-------
``python benchmarks/search.py catalog.duckdb``

The catalog is copied and not written. Without ``--only`` all four parts run: ``nb201`` and ``darts`` (seconds and
memory), ``methods`` (the methods against random search and the oracle), ``top`` (how good the best ten by tg_nas really
are, each member of the ensemble for itself).
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measure import circumstances, measure

from catalog.store import Catalog
from catalog.stored_graphs import read_cells
from catalog.views import rebuild
from predictor.tg_nas.ensemble import Scorer

TRUTH = "cifar10_test_accuracy"
PARTS = ("nb201", "darts", "methods", "top")
BREAKINGS = 1000  # of ties, at random


def timed(database: Path, words: str, target: str) -> None:
    """One command in a process of its own."""
    run = measure([sys.executable, "-m", "catalog.cli.main", *shlex.split(words), "--db", str(database)])
    if run.exit_code:
        sys.exit(f"failed: catalog {words}")
    cost = f"{run.seconds:6.2f} s wall {run.processor_seconds:6.2f} s processor {run.peak_bytes / 1e6:6.0f} MB"
    print(f"catalog {words}\n  {cost}   (target {target})", flush=True)


def compared(database: Path, seeds: int) -> None:
    """The methods with 1,000 evaluations each: their last row."""
    words = f"search-bench nb201 --budget 1000 --seeds {seeds} --format csv"
    command = [sys.executable, "-m", "catalog.cli.main", *shlex.split(words), "--db", str(database)]
    print(f"catalog {words}", flush=True)
    rows = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    for row in rows:
        if row.split(",")[1] in ("evaluations", "100", "1000", ""):
            print(f"  {row}", flush=True)


def best_of_ten(database: Path) -> None:
    """The best true accuracy among the ten best by a score, ties broken at random."""
    with Catalog.open(database) as catalog:
        ids, cells = read_cells(catalog, "nb201", "canonical")
        frame = catalog.space("nb201").frame(columns=["architecture_id", TRUTH, "params"])
    if frame["architecture_id"].to_list() != ids.tolist():
        sys.exit("the wide view and the graphs do not hold the same architectures")
    truth = frame[TRUTH].to_numpy()
    whole = Scorer.load("tg_nas")
    arrays, owners = [part.cells for part in cells], [part.rows for part in cells]
    single = [
        Scorer([member], [scale], whole.prior).score_arrays("nb201", arrays, owners).ranked_last()
        for member, scale in zip(whole.members, whole.scales, strict=True)
    ]
    means = [_mean_best(scores, truth) for scores in single]
    print(f"best {TRUTH} among the top 10 (of {np.nanmax(truth):.2f}), mean over {BREAKINGS:,} breakings of ties")
    print(f"  tg_nas, members one by one: {', '.join(f'{mean:.3f}' for mean in means)}; mean {np.mean(means):.3f}")
    print(f"  tg_nas, ensemble: {_mean_best(whole.score_arrays('nb201', arrays, owners).ranked_last(), truth):.3f}")
    print(f"  params: {_mean_best(frame['params'].to_numpy(), truth):.3f}", flush=True)


def _mean_best(scores: np.ndarray, truth: np.ndarray, count: int = 10) -> float:
    generator = np.random.default_rng(0)
    rounded = np.round(scores, 5)  # functions alike differ by the rounding of the network's arithmetic
    found = [np.nanmax(truth[np.lexsort((generator.random(len(scores)), -rounded))[:count]]) for _ in range(BREAKINGS)]
    return float(np.mean(found))


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", type=Path, help="a catalog with nb201 and its accuracies")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be repeated")
    parser.add_argument("--seeds", type=int, default=20, help="searches a method (default 20)")
    arguments = parser.parse_args()
    wanted = arguments.only or PARTS
    print(circumstances())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(arguments.database, Path(folder) / "catalog.duckdb"))
        with Catalog.open(copy, mode="write") as catalog, catalog.transaction():
            scored = "SELECT id FROM proxy WHERE name LIKE 'tg_nas%'"
            catalog.execute(f"DELETE FROM score WHERE proxy_id IN ({scored})")
            rebuild(catalog, "nb201")
        if "nb201" in wanted:
            timed(copy, "search nb201 --by tg_nas", "10 s")
        if "darts" in wanted:
            timed(
                Path(folder) / "darts.duckdb", "search darts --by tg_nas --method prune-evolve --budget 10000", "60 s"
            )
        if "methods" in wanted:
            compared(copy, arguments.seeds)
        if "top" in wanted:
            best_of_ten(copy)


if __name__ == "__main__":
    main()
