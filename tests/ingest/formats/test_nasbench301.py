"""NAS-Bench-301's training logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from catalog.errors import IngestError
from catalog.spaces import genotype
from catalog.spaces.darts import DARTS
from catalog.spaces.darts_network import SKELETON, auxiliary_parameters, network_costs
from ingest.formats.nasbench301 import DEFAULTS, NASBench301Logs
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.tables import metrics_of
from tests.ingest.formats.writers import nasbench301_log

KEYS = [genotype.config_space(genotype.parse(DARTS().native_id(graph))) for graph in DARTS().sample(3, seed=1)]
NAMES = [str(genotype.from_config_space(keys)) for keys in KEYS]

SMALL = SKELETON.sized(32, 8)
PARAMETERS = [
    int(network_costs([graph], [graph], SMALL)[0, 0]) + auxiliary_parameters(graph, SMALL)
    for graph in map(DARTS().graph, NAMES)
]


def written(folder: Path, logs: dict[str, Any]) -> Path:
    for name, log in logs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(log))
    return folder


def test_the_official_sample(data_dir: Path) -> None:
    """Its training is not the default one: 20 layers of 50 channels for 1,500 epochs."""
    metrics = metrics_of(NASBench301Logs().read(data_dir / "formats/nb301_samples"))
    values = {(row["name"], row["split"]): row["value"] for row in metrics.iter_rows(named=True)}
    assert values["tuned_accuracy", "valid"] == 97.68
    assert values["tuned_accuracy", "test"] == 97.54
    assert values["tuned_training_time", None] == 365136
    assert values["tuned_parameters", None] == 6369358
    assert values["tuned_layers", None] == 20
    assert values["tuned_init_channels", None] == 50
    assert values["tuned_learning_rate", None] == 0.02920949203420479
    assert ("tuned_momentum", None) not in values  # as the default
    assert set(metrics["epochs"]) == {1500}


def test_the_defaults_are_the_official_configuration(data_dir: Path) -> None:
    official = json.loads((data_dir / "formats/nb301_samples/config_0.json").read_text())
    assert {
        key: value for key, value in official.items() if "edge_" not in key and "inputs_node" not in key
    } == DEFAULTS


def test_default_trainings_and_their_ordinals(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "nb301",
        {
            "random/results_0.json": nasbench301_log(KEYS[0], 93.5, 93.0, parameters=PARAMETERS[0]),
            "random/results_1.json": nasbench301_log(KEYS[1], 92.5, 92.0),
            "evolution/deep/results_0.json": nasbench301_log(KEYS[0], 93.7, 93.2, seconds=100),
        },
    )
    metrics = metrics_of(NASBench301Logs().read(folder))
    tests = metrics.filter(name="accuracy", split="test").select("architecture", "value", "repeat", "epochs").rows()
    assert sorted(tests) == sorted([(NAMES[0], 93.2, 1, 100), (NAMES[0], 93.0, 2, 100), (NAMES[1], 92.0, 1, 100)])
    times = metrics.filter(name="training_time", architecture=NAMES[0])["value"].to_list()
    assert times == [100, 3600]
    assert set(metrics.filter(name="parameters")["kind"]) == {"reported"}


def test_other_hyperparameters_are_kept_apart(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "nb301",
        {
            "results_0.json": nasbench301_log(KEYS[0], 93.5, 93.0, learning_rate=0.025, autoaugment="False"),
            "results_1.json": nasbench301_log(KEYS[0], 95.5, 95.0, learning_rate=0.1, autoaugment="True"),
            "results_2.json": nasbench301_log(KEYS[0], 94.5, 94.0, init_channels=16),
        },
    )
    metrics = metrics_of(NASBench301Logs().read(folder))
    assert metrics.filter(name="accuracy", split="test")["value"].to_list() == [93.0]
    tuned = metrics.filter(name="tuned_accuracy", split="test").select("repeat", "value").rows()
    assert tuned == [(1, 95.0), (2, 94.0)]
    stages = metrics.filter(name="tuned_accuracy", split="test")["stage"].to_list()
    assert len(set(stages)) == 2
    assert all(stage.startswith("of settings ") for stage in stages)
    settings_ = {(row["name"], row["repeat"]): row["value"] for row in metrics.iter_rows(named=True)}
    assert settings_["tuned_learning_rate", 1] == 0.1
    assert settings_["tuned_autoaugment", 1] == 1
    assert settings_["tuned_init_channels", 2] == 16
    assert ("tuned_learning_rate", 2) not in settings_


def test_a_setting_that_the_default_training_does_not_have_is_another_training(tmp_path: Path) -> None:
    log = nasbench301_log({**KEYS[0], "OptimizerSelector:adam:learning_rate": 0.001}, 95.5, 95.0, learning_rate=0.1)
    metrics = metrics_of(NASBench301Logs().read(written(tmp_path / "nb301", {"results_0.json": log})))
    values = dict(metrics.select("name", "value").rows())
    assert "accuracy" not in values
    assert (values["tuned_learning_rate"], values["tuned_adam_learning_rate"]) == (0.1, 0.001)


def test_parameters_are_those_of_the_trained_network(tmp_path: Path) -> None:
    for options, count in (({}, PARAMETERS[0] + 1), ({"init_channels": 16}, PARAMETERS[0])):
        log = nasbench301_log(KEYS[0], 93.5, 93.0, parameters=count, **options)
        with pytest.raises(IngestError, match=r"model_parameters is .*, but the network of its genotype .* has"):
            list(NASBench301Logs().read(written(tmp_path / "nb301", {"results_0.json": log})))


def test_a_log_that_stands_twice_is_said(tmp_path: Path) -> None:
    log = nasbench301_log(KEYS[0], 93.5, 93.0)
    folder = written(tmp_path / "nb301", {f"results_{place}.json": log for place in range(6)})
    (batch,) = NASBench301Logs().read(folder)
    assert batch.notes[0].startswith("results_1.json has the genotype and every number of results_0.json")
    assert batch.notes[3:] == ("2 further logs equal an earlier one.",)


def test_other_files_of_the_same_shape_are_refused_or_said(tmp_path: Path) -> None:
    log: dict[str, Any] = nasbench301_log(KEYS[0], 0.935, 0.93)
    with pytest.raises(IngestError, match="so these are fractions"):
        list(NASBench301Logs().read(written(tmp_path / "nb301", {"results_0.json": log})))
    log = {**nasbench301_log(KEYS[0], 93.5, 93.0), "energy": 1.0}
    (batch,) = NASBench301Logs().read(written(tmp_path / "nb301", {"results_0.json": log}))
    assert batch.notes == ("fields that are not read: 'energy'.",)
    log["info"][-1]["dataset_path"] = "datasets/SVHN.csv"
    with pytest.raises(IngestError, match="dataset_path is 'datasets/SVHN.csv'; the benchmark trains on cifar10"):
        list(NASBench301Logs().read(written(tmp_path / "nb301", {"results_0.json": log})))


@pytest.mark.parametrize("field", ["test_accuracy", "val_accuracy", "curve"])
@pytest.mark.parametrize("options", [{}, {"learning_rate": 0.1}])
def test_each_split_is_judged_by_itself(field: str, options: dict[str, Any], tmp_path: Path) -> None:
    log: dict[str, Any] = nasbench301_log(KEYS[0], 93.5, 93.0, **options)
    logs = {"results_0.json": log}
    if field == "curve":
        log["learning_curves"]["Train/val_accuracy"] = [0.4, 0.9]
    elif field == "test_accuracy":
        log[field] /= 100
    else:
        log["info"][0][field] /= 100
    if not options:  # percents of trainings with other settings are of another column
        logs["results_1.json"] = nasbench301_log(KEYS[0], 93.5, 93.0, learning_rate=0.1)
        logs["results_1.json"]["learning_curves"] = {}
    folder = written(tmp_path / "nb301", logs)
    with pytest.raises(IngestError, match=r"results_0\.json: .*so these are fractions"):
        list(NASBench301Logs(curves=field == "curve").read(folder))


def test_small_accuracies_are_said(tmp_path: Path) -> None:
    logs = {f"results_{place}.json": nasbench301_log(KEYS[place], 93.5, test) for place, test in enumerate((0.9, 93.0))}
    (batch,) = NASBench301Logs().read(written(tmp_path / "nb301", logs))
    assert [note[:56] for note in batch.notes] == ["test accuracy after 100 epochs: 1 of 2 values are 1 or l"]


@pytest.mark.parametrize("budget", [97.5, 0])
def test_a_budget_is_a_whole_number_of_epochs(budget: float, tmp_path: Path) -> None:
    log = {**nasbench301_log(KEYS[0], 93.5, 93.0), "budget": budget}
    with pytest.raises(IngestError, match=rf"budget is {budget}; a whole number of epochs"):
        list(NASBench301Logs().read(written(tmp_path / "nb301", {"results_0.json": log})))


def test_curves_are_read_on_demand(tmp_path: Path) -> None:
    folder = written(tmp_path / "nb301", {"results_0.json": nasbench301_log(KEYS[0], 93.5, 93.0)})
    with_curves = metrics_of(NASBench301Logs(curves=True).read(folder)).filter(stage="of 2", split="valid")
    assert with_curves.select("epochs", "value").rows() == [(1, 40.0), (2, 93.5)]
    assert metrics_of(NASBench301Logs().read(folder)).filter(stage="of 2").is_empty()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"optimized_hyperparamater_config": {}}, "names no DARTS architecture"),
        ({"optimized_hyperparamater_config": {**KEYS[0], next(iter(KEYS[0])): "conv_9x9"}}, "conv_9x9"),
        ({"info": []}, "info is"),
        ({"info": [{"val_accuracy": 101}]}, "val_accuracy is 101"),
        ({"test_accuracy": "high"}, "test_accuracy is 'high'"),
        ({"runtime": -1}, "runtime is -1"),
        ({"budget": None}, "budget is None"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    log = {**nasbench301_log(KEYS[0], 93.5, 93.0), **change}
    folder = written(tmp_path / "nb301", {"deep/results_7.json": log})
    with pytest.raises(IngestError, match=rf"deep/results_7\.json: .*{words}"):
        list(NASBench301Logs().read(folder))


def test_a_folder_without_logs(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"results_0\.json"):
        list(NASBench301Logs().read(tmp_path))


@given(DAMAGE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_a_clean_error(tmp_path: Path, damage: Damage) -> None:
    data = json.dumps(nasbench301_log(KEYS[0], 93.5, 93.0)).encode()
    survives(NASBench301Logs(curves=True).read, tmp_path / "results_0.json", damaged(data, damage))
