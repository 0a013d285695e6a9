"""NAS-Bench-101 modules made explicit: projections, concatenation, channels."""

from __future__ import annotations

import csv
import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from catalog.architecture.operators import VOCABULARY
from predictor.encoding.descriptors import describe
from predictor.tg_nas.nb101_modules import NAMES, module_cells, vertex_widths

OPERATORS = ("conv3x3", "conv1x1", "maxpool3x3", "input", "output")


def test_a_module_of_two_branches_and_a_shortcut() -> None:
    adjacency = np.array([[[0, 1, 1, 1], [0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]]], dtype=np.uint8)
    cells = module_cells(OPERATORS, np.array([[3, 0, 2, 4]]), adjacency)
    names = [NAMES[place] for place in cells.operators[0]]
    assert names == ["input", "conv1x1", "conv1x1", "conv1x1", "conv3x3", "maxpool3x3", "concat", "output"]
    assert sorted(zip(*np.nonzero(cells.adjacency[0]), strict=True)) == [
        (0, 1), (0, 2), (0, 3), (1, 4), (2, 5), (3, 7), (4, 6), (5, 6), (6, 7),
    ]  # fmt: skip
    assert cells.scale[0].tolist() == [1.0, 0.5, 0.5, 1.0, 0.25, 0.25, 1.0, 1.0]


def test_a_vertex_that_feeds_no_output_is_as_wide_as_the_widest_it_feeds() -> None:
    adjacency = np.zeros((1, 5, 5), dtype=np.uint8)
    for source, target in ((0, 1), (1, 2), (1, 3), (2, 4), (3, 4)):
        adjacency[0, source, target] = 1
    assert vertex_widths(adjacency)[0].tolist() == [1.0, 0.5, 0.5, 0.5, 1.0]


def test_relative_parameters_order_the_modules_as_their_real_parameters_do(data_dir: Path) -> None:
    with gzip.open(data_dir / "nb101" / "nb101_108ep_mean_test.csv.gz", "rt") as file:
        rows = [row for row in itertools.islice(csv.reader(file), 1, 4000) if row[2] == "7"]
    bits = np.frombuffer("".join(row[3] for row in rows).encode(), dtype=np.uint8).reshape(-1, 7, 7) - ord("0")
    cells = module_cells(OPERATORS, np.array([[3, *map(int, row[4]), 4] for row in rows]), bits)
    costs = np.array([fact.parameters for fact in describe(VOCABULARY[name] for name in NAMES)] + [0.0])
    relative = (costs[cells.operators] * cells.scale).sum(axis=1)
    assert spearmanr(relative, [float(row[5]) for row in rows])[0] == pytest.approx(1.0, abs=0.005)
