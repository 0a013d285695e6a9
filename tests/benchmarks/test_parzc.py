"""The benchmark of ParZC measures what is missing, and reads it as the catalog would."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import parzc, parzc_layers


def test_layers_are_measured_once_and_come_in_network_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parzc_layers, "functions", lambda: [2000, 6111])
    monkeypatch.setattr(parzc_layers, "PART", 1)
    parzc_layers.measure_layers(tmp_path, 1, math.inf)
    (first,) = (tmp_path / "layers").iterdir()
    content = first.read_bytes()
    parzc_layers.measure_layers(tmp_path, 2, math.inf)
    assert first.read_bytes() == content
    indices, layers = parzc_layers.read_layers(tmp_path, 2)
    assert indices == [2000, 6111]
    for network in range(2):
        of = layers.owner == network
        in_cells = of & (layers.repetition >= 0)
        block = layers.stage[in_cells] * 5 + layers.repetition[in_cells]
        assert np.all(np.diff(block) >= 0)
        assert np.all((np.diff(layers.node[in_cells]) > 0) | (np.diff(block) > 0))
        assert layers.role[np.flatnonzero(of)[-1]] == "classifier"
    assert np.isfinite(layers.values).all()


def test_rows_come_back_from_their_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(parzc.cases(7))
    assert len({row.key for row in rows}) < len(rows)  # what two tables show is made once
    (tmp_path / "parzc.csv").write_text(
        "functions,target,labels,seed,variant,loss,scale,channels,epochs,tested,tau,rho,top_tau,best,seconds\n"
        "7,cifar10,78,0,statistics,mse,z,64,100,5,0.5,0.6,0.1,93.5,2\n"
        "7,cifar10,78,0,statistics,warp,z,64,100,5,0.75,0.6,0.1,94.0,2\n"
    )
    first, _ = parzc.rows_of(tmp_path / "parzc.csv")
    assert first.key in {row.key for row in rows}
    parzc.print_table(tmp_path)
    assert "| z | warp | 1 | 0.250 |" in capsys.readouterr().out
