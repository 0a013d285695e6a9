"""``catalog ingest model``: networks of modules and files in a space of the user's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.catalog.cli.commands import Answer, call_catalog
from tests.ingest.model import networks, onnx_models


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a user's module and file, as the current one."""
    shutil.copy(networks.__file__, tmp_path / "my_networks.py")
    onnx_models.written(tmp_path / "net.onnx", onnx_models.residual())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ingest(folder: Path, *arguments: str, native_id: str = "a") -> Answer:
    return call_catalog(
        "ingest", "model", *arguments, "--space", "mine", "--id", native_id, database=folder / "catalog.duckdb"
    )


def asked(folder: Path, question: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "catalog.duckdb"), read_only=True) as connection:
        return connection.execute(question).fetchall()


def test_modules_and_files_stand_side_by_side_in_one_space(folder: Path) -> None:
    answer = ingest(folder, "my_networks:build")
    assert answer.returncode == 0, answer.stderr
    assert "importing my_networks and running its code" in answer.stderr
    assert "a: ComputationGraph(15 nodes, 2,266 parameters, " in answer.stderr
    assert ingest(folder, "my_networks:Residual", "--argument", "channels=32", native_id="wide").returncode == 0
    assert ingest(folder, "net.onnx", native_id="file").returncode == 0
    # of 32 channels: 27 x 32 + 2 x 32 + 25 x 32 + 32 x 32 + 32 + 3 x 16 x 64 + 64 + 10 x 64 + 10 parameters
    rows = asked(folder, "SELECT id, params, count_conv3x3, nodes FROM mine ORDER BY architecture_id")
    assert rows == [("a", 2266.0, 1, 14), ("wide", 6570.0, 1, 14), ("file", 2266.0, 1, 14)]
    assert asked(folder, "SELECT count(DISTINCT canonical_digest) FROM architecture WHERE native_id != 'file'") == [
        (2,)
    ]
    assert call_catalog("doctor", "--full", database=folder / "catalog.duckdb").returncode == 0


def test_shapes_windows_and_costs_can_be_asked_for(folder: Path) -> None:
    ingest(folder, "my_networks:build", "--input", "1x3x16x16")
    question = """
        SELECT operator, shape, kernel, stride, parameters, multiply_accumulates
        FROM node JOIN node_attribute USING (architecture_id, form, cell, position) WHERE name = 'stem'
    """
    assert asked(folder, question) == [("conv3x3", [1, 16, 16, 16], [3, 3], [1, 1], 432, 16 * 256 * 27)]
    sums = "SELECT sum(parameters), sum(multiply_accumulates) FROM node_attribute"
    assert asked(folder, sums) == asked(folder, "SELECT params, flops FROM mine")
    assert asked(folder, "SELECT short FROM operator WHERE space = 'mine' AND name = 'depthwise_conv5x5'") == [
        ("Depthwise convolution 5 by 5",)
    ]


def test_patterns_work_on_traced_networks(folder: Path) -> None:
    ingest(folder, "my_networks:build")
    answer = call_catalog(
        "match", "mine", "(conv3x3)->(batchnorm)->(relu)->(joint:add), (:conv)->(joint)", "--count",
        database=folder / "catalog.duckdb",
    )  # fmt: skip
    assert pl.read_csv(answer.stdout.encode()).row(0) == (1, 1)


def test_the_same_network_again_changes_nothing_and_another_needs_another_id(folder: Path) -> None:
    ingest(folder, "my_networks:build")
    assert "already in the catalog" in ingest(folder, "my_networks:build").stderr
    assert asked(folder, "SELECT count(*) FROM node_attribute") == [(15,)]
    refused = ingest(folder, "my_networks:build", "--argument", "channels=8")
    assert refused.returncode == 1
    assert "another graph under the id 'a'" in refused.stderr
    assert asked(folder, "SELECT count(*) FROM architecture") == [(1,)]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("my_networks:broken",), 1, "my_networks:broken fails in my_networks.py line"),
        (("my_networks:nothing",), 2, "my_networks has no 'nothing'"),
        (("my_networks:NUMBER",), 2, "gives a int; a torch.nn.Module is needed"),
        (("no_such_module:build",), 2, "cannot be imported"),
        (("my_networks:build", "--argument", "channels"), 2, "has not the form NAME=VALUE"),
        (("my_networks:build", "--argument", "width=3"), 1, "unexpected keyword argument 'width'"),
        (("my_networks:build", "--input", "3by32"), 2, "is no shape"),
        (("my_networks:build", "--input", "1x3x0x32"), 2, "has 0 elements"),
        (("my_networks:build", "--input", "1x4x32x32"), 1, "cannot be traced with inputs of shape (1, 4, 32, 32)"),
        (("missing.onnx",), 2, "neither an ONNX file nor of the form MODULE:callable"),
        (("my_networks.py",), 1, "is no ONNX"),
    ],
)
def test_mistakes_get_one_clear_message(folder: Path, arguments: tuple[str, ...], status: int, message: str) -> None:
    answer = ingest(folder, *arguments)
    assert (answer.returncode, answer.stdout) == (status, "")
    assert message in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not (folder / "catalog.duckdb").exists()


def test_the_space_must_be_the_users_own(folder: Path) -> None:
    for name in ("nb201", "score", "select"):
        answer = call_catalog(
            "ingest", "model", "net.onnx", "--space", name, "--id", "a", database=folder / "catalog.duckdb"
        )
        assert answer.returncode == 2
        assert f"{name!r} cannot be the name of a space of your own" in answer.stderr
    assert asked(folder, "SELECT count(*) FROM space") == [(0,)]
