"""NAS-Bench-Suite-Zero's published proxies."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from catalog.errors import IngestError
from catalog.spaces import nb201
from ingest.formats.suite_zero import PROXIES, SuiteZero
from ingest.reading.batch import Batch
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.tables import metrics_of, scores_of

CELL = "(4, 0, 3, 1, 4, 3)"
STRING = "|avg_pool_3x3~0|+|skip_connect~0|none~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_1x1~2|"


def read(space: str, path: Path) -> list[Batch]:
    return list(SuiteZero(space).read(path))


def written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_real_surrogate_files_in_both_layouts(data_dir: Path) -> None:
    names: set[str] = set()
    for path in sorted((data_dir / "nb301").glob("zc_*.json")):
        batches = read("darts", path)
        names.update(name for batch in batches for name in batch.members.native_ids)
        found = json.loads(path.read_text())
        cells = found.get("nasbench301", found)["cifar10"]
        metrics, scores = metrics_of(batches), scores_of(batches)
        assert sorted(metrics["value"]) == sorted(cell["val_accuracy"] for cell in cells.values())
        assert set(metrics["kind"]) == {"surrogate"}
        assert set(metrics["split"]) == {"valid"}
        assert len(scores) == sum(len(set(cell) & set(PROXIES)) for cell in cells.values())
        nested = any(isinstance(cell["flops"], dict) for cell in cells.values())
        assert scores["seconds"].null_count() == (0 if nested else len(scores))
    assert len(names) == 1218  # distinct cells of the three files


def test_one_cell_of_the_nested_layout(data_dir: Path) -> None:
    batches = read("darts", data_dir / "nb301/zc_nasbench301@6639fd15.json")
    first = batches[0].members.native_ids[0]
    scores = {row["proxy"]: row for row in scores_of(batches).filter(architecture=first).iter_rows(named=True)}
    assert scores["params"]["value"] == 856298
    assert scores["flops"]["value"] == 153499136
    assert scores["grasp"]["seconds"] == 6.409915826981887
    assert scores["logsynflow"]["value"] == 52.796010658657906
    assert "synflow" not in scores


def test_real_tables_equal_their_columns(data_dir: Path) -> None:
    path = data_dir / "nb201/published_proxies_cifar10.csv.gz"
    with gzip.open(path, "rt") as lines:
        table = list(csv.DictReader(lines))
    scores = scores_of(read("nb201", path))
    assert len(scores) == len(table) * len(PROXIES) == 9445 * 13
    assert scores.filter(proxy="nwot", status="ok")["value"].to_list() == [
        float(row["nwot"]) for row in table if float(row["nwot"]) != -1e8
    ]
    failed = scores.filter(pl.col("status") != "ok")
    assert len(failed) == sum(float(row[name]) == -1e8 for row in table for name in PROXIES) > 0
    assert failed["value"].null_count() == len(failed)
    params = dict(scores.filter(proxy="params").select("architecture", "value").rows())
    assert params[STRING] == 129306


def test_published_parameters_are_those_of_the_network(data_dir: Path) -> None:
    scores = scores_of(read("nb201", data_dir / "nb201/published_proxies_cifar10.csv.gz")).filter(proxy="params")
    counted = nb201.parameters(scores["architecture"].to_list())
    assert counted.tolist() == scores["value"].to_list()


@pytest.mark.parametrize("wrapped", [True, False])
def test_accuracies_of_real_trainings_are_reported_not_surrogate(wrapped: bool, tmp_path: Path) -> None:
    fields = {"val_accuracy": 84.5, "nwot": {"score": 700.5, "time": 0.25}, "idx": "7", "arch": CELL}
    value = {"cifar10": {CELL: fields}, "ImageNet16-120": {CELL: {**fields, "val_accuracy": 30.0}}}
    path = written(tmp_path / "zc_nasbench201.json", {"nasbench201": value} if wrapped else value)
    batches = read("nb201", path)
    assert metrics_of(batches).select("architecture", "dataset", "kind", "value").rows() == [
        (STRING, "cifar10", "reported", 84.5),
        (STRING, "imagenet16-120", "reported", 30.0),
    ]
    assert scores_of(batches).select("input", "value", "seconds").rows() == [
        ("cifar10", 700.5, 0.25),
        ("imagenet16-120", 700.5, 0.25),
    ]


def test_failures_are_null_with_a_reason(tmp_path: Path) -> None:
    scores = '{"nwot": -100000000.0, "snip": Infinity, "zen": NaN, "plain": {"score": -1e8, "time": 2}}'
    text = f'{{"cifar10": {{"{CELL}": {scores}}}}}'
    path = tmp_path / "zc_nasbench201.json"
    path.write_text(text)
    assert scores_of(read("nb201", path)).select("proxy", "value", "status", "reason", "seconds").rows() == [
        ("nwot", None, "failed", "the source has -1e+08", None),
        ("snip", None, "failed", "the source has inf", None),
        ("zen", None, "failed", "the source has nan", None),
        ("plain", None, "failed", "the source has -1e+08", 2.0),
    ]


def test_nasbench101_keys_are_hashes_or_naslib_tuples(tmp_path: Path) -> None:
    """Module 0 by its hash, and by its flattened matrix with NASLib's operator numbers."""
    matrix = "0100110001000000010010000010000001000000010000000"
    operators = [0, *({"0": 4, "1": 3, "2": 2}[digit] for digit in "02001"), 1]
    key = str((*map(int, matrix), *operators))
    module = "00005c142e6f48ac74fdcf73e3439874"
    path = written(
        tmp_path / "zc_nasbench101.json",
        {
            "cifar10": {
                key: {"nwot": 1.0, "val_accuracy": 92.0},
                module: {"nwot": 2.0},
                "0000718c96730a92ea6d5242f8ce77e2": {"nwot": 3.0},
            }
        },
    )
    batches = read("nb101", path)
    assert list(batches[0].members.native_ids) == [module, "0000718c96730a92ea6d5242f8ce77e2"]
    assert list(batches[0].members.native_indices or []) == [0, 1]
    assert sum(len(part.rows) for part in batches[0].members.cells or []) == 2
    assert scores_of(batches).select("architecture", "value").rows() == [
        (module, 1.0),
        (module, 2.0),
        ("0000718c96730a92ea6d5242f8ce77e2", 3.0),
    ]


