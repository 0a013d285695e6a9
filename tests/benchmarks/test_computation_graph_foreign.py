"""Forty networks that no space knows: `cg` ranks them from 15 labels at least as well as their parameters do.

The accuracies in foreign_networks.csv are those that ``python -m benchmarks.computation_graph_foreign`` trained.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.computation_graph_foreign import COUNT, Networks, drawn, network, rankings, read, stored

TABLE = Path(__file__).parent / "foreign_networks.csv"


def test_the_table_is_of_the_networks_that_are_drawn() -> None:
    rows = read(TABLE)
    assert len(rows) == COUNT
    for number, row in enumerate(rows):
        assert [row["widths"], row["depths"]] == ["-".join(map(str, sizes)) for sizes in drawn(number)]
        assert int(row["parameters"]) == sum(weight.numel() for weight in network(number).parameters())


def test_few_labels_rank_them_as_well_as_parameters_and_files_score_as_modules(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    found = rankings(Networks.read(TABLE), stored(tmp_path / "foreign.duckdb"), range(3))
    assert np.mean([one.predicted for one in found]) >= np.mean([one.parameters for one in found])
    assert max(one.apart for one in found) < 0.02
