"""Computation graphs of stored architectures: in batches of arrays, as a table and drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import catalog
from catalog.architecture.computation.arrays import NONE
from catalog.errors import UsageError
from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog

DEAD = "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("computation") / "catalog.duckdb"
    with catalog.open(path, mode="write") as opened:
        opened.spaces(enumerate="nb201")
    return path


def test_batches_come_in_the_order_that_was_asked_for(filled: Path) -> None:
    wanted = [6111, 0, DEAD, 6111, 15624]
    with catalog.open(filled) as opened:
        batches = list(opened.computation_graphs("nb201", wanted, batch_size=2))
        rows = opened.lookup(wanted, "nb201", columns=["architecture_id", "live_params", "live_flops"])
    assert [len(batch) for batch in batches] == [2, 2, 1]
    assert [number for batch in batches for number in batch.ids] == rows["architecture_id"].to_list()
    parameters = np.concatenate([batch.totals()[0] for batch in batches])
    alive = np.array([True, True, False, True, True])
    assert parameters[alive].tolist() == rows["live_params"].to_numpy()[alive].tolist()
    assert parameters[2] == 0
    costs = np.concatenate([batch.totals()[1] for batch in batches])
    assert (costs[alive] + 10).tolist() == rows["live_flops"].to_numpy()[alive].tolist()


def test_the_whole_space_in_both_forms(filled: Path) -> None:
    with catalog.open(filled) as opened:
        short, whole = (
            next(opened.computation_graphs("nb201", fuse=fuse, compress=fuse, batch_size=300)) for fuse in (True, False)
        )
    assert short.ids.tolist() == whole.ids.tolist()
    for fused_total, total in zip(short.totals(), whole.totals(), strict=True):
        np.testing.assert_array_equal(fused_total, total)
    assert (whole.nodes.repeats == 1).all()
    assert (whole.nodes.norm == NONE).all()
    assert len(short.nodes.word) * 5 < len(whole.nodes.word)


def test_show_draws_the_network(filled: Path, tmp_path: Path) -> None:
    drawing = tmp_path / "network.svg"
    answer = call_catalog("show", "nb201", "6111", "--computation", "--svg", str(drawing), database=filled)
    assert answer.returncode == 0, answer.stderr
    assert "37 nodes, 1,073,466 parameters, 153,272,960 multiply-accumulates" in answer.stdout
    assert "relu, conv3x3/2, batchnorm, relu  32x16x16        1        4672               1179648  8" in answer.stdout
    assert "relu, conv3x3, batchnorm  64x8x8  ×5" in drawing.read_text(encoding="utf-8")
    with catalog.open(filled) as opened:
        view = opened.computation("nb201", 6111)
        assert view.frame["parameters"].sum() == 1_073_466
        assert view.frame.filter(pl.col("node") == 8)["takes"].to_list() == ["1, 5, 7"]
        assert repr(view) in answer.stdout
        assert "no path from an input to its output" in opened.computation("nb201", DEAD).text()
        assert opened.computation("nb201", DEAD).svg().startswith("<svg")


def test_traced_networks_come_in_the_same_form(catalog_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs torch, of the extra predict")
    from ingest.model.loader import ingest_traced
    from ingest.model.torch_tracing import trace_module

    layers = [torch.nn.Conv2d(3, 4, 3, stride=2, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU()]
    traced = trace_module(torch.nn.Sequential(*layers, torch.nn.Conv2d(4, 5, 1)), (1, 3, 8, 8))
    with Store.open(catalog_path, mode="write") as store:
        ingest_traced(store, traced, "mine", "net", "module:net")
    with catalog.open(catalog_path) as opened:
        view = opened.computation("mine", "net")
        (plain,) = opened.computation_graphs("mine", fuse=False)
    assert view.frame["operator"].to_list() == ["input", "conv3x3/2, batchnorm, relu", "conv1x1", "output"]
    assert view.frame["shape"].to_list() == ["3x8x8", "4x4x4", "5x4x4", "5x4x4"]
    assert view.batch.totals()[0].tolist() == [traced.parameters]
    assert view.batch.totals()[1].tolist() == [traced.multiply_accumulates]
    assert len(plain.nodes.word) == len(traced.nodes)
    assert plain.nodes.groups.tolist() == [0, 1, 0, 0, 1, 0]


def test_sized_networks_are_built_and_traced_ones_stand_beside_them(catalog_path: Path, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs torch, of the extra predict")
    from ingest.model.loader import ingest_traced
    from ingest.model.torch_tracing import trace_module

    conv = {"op": "conv", "kernel": 3, "channels": 8, "repeats": 3}
    lines = [
        {"id": "b", "ops": ["input", conv, "output"], "edges": [[0, 1], [1, 2]]},
        {"id": "c", "ops": ["input", "none", "output"], "edges": [[0, 1], [1, 2]]},
    ]
    file = tmp_path / "own.jsonl"
    whole = {"input": {"shape": [3, 16, 16]}, "head": {"classes": 4}}
    file.write_text("".join(json.dumps({**line, **whole}) + "\n" for line in lines), encoding="utf-8")
    answer = call_catalog("ingest", "graphs", str(file), "--space", "mine", database=catalog_path)
    assert answer.returncode == 0, answer.stderr
    traced = trace_module(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()), (1, 3, 8, 8))
    with catalog.open(catalog_path) as opened:
        (alone,) = opened.computation_graphs("mine", ["b", "c"])
        params, flops = opened.lookup(["b"], "mine", columns=["params", "flops"]).row(0)
    with Store.open(catalog_path, mode="write") as store:
        ingest_traced(store, traced, "mine", "a", "module:net")
    with catalog.open(catalog_path) as opened:
        (mixed,) = opened.computation_graphs("mine", ["a", "b", "c"])
        assert opened.computation("mine", "b").frame["repeats"].to_list() == [1, 1, 2, 1, 1, 1]
    assert [total[0] for total in alone.totals()] == [params, flops]
    assert [total.tolist()[1:] for total in mixed.totals()] == [total.tolist() for total in alone.totals()]
    assert mixed.totals()[0][0] == traced.parameters
    assert np.diff(mixed.first_node).tolist() == [3, 6, 0]


def test_cells_without_a_network_are_refused(catalog_path: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text('{"id": "a", "ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}\n', encoding="utf-8")
    assert call_catalog("ingest", "graphs", str(file), "--space", "mine", database=catalog_path).returncode == 0
    with catalog.open(catalog_path) as opened, pytest.raises(UsageError, match="1 of 1 architectures of the space"):
        opened.computation("mine", "a")
    answer = call_catalog("show", "mine", "a", "--computation", database=catalog_path)
    assert answer.returncode == 2
    assert "those that catalog ingest model traced" in answer.stderr
