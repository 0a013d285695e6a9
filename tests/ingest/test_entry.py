"""Files that are not what a command reads: the message gives the reason that is true."""

import json
from pathlib import Path

import pytest

import catalog
from catalog.errors import CatalogError, IngestError, UsageError
from catalog.progress import Listener
from ingest.entry import prepared

BENCHMARKS = ("nasbench201", "nasbench101", "nasbench301", "darts", "hw-nas-bench")
BYTES = {
    "model.onnx": b"\x08\x07\x12\x07pytorch\0\0",
    "noise.bin": bytes(range(256)),
    "catalog.duckdb": bytes(8) + b"DUCK" + bytes(100),
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_missing_file_is_missing(name: str, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="does not exist; nothing was stored"):
        prepared(name, [tmp_path / "results_0.json"], {}, Listener())


@pytest.mark.parametrize("name", ["nasbench201", "nasbench101", "nasbench301"])
@pytest.mark.parametrize("file", BYTES)
def test_a_foreign_file_is_told_to_be_one(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / file).write_bytes(BYTES[file])
    with pytest.raises(UsageError, match=f"{file} is no file (of {name}, which are|that this command knows; .*--help)"):
        prepared(name, [tmp_path / file], {}, Listener())


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("missing.onnx", "there is no file .*missing.onnx.* Check the path"),
        ("folder.onnx", "folder.onnx is a folder; name the ONNX file in it"),
        ("folder", "folder is a folder"),
        ("text", "neither an ONNX file nor of the form MODULE:callable"),
    ],
)
def test_a_model_that_is_none_is_told_why(target: str, reason: str, tmp_path: Path) -> None:
    for folder in ("folder.onnx", "folder"):
        (tmp_path / folder).mkdir()
    with pytest.raises(CatalogError, match=reason):
        prepared("model", [tmp_path / target], {"space": "mine", "id": "one"}, Listener())


def test_a_wrong_benchmark_has_near_ones() -> None:
    with pytest.raises(UsageError, match=r"known are .*\. Did you mean nasbench201"):
        prepared("nasbench21", [], {}, Listener())


def test_a_run_tells_the_command_without_folders(tmp_path: Path) -> None:
    file = tmp_path / "my graphs.jsonl"
    file.write_text(
        '{"id": "a", "ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]], '
        '"metrics": [{"name": "wobble", "value": 1}]}\n'
    )
    options = {"space": "mine", "direction": {"wobble": "lower"}, "size_limit": 1_000_000}
    with catalog.open(tmp_path / "own.duckdb", mode="write") as opened:
        opened.ingest("graphs", file, **options)
        opened.ingest("nb201-digits")
        told = opened.query("SELECT parameters->'$.command' AS words FROM run ORDER BY id")["words"].to_list()
    assert [json.loads(words) for words in told if words] == [
        ["catalog", "ingest", "graphs", "my graphs.jsonl", "--direction", "wobble=lower", "--space", "mine"],
        ["catalog", "ingest", "nb201-digits"],
    ]
