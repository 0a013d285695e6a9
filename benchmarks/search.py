"""What a search costs and finds, on a catalog that holds nb201 with its accuracies; each command a cold process.

Example
-------
``python benchmarks/search.py catalog.duckdb``

The catalog is copied and not written. Without ``--only`` all parts run: ``nb201`` and ``darts`` (seconds and memory),
``methods`` (the methods against random search and the oracle), ``top`` (how good the best ten by tg_nas really are,
each member of the ensemble for itself), ``pruning`` (how high the score is that pruning reaches by mean embeddings, by
random completions and by all architectures of a supernet).
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from measure import circumstances, measure
from scipy.stats import kendalltau

from catalog.architecture.canonical_form import canonical_graphs
from catalog.search.job import prepare
from catalog.search.methods.problem import Budget, Candidate
from catalog.search.methods.running import search
from catalog.search.methods.space_choices import required_choices
from catalog.search.methods.supernet import Supernet
from catalog.search.request import Request
from catalog.search.scores import Objectives
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import read_cells
from catalog.tables.views import rebuild
from predictor.scoring.candidates import CandidateScorer, scores_mixtures
from predictor.tg_nas.ensemble import Scorer

TRUTH = "cifar10_test_accuracy"
PARTS = ("nb201", "darts", "methods", "top", "pruning")
BREAKINGS = 1000  # of ties, at random


def timed(database: Path, words: str, target: str) -> None:
    """One command in a process of its own."""
    run = measure([sys.executable, "-m", "catalog", *shlex.split(words), "--db", str(database)])
    if run.exit_code:
        sys.exit(f"failed: catalog {words}")
    cost = f"{run.seconds:6.2f} s wall {run.processor_seconds:6.2f} s processor {run.peak_bytes / 1e6:6.0f} MB"
    print(f"catalog {words}\n  {cost}   (target {target})", flush=True)


def compared(database: Path, seeds: int) -> None:
    """The methods with 1,000 evaluations each: their last row."""
    words = f"search-bench nb201 --budget 1000 --seeds {seeds} --format csv"
    command = [sys.executable, "-m", "catalog", *shlex.split(words), "--db", str(database)]
    print(f"catalog {words}", flush=True)
    rows = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    for row in rows:
        if row.split(",")[1] in ("evaluations", "100", "1000", ""):
            print(f"  {row}", flush=True)


def best_of_ten(database: Path) -> None:
    """The best true accuracy among the ten best by a score, ties broken at random."""
    with Store.open(database) as catalog:
        ids, cells = read_cells(catalog, "nb201", "canonical")
        frame = SpaceView.of(catalog, "nb201").frame(columns=["architecture_id", TRUTH, "params"])
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


class Whole:
    """Every cell of nb201 by one score; a supernet is worth the mean of all its cells, those without a path the worst.

    That is the value which random completions estimate.
    """

    def __init__(self, by: str) -> None:
        choices = required_choices(space_named("nb201"))
        self.native = choices.decode(np.array(list(product(*(range(count) for count in choices.counts)))))
        self.canonical = canonical_graphs(self.native)
        self.values = CandidateScorer(choices.space, [by]).score(self.native, self.canonical)[by]
        worst = np.where(np.isnan(self.values), np.nanmin(self.values), self.values)
        self._grid = worst.reshape(choices.counts)
        self._of_cell = dict(zip(map(choices.space.native_id, self.native), self.values.tolist(), strict=True))

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        """The score of each candidate's own cell."""
        space = space_named("nb201")
        return np.array([self._of_cell[space.native_id(one.graph)] for one in candidates if one.graph is not None])

    def score_supernets(self, supernets: Sequence[Supernet]) -> np.ndarray:
        """The mean over all cells of each supernet."""
        return np.array([self._grid[np.ix_(*supernet.active)].mean() for supernet in supernets])


def pruned(database: Path, seeds: int) -> None:
    """What pruning and its hybrid reach of the score itself, by each way to value a supernet; on one thread."""
    torch.set_num_threads(1)  # the batches are small
    print(f"means over {seeds} seeds; higher: cells of nb201 that score higher than the mean of the best", flush=True)
    print("space  score         method                  supernets by  best            left    higher  evals  seconds")
    with Store.open(database, mode="write", create=True) as catalog:
        for space, by in (("nb201", "tg_nas_paper"), ("darts", "tg_nas_paper"), ("nb201", "tg_nas")):
            whole = Whole(by) if space == "nb201" else None
            if whole is not None:
                print(f"{space:6} {by:13} all {len(whole.values):,} cells: {np.nanmax(whole.values):.4f}")
            for method, budget in (("pruning", None), ("prune-evolve", 1000), ("random", 1000)):
                ways = ["completions"] + ["means"] * scores_mixtures(by)
                ways += ["all cells"] * (whole is not None and method == "pruning")
                for way in ways if method != "random" else ["-"]:
                    request = Request(space, (by,), method, budget)
                    runs = [_reached(catalog, replace(request, seed=seed), way, whole) for seed in range(seeds)]
                    _print_reached(f"{space:6} {by:13} {method:23} {way:12}", np.array(runs), whole)
    _native_reading()


def _reached(catalog: Store, request: Request, way: str, whole: Whole | None) -> tuple[float, ...]:
    """Best score, score of what was visited last, evaluations, seconds."""
    problem = prepare(catalog, request).problem
    assert isinstance(problem.score, Objectives)
    score = problem.score
    score.source.scorer_of_names(score.formulas[0].names)  # reading the weights is not part of the search
    if way == "completions":
        problem = replace(problem, score=Objectives(score.source, score.formulas, score.signs))
    elif way == "all cells":
        problem = replace(problem, score=whole)
    history = search(problem, str(request.method), Budget(request.budget), request.seed)
    assert history.best is not None
    return history.best.scores[0], history.visits[-1].scores[0], history.evaluations, history.seconds


def _print_reached(title: str, runs: np.ndarray, whole: Whole | None) -> None:
    best, last, evaluations, seconds = runs.mean(axis=0)
    higher = "" if whole is None else f"{int((whole.values > best + 1e-5).sum()):6,}"
    spread = f"+- {runs[:, 0].std(ddof=1):.4f}" if len(runs) > 1 else ""
    left = f"{last:.4f}" if " pruning " in title else "-"
    print(f"{title}  {best:.4f} {spread}  {left:6}  {higher:6}  {evaluations:5.0f}  {seconds:.3f}", flush=True)


def _native_reading() -> None:
    """Whether `tg_nas` could read a native graph, where skips and nones are nodes, in place of its canonical form."""
    whole = Whole("tg_nas")
    read = Scorer.load("tg_nas").score(whole.native).mean
    live = ~np.isnan(whole.values)
    same = np.isclose(read[live], whole.values[live], atol=1e-3).mean()
    print(
        f"tg_nas of native graphs of nb201: {same:.1%} of {live.sum():,} cells score as in canonical form, Kendall tau "
        f"{kendalltau(read[live], whole.values[live])[0]:.2f}; {np.isfinite(read[~live]).sum()} of {(~live).sum()} "
        "cells without a path get a score",
        flush=True,
    )


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
        with Store.open(copy, mode="write") as catalog, catalog.transaction():
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
        if "pruning" in wanted:
            pruned(Path(folder) / "pruning.duckdb", arguments.seeds)


if __name__ == "__main__":
    main()
