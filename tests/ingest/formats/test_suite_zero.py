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

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import IngestError, UsageError
from catalog.spaces import nb201
from catalog.spaces.nb101 import NASBench101, parameters_as_drawn
from catalog.tables.suite_zero_facts import PROXIES
from ingest.formats.suite_zero import SuiteZero
from ingest.reading.batch import Batch
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.tables import metrics_of, scores_of

CELL = "(4, 0, 3, 1, 4, 3)"
RUN = "formats/public_files/benchmark--nasbench201--cifar10--0.json"
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
    scores = scores_of(read("nb201", data_dir / "nb201/published_proxies_imagenet16.csv.gz")).filter(proxy="params")
    assert (scores["value"] - nb201.parameters(scores["architecture"].to_list())).unique().to_list() == [7150]


@pytest.mark.parametrize("wrapped", [True, False])
def test_accuracies_of_real_trainings_are_reported_not_surrogate(wrapped: bool, tmp_path: Path) -> None:
    fields = {"val_accuracy": 84.5, "nwot": {"score": 700.5, "time": 0.25}, "idx": "7", "arch": CELL}
    others = {**fields, "val_accuracy": 30.0, "params": 0.136456}
    value = {"cifar10": {CELL: fields}, "ImageNet16-120": {CELL: others}}
    path = written(tmp_path / "zc_nasbench201.json", {"nasbench201": value} if wrapped else value)
    batches = read("nb201", path)
    metrics = metrics_of(batches).select("architecture", "dataset", "split", "epochs", "kind", "repeat", "value")
    assert metrics.rows() == [
        (STRING, "cifar10-valid", "test", 200, "reported", 1, 84.5),
        (STRING, "imagenet16-120", "test", 200, "reported", 1, 30.0),
    ]
    assert scores_of(batches).filter(proxy="nwot").select("input", "value", "seconds").rows() == [
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
        ("nb201", 1, "the file is"),
        ("nb201", [], "a list of architectures, whose benchmark and data set only the file's name could say"),
        ("nb201", {"nasbench301": {}}, "proxies of nasbench301, not of nasbench201"),
        ("nb201", {"cifar10": []}, "cifar10 is"),
        ("nb201", {"cifar10": {CELL: 1}}, "an object is needed"),
        ("nb201", {"cifar10": {"(1, 2)": {}}}, "six operator numbers"),
        ("nb201", {"cifar10": {CELL: {"nwot": "high"}}}, "nwot is 'high'; a number is needed"),
        ("nb201", {"cifar10": {CELL: {"nwot": 10**400}}}, "nwot is an integer of"),
        ("nb201", {"cifar10": {CELL: {"nwot": {"time": 1}}}}, "nwot is None"),
        ("nb201", {"cifar10": {CELL: {"nwot": {"score": 1, "time": -1}}}}, "took -1.0 seconds"),
        ("nb201", {"cifar10": {CELL: {"val_accuracy": 943.7}}}, "val_accuracy is 943.7"),
        ("nb201", {"cifar10": {CELL: {"flops": -1.0}}}, "flops is -1.0 million; a count of 0 or more"),
        ("nb201", {"cifar10": {CELL: {"nwot": {"score": 1, "joules": 2}}}}, "nwot has the field 'joules'"),
        ("nb201", {"cifar10": {CELL: {"arch": STRING}}}, "its field arch is .* it has to be the key"),
        ("nb201", {"cifar10": {CELL: {"nwot": 1}}, "CIFAR10": {CELL: {"nwot": 1}}}, "cifar10 stands twice"),
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


def test_a_flat_file_of_another_benchmark_is_refused_whatever_gives_it_away(tmp_path: Path) -> None:
    """TransNAS-Bench's macro keys read as NAS-Bench-201 cells: its name, its data sets and its counts are others."""
    key, fields = "(1, 2, 4, 2, 0, 0)", {"params": {"score": 11.218783, "time": 0.9}, "nwot": 502.8}
    for name, dataset, words in (
        ("zc_transbench101_macro.json", "class_scene", "proxies of transbench101_macro, not of nasbench201"),
        ("zc.json", "class_scene", "'class_scene' is no data set of nasbench201, which has cifar10, cifar100"),
        ("zc.json", "cifar10", r"params is 11\.2188 million \(11,218,783\), but the network .* has 559,386 parameters"),
        ("zc.json", "svhn", "nothing in it says that it is of nasbench201, and svhn belongs to other benchmarks too"),
    ):
        with pytest.raises(IngestError, match=words):
            read("nb201", written(tmp_path / name, {dataset: {key: fields}}))
    for space in ("nb101", "darts"):
        with pytest.raises(IngestError, match="no data set of"):
            read(space, written(tmp_path / "zc.json", {"class_scene": {key: fields}}))


@pytest.mark.parametrize(
    ("dataset", "parameters"), [("cifar10", 129_306), ("cifar100", 135_156), ("ImageNet16-120", 136_456)]
)
def test_published_parameters_are_those_of_the_network_with_the_data_sets_classifier(
    dataset: str, parameters: int, tmp_path: Path
) -> None:
    path = written(tmp_path / "zc.json", {dataset: {CELL: {"params": parameters / 1e6}}})
    assert scores_of(read("nb201", path))["value"].to_list() == [parameters]
    for wrong in (parameters + 1, parameters + 7150, -parameters, parameters * 1e6):
        path = written(tmp_path / "zc.json", {dataset: {CELL: {"params": wrong / 1e6}}})
        with pytest.raises(IngestError, match="params is .* million"):
            read("nb201", path)


def test_a_module_is_counted_as_its_key_draws_it(tmp_path: Path) -> None:
    """Two keys of one module, whose vertices share channels out in another order: each has its own count."""
    space = NASBench101()
    graph = space.graph(([[0, 1, 1, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1], [0] * 5], DRAWN))
    turned = space.graph(([[0, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5], TURNED))
    assert space.native_id(graph) == space.native_id(turned)
    counts = [int(parameters_as_drawn(CellArrays.of([one.cells[0]]))[0]) for one in (graph, turned)]
    assert counts[0] != counts[1]
    keys = [naslib_key(one) for one in (graph, turned)]
    right = {key: {"params": count / 1e6} for key, count in zip(keys, counts, strict=True)}
    read("nb101", written(tmp_path / "zc.json", {"cifar10": right}))
    wrong = {key: {"params": count / 1e6} for key, count in zip(keys, reversed(counts), strict=True)}
    with pytest.raises(IngestError, match="but the network of this architecture has"):
        read("nb101", written(tmp_path / "zc.json", {"cifar10": wrong}))


DRAWN = ["input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "output"]
TURNED = ["input", "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3", "output"]


def naslib_key(graph: ArchitectureGraph) -> str:
    """The flattened matrix and NASLib's operator numbers."""
    cell = graph.cells[0]
    numbers = {"input": 0, "output": 1, "maxpool3x3": 2, "conv1x1": 3, "conv3x3": 4}
    return str((*cell.adjacency().ravel().tolist(), *(numbers[name] for name in cell.operators)))


PARALLEL = [
    f"(0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, {one}, {other}, 1)" for one, other in ((4, 3), (3, 4))
]


def test_isomorphic_keys_are_kept_apart_and_said(tmp_path: Path) -> None:
    """Accuracies of a module are single trainings, an equal one the same training; scores get their key's place."""
    fields = [
        {"val_accuracy": 90.0, "snip": {"score": 1.0, "time": 0.1}, "zen": 5.0},
        {"val_accuracy": 80.0, "snip": {"score": 3.0, "time": 0.2}, "zen": 5.0},
        {"val_accuracy": 90.0, "snip": -1e8},
    ]
    keys = [*PARALLEL, PARALLEL[0].replace(" ", "")]
    value = {"nasbench101": {"cifar10": dict(zip(keys, fields, strict=True))}}
    path = written(tmp_path / "zc_nasbench101.json", value)
    batches = read("nb101", path)
    assert [batch.record_count for batch in batches] == [3]
    assert metrics_of(batches).select("split", "epochs", "kind", "repeat", "value").rows() == [
        ("valid", 108, "reported", 1, 90.0),
        ("valid", 108, "reported", 2, 80.0),
    ]
    assert scores_of(batches).select("proxy", "seed", "value", "seconds").rows() == [
        ("snip", 1, 1.0, 0.1),
        ("snip", 2, 3.0, 0.2),
        ("snip", 3, None, None),
        ("zen", None, 5.0, None),
    ]
    assert any("2 keys are isomorphic to another key of the file (3 keys, 1 arch" in note for note in notes_of(batches))
    assert any("for 1 architectures the scores of the keys contradict" in note for note in notes_of(batches))


def notes_of(batches: list[Batch]) -> list[str]:
    return [note for batch in batches for note in batch.notes]


def test_a_cell_of_nasbench201_has_one_key(tmp_path: Path) -> None:
    path = written(tmp_path / "zc.json", {"cifar10": {CELL: {"nwot": 1.0}, STRING: {"nwot": 1.0}}})
    with pytest.raises(IngestError, match=r"the key '\(4, 0, 3, 1, 4, 3\)' names the same architecture"):
        read("nb201", path)


def test_the_real_file_of_nasbench101(data_dir: Path) -> None:
    batches = read("nb101", data_dir / "formats/public_files/zc_nasbench101.json")
    assert [(len(batch.members), batch.record_count) for batch in batches] == [(292, 500)]
    scores = scores_of(batches)
    assert scores.select("architecture", "proxy", "seed").is_unique().all()
    metrics = metrics_of(batches)
    assert metrics.group_by("architecture").len()["len"].max() == 3  # the benchmark trained each module three times
    assert set(metrics.select("split", "epochs").rows()) == {("valid", 108)}
    assert notes_of(batches)[0].startswith("cifar10: 208 keys are isomorphic to another key of the file")


def test_a_list_of_one_run_says_benchmark_and_data_set_in_its_name(tmp_path: Path) -> None:
    item = {"idx": "0", "arch": CELL, "zen": {"score": 63.5, "time": 1.5}, "val_accuracy": 84.99, "params": 0.129306}
    path = written(tmp_path / "benchmark--nasbench201--cifar10--0.json", [item])
    batches = read("nb201", path)
    assert scores_of(batches).filter(proxy="zen").select("architecture", "input", "value", "seconds").rows() == [
        (STRING, "cifar10", 63.5, 1.5)
    ]
    assert metrics_of(batches).select("dataset", "split", "value").rows() == [("cifar10-valid", "test", 84.99)]
    assert notes_of(batches) == []
    for space, value, words in (
        ("nb101", [item], "proxies of nasbench201, not of nasbench101"),
        ("nb201", [item, item], "names the same architecture"),
        ("nb201", [{**item, "params": 1.0}], "has 129,306 parameters"),
        ("nb201", [1], "entry 0 is 1; an object is needed"),
        ("nb201", [{"zen": 1.0}], "entry 0 has the arch None"),
    ):
        with pytest.raises(IngestError, match=words):
            read(space, written(path, value))


def test_the_real_list_equals_its_records(data_dir: Path) -> None:
    path = data_dir / RUN
    batches = read("nb201", path)
    assert set(metrics_of(batches)["split"]) == {"test"}
    records = json.loads(path.read_text())
    assert len(records) == 250
    assert metrics_of(batches)["value"].to_list() == [record["val_accuracy"] for record in records]
    assert all(round(record["val_accuracy"] * 100, 6).is_integer() for record in records)  # of 10,000 test images


def test_accuracies_whose_split_nobody_says_have_none(tmp_path: Path) -> None:
    path = written(tmp_path / "zc.json", {"nasbench201": {"svhn": {CELL: {"val_accuracy": 90.0, "params": 0.5}}}})
    batches = read("nb201", path)
    assert metrics_of(batches).select("dataset", "split", "epochs").rows() == [("svhn", None, None)]
    assert "parameters not checked for 1 of 1 architectures" in notes_of(batches)[0]


OWN = {"nwot": {"score": 754.6, "time": 1.0}, "val_accuracy": 90.0}
MODULE = "00005c142e6f48ac74fdcf73e3439874"


@pytest.mark.parametrize(
    ("space", "name", "value"),
    [
        ("nb201", "zc_a.json", {"cifar10": {CELL: OWN}}),
        ("nb101", "zc_nasbench101.json", {"cifar10": {MODULE: OWN}}),
        ("darts", "zc_nasbench301.json", {"cifar10": {str([[(0, 0), (1, 5), (1, 1), (0, 1)] * 2] * 2): OWN}}),
        ("nb201", "benchmark--nasbench201--cifar10--0.json", [{"arch": CELL, **OWN}]),
    ],
)
def test_a_file_that_nothing_proves_is_its_users(space: str, name: str, value: Any, tmp_path: Path) -> None:
    """And its val_accuracy is not said to be what the suite's is."""
    path = written(tmp_path / name, value)
    facts = SuiteZero(space, source="mine").facts(path)
    assert (facts.name, facts.licence, facts.citation) == ("mine", None, None)
    assert not SuiteZero(space).facts(path).name.startswith("suite_zero")
    batches = read(space, path)
    assert metrics_of(batches).select("name", "kind", "dataset", "split", "epochs", "value").rows() == [
        ("accuracy", "reported", "cifar10", None, None, 90.0)
    ]
    assert any("nobody says of which images" in note for note in notes_of(batches))


@pytest.mark.parametrize(
    "value",
    [
        {"nasbench201": {"cifar10": {CELL: OWN}}},
        {"cifar10": {CELL: {**OWN, "params": 0.129306}, "(0, 0, 0, 0, 0, 0)": OWN}},
    ],
)
def test_the_benchmarks_key_or_its_parameters_prove_a_file(value: Any, tmp_path: Path) -> None:
    path = written(tmp_path / "zc_a.json", value)
    assert SuiteZero("nb201").facts(path).name == "suite_zero_nasbench201"
    assert metrics_of(read("nb201", path))["split"].unique().to_list() == ["test"]
    with pytest.raises(UsageError, match="a file of the benchmark's"):
        SuiteZero("nb201", source="mine").facts(path)


def test_what_stands_beside_the_benchmarks_key_is_said(tmp_path: Path) -> None:
    value = {
        "nasbench201": {"cifar10": {CELL: OWN}, "cifar100": {CELL: OWN}},
        "transbench101_micro": {"jigsaw": {}},
        "cifar10": {},
    }
    notes = notes_of(read("nb201", written(tmp_path / "zc_a.json", value)))
    (note,) = [note for note in notes if note.startswith("left out")]
    assert "transbench101_micro" in note
    assert "cifar10" in note


def test_a_table_that_anybody_can_write_is_its_users(data_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "proxies_cifar10.csv"
    path.write_text(f'net,nwot\n"{CELL}",1.5\n')
    facts = SuiteZero("nb201").facts(path)
    assert (facts.name, facts.licence, facts.citation) == ("proxies_cifar10", None, None)
    official = SuiteZero("nb201").facts(data_dir / "nb201/published_proxies_imagenet16.csv.gz")
    assert official.name == "suite_zero_nasbench201"
    assert SuiteZero("nb201").facts(data_dir / RUN).name == "suite_zero_nasbench201"


def test_fractions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="so these are fractions"):
        read("nb201", written(tmp_path / "zc.json", {"cifar10": {CELL: {"val_accuracy": 0.8499}}}))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("proxies.csv", "net,nwot\n", "the name does not say the data set"),
        ("p_cifar10.csv", "net,other\n", "needed are net and proxies"),
        ("p_cifar10.csv", f'net,nwot\n"{CELL}",x\n', "line 2: nwot is x"),
        ("p_cifar10.csv", f'net,net_str,nwot\n"{CELL}",|none~0|,1\n', "line 2: net .* but net_str is"),
        ("p_cifar10.csv", 'net,nwot\n"(9, 9)",1\n', "six operator numbers"),
        ("p_cifar10.csv", f'net,nwot,joules\n"{CELL}",1,2\n', "unknown column 'joules'"),
        ("p_cifar10.csv", f'net,params\n"{CELL}",0.136456\n', "has 129,306 parameters on cifar10"),
        ("p_imagenet.csv", f'net,nwot\n"{CELL}",1\n', "'imagenet' is no data set of nasbench201"),
        ("p_nasbench301_cifar10.csv", f'net,nwot\n"{CELL}",1\n', "proxies of nasbench301, not of nasbench201"),
        ("p_cifar10.csv", f'net,nwot\n"{CELL}",1\n{STRING},1\n', "names the same architecture"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(name: str, text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(IngestError, match=words):
        read("nb201", path)


SMALL_JSON = json.dumps(
    {"cifar10": {CELL: {"nwot": {"score": 1.5, "time": 2.5}, "params": 0.129306, "val_accuracy": 90.0}}}
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
