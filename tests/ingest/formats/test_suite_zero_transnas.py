"""NAS-Bench-Suite-Zero's file of TransNAS-Bench-101's micro space: tasks, each with its own metric and decoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.errors import IngestError
from ingest.formats.suite_zero import SuiteZero
from tests.ingest.formats.tables import metrics_of
from tests.ingest.formats.test_suite_zero import read, written


def micro(**tasks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A file of TransNAS-Bench-101's micro space by task, with architectures by NASLib's tuple."""
    return tasks


def test_each_task_s_own_metric(tmp_path: Path) -> None:
    """Values and parameters of the published file."""
    path = written(
        tmp_path / "zc_transbench101_micro.json",
        micro(
            class_scene={"(1, 0, 0, 2, 1, 0)": {"val_accuracy": 34.89251708984375, "params": {"score": 0.910687}}},
            room_layout={"(3, 1, 3, 3, 3, 3)": {"val_accuracy": -0.6815727949142456, "params": {"score": 35.465513}}},
            jigsaw={"(1, 0, 0, 1, 0, 0)": {"val_accuracy": 63.71915054321289, "params": {"score": 4.976136}}},
            normal={"(3, 2, 2, 1, 2, 1)": {"val_accuracy": 0.5567842125892639, "params": {"score": 31.588947}}},
            autoencoder={"(0, 2, 2, 3, 2, 2)": {"val_accuracy": 0.47336044907569885, "params": {"score": 32.272211}}},
            segmentsemantic={"(3, 2, 3, 0, 2, 3)": {"val_accuracy": 94.58386993408203, "params": {"score": 34.056017}}},
            class_object={"(1, 0, 0, 2, 2, 3)": {"val_accuracy": 35.36027145385742, "params": {"score": 9.459588}}},
        ),
    )
    assert SuiteZero("transnas_micro").facts(path).name == "suite_zero_transbench101_micro"
    found = metrics_of(read("transnas_micro", path))
    assert set(found["kind"]) == {"reported"}
    assert set(found["split"]) == {"valid"}
    assert found.select("architecture", "dataset", "name", "value").rows() == [
        ("64-41414-1_00_210", "class_scene", "accuracy", 34.89251708984375),
        ("64-41414-3_13_333", "room_layout", "neg_loss", -0.6815727949142456),
        ("64-41414-1_00_100", "jigsaw", "accuracy", 63.71915054321289),
        ("64-41414-3_22_121", "normal", "ssim", 0.5567842125892639),
        ("64-41414-0_22_322", "autoencoder", "ssim", 0.47336044907569885),
        ("64-41414-3_23_023", "segmentsemantic", "accuracy", 94.58386993408203),
        ("64-41414-1_00_223", "class_object", "accuracy", 35.36027145385742),
    ]


@pytest.mark.parametrize(
    ("task", "key", "fields", "said"),
    [
        ("class_scene", "(1, 0, 0, 2, 1, 0)", {"params": 0.910688}, "has 910,687 parameters on class_scene"),
        ("jigsaw", "(1, 0, 0, 2, 1, 0)", {"params": 0.910687}, "has 5,487,368 parameters on jigsaw"),
        ("class_scene", "(1, 2, 4, 2, 0, 0)", {"params": 11.218783}, "names no cell"),
        ("class_scene", "64-41414-1_00_210", {"val_accuracy": 134.0}, "accuracies are percent"),
        ("room_layout", "(1, 0, 0, 2, 1, 0)", {"val_accuracy": 0.7}, "of this task it is the neg_loss"),
        ("normal", "(1, 0, 0, 2, 1, 0)", {"val_accuracy": 55.0}, "of this task it is the ssim"),
        ("cifar10", "(1, 0, 0, 2, 1, 0)", {"nwot": 1.0}, "is no data set of transbench101_micro"),
    ],
)
def test_wrong_files_of_the_micro_space(tmp_path: Path, task: str, key: str, fields: dict[str, Any], said: str) -> None:
    path = written(tmp_path / "zc.json", micro(**{task: {key: fields}}))
    with pytest.raises(IngestError) as error:
        read("transnas_micro", path)
    assert said in str(error.value)
    assert "othing was stored" in str(error.value)


def test_a_user_s_own_values_of_a_task_keep_its_metric(tmp_path: Path) -> None:
    path = written(tmp_path / "mine.json", micro(room_layout={"(1, 0, 0, 2, 1, 0)": {"val_accuracy": -0.5}}))
    assert SuiteZero("transnas_micro").facts(path).name == "mine"
    batches = read("transnas_micro", path)
    assert metrics_of(batches).select("name", "split", "value").rows() == [("neg_loss", None, -0.5)]
    assert "it is stored as neg_loss without split" in " ".join(note for batch in batches for note in batch.notes)


def test_the_macro_space_is_another_benchmark(tmp_path: Path) -> None:
    path = written(tmp_path / "zc_transbench101_macro.json", micro(class_scene={"(1, 0, 0, 2, 1, 0)": {"nwot": 1.0}}))
    with pytest.raises(IngestError, match="transbench101_macro, not of transbench101_micro"):
        read("transnas_micro", path)
