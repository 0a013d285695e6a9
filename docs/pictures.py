"""Draws the picture of the README from what `catalog demo` leaves behind: `python docs/pictures.py`, two minutes.

Left, how scores rank the accuracies of NB201-digits, as `catalog correlate` says it. Right, what a search finds that
may ask for validation accuracies one after the other (`catalog search nb201 --labels digits_valid_accuracy --budget
60`): the test accuracy of the best cell so far by validation, mean over the seeds.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import catalog

PICTURE = Path(__file__).parent / "images" / "first_hour.svg"
SHOWN = {
    "few_100": "few_100: 100 trainings seen",
    "n_skip": "number of skips",
    "path_count": "number of paths",
    "tg_nas": "TG-NAS, no training seen",
    "params": "parameters",
    "depth": "depth",
}
BUDGET = 60
METHODS = {"bayesian": "asks what it learned to expect", "random": "asks at random"}
STRONG, WEAK, INK = "#00796b", "#9aa7a5", "#37474f"


def draw_ranking(axes: Axes, c: catalog.Catalog) -> None:
    """Tau-b of each score with its 95 % interval."""
    found = c.correlate("nb201", "digits_test_accuracy", list(SHOWN)).with_intervals
    rows = {row["proxy"]: row for row in found.to_dicts()}
    for place, name in enumerate(reversed(SHOWN)):
        row = rows[name]
        tau, low, high = row["kendall_tau"], row["kendall_tau_low"], row["kendall_tau_high"]
        axes.barh(place, tau, color=STRONG if name == "few_100" else WEAK, height=0.62)
        axes.errorbar(tau, place, xerr=[[tau - low], [high - tau]], color=INK, capsize=2.5, linewidth=1)
        axes.annotate(f"{tau:.2f}", (max(high, 0) + 0.02, place), va="center", color=INK)
    axes.set_yticks(range(len(SHOWN)), list(reversed(SHOWN.values())))
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlim(-0.34, 0.8)
    axes.set_xlabel("Kendall tau-b with the test accuracy, and 95 % interval")
    axes.set_title("Which score ranks 1,899 trained cells?", loc="left")


def curves(c: catalog.Catalog, method: str, seeds: Sequence[int]) -> np.ndarray:
    """Test accuracy of the best so far by validation, (seeds, BUDGET)."""
    # What was asked stands for all cells that compute the same; one of them was trained.
    sql = f"""
        SELECT v."values"[1] AS valid, twins.test FROM search_visit AS v JOIN nb201 USING (architecture_id)
        JOIN (SELECT canonical_digest, avg(digits_test_accuracy) AS test FROM nb201 GROUP BY ALL) AS twins
        USING (canonical_digest) WHERE run_id = {{}} ORDER BY evaluation LIMIT {BUDGET}
    """
    found = []
    for seed in seeds:
        run = c.search("nb201", labels="digits_valid_accuracy", method=method, budget=BUDGET, seed=seed).run_id
        visits = c.query(sql.format(run))
        valid, test = visits["valid"].to_numpy(), visits["test"].to_numpy()
        best = [int(np.argmax(valid[: count + 1])) for count in range(len(valid))]
        found.append(test[best])
    return np.array(found)


def draw_searches(axes: Axes, c: catalog.Catalog, seeds: Sequence[int]) -> None:
    """Both methods, mean over seeds with its standard error."""
    trainings = np.arange(1, BUDGET + 1)
    for method, label in METHODS.items():
        reached = curves(c, method, seeds)  # (seeds, BUDGET)
        mean, error = reached.mean(axis=0), reached.std(axis=0) / np.sqrt(len(seeds))
        color = STRONG if method == "bayesian" else WEAK
        axes.plot(trainings, mean, color=color, linewidth=2, label=label)
        axes.fill_between(trainings, mean - error, mean + error, color=color, alpha=0.25, linewidth=0)
    best = c.top("nb201", "digits_test_accuracy", k=1)["digits_test_accuracy"].item()
    axes.axhline(best, color=INK, linewidth=1, linestyle=":")
    axes.annotate("the best of the 2,000", (BUDGET, best), ha="right", va="bottom", color=INK)
    axes.set_xlim(1, BUDGET)
    axes.set_ylim(89.5, best + 0.6)
    axes.set_xlabel("cells trained so far")
    axes.set_ylabel("test accuracy of the best so far, %")
    axes.set_title("How many trainings until a good cell is found?", loc="left")
    axes.legend(loc="lower right", frameon=False)


def main() -> None:
    """Draw on a copy, so that the demo's file stays as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", type=Path, default=Path("demo/catalog.duckdb"))
    parser.add_argument("--out", type=Path, default=PICTURE)
    parser.add_argument("--seeds", type=int, default=10)
    asked = parser.parse_args()
    mpl.rcParams |= {"font.size": 9.5, "axes.titlesize": 11, "svg.hashsalt": "catalog", "svg.fonttype": "path"}
    figure = Figure(figsize=(11, 3.6), layout="constrained", facecolor="white")
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    with tempfile.TemporaryDirectory() as folder, catalog.open(shutil.copy(asked.db, folder), mode="write") as c:
        draw_ranking(left, c)
        draw_searches(right, c, range(asked.seeds))
    figure.savefig(asked.out, metadata={"Date": None})


if __name__ == "__main__":
    main()
