"""The structural prior on parts of NAS-Bench-101, each with something of a new space in it.

    python benchmarks/tg_nas_parts.py [--checkpoint tg_nas]

Nothing of the prior is trained, so no part has to be held out. Prints Kendall tau on every part, and their mean, for
the prior and beside it parameters; what the parts are for is in docs/tg_nas_protocol.md.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys

import numpy as np
import tg_nas_data as data
from numpy.typing import NDArray
from scipy.stats import kendalltau

from predictor.encoding.structural_prior import terms_of
from predictor.tg_nas.ensemble import Scorer

Values = NDArray[np.float64]
Places = NDArray[np.intp]

LARGEST, LARGEST_OF_ONE_SET = 2_000, 1_000
WIRINGS, FEWEST_LABELINGS = 40, 150


class Parts:
    """The fifteen parts; two of them are the mean over many small groups.

    Parameters
    ----------
    source
        All of NAS-Bench-101.
    """

    def __init__(self, source: data.Target) -> None:
        self.accuracy = source.labels["cifar10_test"]
        with gzip.open(data.data_folder() / "nb101" / "nb101_108ep_mean_test.csv.gz", "rt") as file:
            rows = list(csv.reader(file))[1:]
        self._generator = np.random.default_rng(0)
        self.groups = self._of_one_kind(rows) | self._of_one_wiring_or_set(rows)

    def _of_one_kind(self, rows: list[list[str]]) -> dict[str, list[Places]]:
        vertices = np.array([int(row[2]) for row in rows])
        joined, direct, ways = (np.empty(len(rows), dtype=int) for _ in range(3))
        for size in np.unique(vertices).tolist():
            chosen = np.flatnonzero(vertices == size)
            matrices = np.array([list(rows[place][3]) for place in chosen], dtype=int).reshape(-1, size, size)
            joined[chosen], direct[chosen] = matrices[:, 1:-1, -1].sum(axis=1), matrices[:, 0, -1]
            ways[chosen] = _paths(matrices)
        words = [row[4] for row in rows]
        pools = np.array([word.count("2") for word in words])
        kinds = {f"{count} to the output": joined == count for count in range(1, 5)}
        kinds |= {
            "single chain": ways == 1,
            "no pool": pools == 0,
            "three pools and more": pools >= 3,
            "input to output": direct == 1,
            "no input to output": direct == 0,
            "up to five vertices": vertices <= 5,
            "six vertices": vertices == 6,
            "3x3 only": np.array([set(word) == {"0"} for word in words]),
            "1x1 only": np.array([set(word) == {"1"} for word in words]),
        }
        return {name: [self._drawn(np.flatnonzero(chosen), LARGEST)] for name, chosen in kinds.items()}

    def _of_one_wiring_or_set(self, rows: list[list[str]]) -> dict[str, list[Places]]:
        _, wiring, labelings = np.unique([row[3] for row in rows], return_inverse=True, return_counts=True)
        chosen = self._generator.choice(np.flatnonzero(labelings >= FEWEST_LABELINGS), WIRINGS, replace=False)
        _, operators, sizes = np.unique(
            ["".join(sorted(row[4])) for row in rows], return_inverse=True, return_counts=True
        )
        sets = np.flatnonzero(sizes >= LARGEST_OF_ONE_SET)
        return {
            "one wiring": [np.flatnonzero(wiring == one) for one in chosen],
            "one set of operators": [self._drawn(np.flatnonzero(operators == one), LARGEST_OF_ONE_SET) for one in sets],
        }

    def _drawn(self, places: Places, most: int) -> Places:
        return np.sort(self._generator.choice(places, min(most, len(places)), replace=False))

    def taus(self, scores: Values) -> dict[str, float]:
        """Kendall tau on each part; a group that the scores do not tell apart at all counts 0."""
        return {
            name: float(np.mean([np.nan_to_num(kendalltau(scores[one], self.accuracy[one])[0]) for one in groups]))
            for name, groups in self.groups.items()
        }

    def mean(self, scores: Values) -> float:
        """Mean tau over the parts."""
        return float(np.mean(list(self.taus(scores).values())))


def _paths(matrices: NDArray[np.int_]) -> NDArray[np.int_]:
    """Paths from the first to the last vertex of each matrix (upper triangular)."""
    found = np.zeros(matrices.shape[:2], dtype=int)
    found[:, 0] = 1
    for vertex in range(1, matrices.shape[1]):
        found[:, vertex] = (found[:, :vertex] * matrices[:, :vertex, vertex]).sum(axis=1)
    return found[:, -1]


def main() -> None:
    """Print one Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", default="tg_nas")
    arguments = parser.parse_args()
    source = data.nb101()
    parts = Parts(source)
    columns = {
        "`params`": source.baselines["params"],
        "prior": Scorer.load(arguments.checkpoint).prior.score(terms_of(source.cells, len(source))),
    }
    taus = {name: parts.taus(scores) for name, scores in columns.items()}
    lines = ["| part | groups | architectures | " + " | ".join(taus) + " |", "|---|---|---|" + "---|" * len(taus)]
    for name, groups in parts.groups.items():
        found = " | ".join(f"{one[name]:.3f}" for one in taus.values())
        lines.append(f"| {name} | {len(groups)} | {sum(len(group) for group in groups):,} | {found} |")
    means = " | ".join(f"{np.mean(list(one.values())):.3f}" for one in taus.values())
    sys.stdout.write("\n".join([*lines, f"| mean | | | {means} |"]) + "\n")


if __name__ == "__main__":
    main()
