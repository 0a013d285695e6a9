"""How TG-NAS ranks each space, beside what it has to beat.

    python benchmarks/tg_nas_evaluate.py [--checkpoint tg_nas] [--space nb201 --space darts]

Rows: the baselines; the prior alone; the networks alone and with the prior, as mean and standard deviation over the
members and as the ensemble.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import tg_nas_data as data
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr

from predictor.tg_nas.ensemble import Scorer
from predictor.tg_nas.job import use_threads

Values = NDArray[np.float64]
SPACES = {"nb201": data.nb201, "darts": data.darts, "darts-214": data.darts_trained}
COLUMNS = ("tau", "rho", "top-10% tau", "regret@1", "regret@10", "regret@100")


def quality(scores: Values, truth: Values) -> tuple[float, ...]:
    """Kendall tau-b, Spearman rho, tau inside the true top 10 %, regret of the best of the top 1, 10 and 100."""
    usable = np.isfinite(scores) & np.isfinite(truth)
    scores, truth = scores[usable], truth[usable]
    top = truth >= np.quantile(truth, 0.9)
    order = np.argsort(-scores, kind="stable")
    regrets = (float(truth.max() - truth[order[:count]].max()) for count in (1, 10, 100))
    return (
        float(kendalltau(scores, truth)[0]),
        float(spearmanr(scores, truth)[0]),
        float(kendalltau(scores[top], truth[top])[0]),
        *regrets,
    )


def line(name: str, rows: list[tuple[float, ...]]) -> str:
    """One row of a Markdown table: mean, and the standard deviation where there are several."""
    values = np.array(rows)
    spread = values.std(axis=0, ddof=1) if len(values) > 1 else None
    cells = [
        f"{mean:.3f}" if spread is None else f"{mean:.3f} ± {spread[place]:.3f}"
        for place, mean in enumerate(values.mean(axis=0))
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def table(target: data.Target, label: str, scorer: Scorer) -> list[str]:
    """All rows for one label of one space."""
    truth = target.labels[label]
    lines = [f"\n{target.name}, {label}, {len(truth):,} architectures\n", "| | " + " | ".join(COLUMNS) + " |"]
    lines.append("|---|" + "---|" * len(COLUMNS))
    for name, values in target.baselines.items():
        if np.isfinite(values).any():
            lines.append(line(f"`{name}`", [quality(values, truth)]))
    for part in ("prior", "network", "both"):
        ensemble = scores(scorer, part, slice(None), target)
        if part != "prior":
            members = [scores(scorer, part, slice(one, one + 1), target) for one in range(len(scorer.members))]
            lines.append(line(f"{part}, one member", [quality(member, truth) for member in members]))
        lines.append(line(part if part == "prior" else f"{part}, ensemble", [quality(ensemble, truth)]))
    return lines


def scores(scorer: Scorer, part: str, chosen: slice, target: data.Target) -> Values:
    """Scores by some members; what computes nothing ranks last."""
    some = Scorer(scorer.members[chosen], scorer.scales[chosen], scorer.prior, part=part)
    return some.score_batches(target.cells, len(target)).ranked_last()


def main() -> None:
    """Print one Markdown table a label."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="tg_nas")
    parser.add_argument("--space", action="append", choices=tuple(SPACES))
    arguments = parser.parse_args()
    use_threads(1)
    scorer = Scorer.load(arguments.checkpoint)
    sys.stdout.write(f"{scorer!r}\n")
    for name in arguments.space or SPACES:
        target = SPACES[name]()
        for label in target.labels:
            sys.stdout.write("\n".join(table(target, label, scorer)) + "\n")


if __name__ == "__main__":
    main()
