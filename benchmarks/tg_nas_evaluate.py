"""How TG-NAS ranks each space, beside what it has to beat.

    python benchmarks/tg_nas_evaluate.py [--checkpoint tg_nas] [--space nb201 --space darts]

Rows: the baselines; the prior alone; the networks alone and with the prior, as mean and standard deviation over the
members and as the ensemble. ``tg_nas_paper`` is one network, which reads native graphs.
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
from predictor.tg_nas.paper import PaperScorer

Values = NDArray[np.float64]
Rows = dict[str, list[Values]]
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


def table(target: data.Target, label: str, rows: Rows) -> list[str]:
    """All rows for one label of one space, below the baselines; a row has one score for each seed."""
    truth = target.labels[label]
    lines = [f"\n{target.name}, {label}, {len(truth):,} architectures\n", "| | " + " | ".join(COLUMNS) + " |"]
    lines.append("|---|" + "---|" * len(COLUMNS))
    baselines = {f"`{name}`": [values] for name, values in target.baselines.items() if np.isfinite(values).any()}
    for name, seeds in (baselines | rows).items():
        lines.append(line(name, [quality(values, truth) for values in seeds]))
    return lines


def rows_of_ensemble(scorer: Scorer, target: data.Target) -> Rows:
    """The prior alone, and members and ensemble without and with it."""
    rows: Rows = {"prior": [scores(scorer, "prior", slice(None), target)]}
    for part in ("network", "both"):
        members = [scores(scorer, part, slice(one, one + 1), target) for one in range(len(scorer.members))]
        rows |= {f"{part}, one member": members, f"{part}, ensemble": [scores(scorer, part, slice(None), target)]}
    return rows


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
    is_paper = arguments.checkpoint == "tg_nas_paper"
    scorer = PaperScorer.load() if is_paper else Scorer.load(arguments.checkpoint)
    sys.stdout.write(f"{scorer!r}\n")
    for name in arguments.space or SPACES:
        target = SPACES[name](canonical=not is_paper)
        if isinstance(scorer, PaperScorer):
            rows = {"`tg_nas_paper`": [scorer.score(target.graphs)]}
        else:
            rows = rows_of_ensemble(scorer, target)
        for label in target.labels:
            sys.stdout.write("\n".join(table(target, label, rows)) + "\n")


if __name__ == "__main__":
    main()