@pytest.mark.parametrize(
    ("space", "value", "words"),
    [
        ("nb201", [], "the file is"),
        ("nb201", {"nasbench301": {}}, "proxies of nasbench301, not of nasbench201"),
        ("nb201", {"cifar10": []}, "cifar10 is"),
        ("nb201", {"cifar10": {CELL: 1}}, "an object is needed"),
        ("nb201", {"cifar10": {"(1, 2)": {}}}, "six operator numbers"),
        ("nb201", {"cifar10": {CELL: {"nwot": "high"}}}, "nwot is 'high'; a number is needed"),
        ("nb201", {"cifar10": {CELL: {"nwot": 10**400}}}, "nwot is an integer of"),
        ("nb201", {"cifar10": {CELL: {"nwot": {"time": 1}}}}, "nwot is None"),
        ("nb201", {"cifar10": {CELL: {"nwot": {"score": 1, "time": -1}}}}, "took -1.0 seconds"),
        ("nb201", {"cifar10": {CELL: {"val_accuracy": 943.7}}}, "val_accuracy is 943.7"),
        ("nb201", {"cifar10": {CELL: {"surprise": 1}}}, "field 'surprise'; known are"),
        ("darts", {"cifar10": {"[[(0, 9)], []]": {}}}, "pairs"),
        ("nb101", {"cifar10": {"f" * 32: {}}}, "of none of the 423624 modules"),
        ("nb101", {"cifar10": {"(0, 1, 0, 9)": {}}}, "n \\* n \\+ n"),
    ],
)
def test_what_is_wrong_is_named(space: str, value: Any, words: str, tmp_path: Path) -> None:
    path = written(tmp_path / "zc_file.json", value)
    with pytest.raises(IngestError, match=rf"zc_file\.json.*{words}"):
        read(space, path)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("proxies.csv", "net,nwot\n", "the name does not say the data set"),
        ("p_cifar10.csv", "net,other\n", "needed are net and proxies"),
        ("p_cifar10.csv", f'net,nwot\n"{CELL}",x\n', "line 2: nwot is x"),
        ("p_cifar10.csv", f'net,net_str,nwot\n"{CELL}",|none~0|,1\n', "line 2: net .* but net_str is"),
        ("p_cifar10.csv", 'net,nwot\n"(9, 9)",1\n', "six operator numbers"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(name: str, text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(IngestError, match=words):
        read("nb201", path)


SMALL_JSON = json.dumps(
    {"cifar10": {CELL: {"nwot": {"score": 1.5, "time": 2.5}, "params": 0.5, "val_accuracy": 90.0}}}
).encode()
SMALL_TABLE = gzip.compress(f'net,net_str,nwot,params\n"{CELL}",{STRING},1.5,0.129306\n'.encode())


@given(DAMAGE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_json_is_a_clean_error(tmp_path: Path, damage: Damage) -> None:
    survives(SuiteZero("nb201").read, tmp_path / "zc_nasbench201.json", damaged(SMALL_JSON, damage))


@given(DAMAGE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_tables_are_clean_errors(tmp_path: Path, damage: Damage) -> None:
    survives(SuiteZero("nb201").read, tmp_path / "zc_cifar10.csv.gz", damaged(SMALL_TABLE, damage))
    survives(SuiteZero("nb201").read, tmp_path / "zc_cifar10.csv", damaged(gzip.decompress(SMALL_TABLE), damage))
