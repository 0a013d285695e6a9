"""Tables of text encoders and language models: what stands in which form, and what was never measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import IngestError
from catalog.spaces.staged import built_in
from catalog.storage.store import Store
from ingest.formats.staged_table import StagedTable
from ingest.reading.job import ingest

LAYER = {
    "operation_type": "SA",
    "operation_parameter": "SDP",
    "num_operation_heads": 2,
    "feed_forward_dimension": 512,
    "num_feed_forward": 1,
}
WIDE = {**LAYER, "operation_type": "DSC", "operation_parameter": 9, "num_operation_heads": 4, "num_feed_forward": 3}
TASKS = {"cola": -2.07, "mnli": 63.8, "mrpc": 71.08, "qnli": 78.0, "qqp": 81.15, "rte": 58.48, "sst": 78.67}
SCORES = {**TASKS, "sts": 79.86, "glue": 63.62125}
ID = "h128d2:SASDPn2f512x1.DSC9n4f512x3"


def record(*layers: dict[str, Any], hidden: int = 128, **scores: float) -> dict[str, Any]:
    return {"id": 0, "scores": {**SCORES, **scores}, "hidden_size": hidden, "encoder_layers": list(layers)}


def in_the_sources_form(said: dict[str, Any], **more: Any) -> dict[str, Any]:
    network = {"hidden_size": said["hidden_size"], "nas_config": {"encoder_layers": said["encoder_layers"]}}
    settings = {"learning_rate": 0.0005, "model_hparam_overrides": network}
    rest = {"is_running": False, "completed": True, "time_to_train": 3399.7}
    return {"id": said["id"], **rest, "scores": said["scores"], "hparams": settings, **more}


def lines(tmp_path: Path, *records: dict[str, Any]) -> Path:
    path = tmp_path / "encoders.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in records))
    return path


def encoders() -> StagedTable:
    return StagedTable(built_in("flexibert"))


def test_each_task_is_a_metric_of_its_own(tmp_path, catalog_path):
    path = lines(tmp_path, record(LAYER, WIDE))
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, encoders(), path)
        told = store.rows(
            "SELECT native_id, dataset, name, value FROM metric JOIN architecture ON id = architecture_id"
        )
        units = dict(store.rows("SELECT name, unit FROM measure"))
    found = {(dataset, name): value for _, dataset, name, value in told}
    assert {native_id for native_id, *_ in told} == {ID}
    assert found == {
        ("cola", "matthews_correlation"): -0.0207,
        ("mnli", "accuracy"): 63.8,
        ("mrpc", "accuracy"): 71.08,
        ("qnli", "accuracy"): 78.0,
        ("qqp", "accuracy"): 81.15,
        ("rte", "accuracy"): 58.48,
        ("sst2", "accuracy"): 78.67,
        ("stsb", "spearman_correlation"): 0.7986,
        ("glue", "glue_score"): 63.62125,
    }
    assert (units["accuracy"], units["glue_score"], units["matthews_correlation"]) == ("percent", "percent", None)


def test_the_sources_own_json_says_the_same(tmp_path):
    said = [record(LAYER, WIDE), record(WIDE, WIDE, LAYER, LAYER, hidden=256)]
    path = tmp_path / "benchmark.json"
    path.write_text(json.dumps([in_the_sources_form(one) for one in said]))
    (of_source,), (of_lines,) = encoders().read(path), encoders().read(lines(tmp_path, *said))
    assert of_source.metrics.equals(of_lines.metrics)
    assert of_source.members.native_ids == of_lines.members.native_ids


def test_a_score_that_nobody_measured_is_none(tmp_path):
    """RTE has two classes of equal size: a score of 0 is what stood there before, and no mean is one of it."""
    (batch,) = encoders().read(lines(tmp_path, record(LAYER, WIDE, rte=0), record(LAYER, LAYER, cola=0.0)))
    names = [(row["row"], row["dataset"]) for row in batch.metrics.to_pylist()]
    assert {dataset for row, dataset in names if row == 0} == {"cola", "mnli", "mrpc", "qnli", "qqp", "sst2", "stsb"}
    assert len([row for row, _ in names if row == 1]) == 9


def test_one_architecture_trained_twice_has_two_values(tmp_path):
    (batch,) = encoders().read(lines(tmp_path, record(LAYER, WIDE), record(LAYER, WIDE, mnli=64.0)))
    assert len(batch.members) == 1
    values = [(row["repeat"], row["value"]) for row in batch.metrics.to_pylist() if row["dataset"] == "mnli"]
    assert values == [(1, 63.8), (2, 64.0)]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (record(LAYER, {**LAYER, "num_operation_heads": 3}), "encoder_layers.1.num_operation_heads is 3; one of 2, 4"),
        (
            record(LAYER, {**WIDE, "operation_parameter": 7}),
            "operation_parameter is 7; one of SDP, WMA, DFT, DCT, 5, 9",
        ),
        (record({**LAYER, "operation_parameter": "DFT"}, LAYER), "block 1 of stage 1: operation = SA, parameter = DFT"),
        (record(LAYER, LAYER, hidden=192), "hidden_size is 192; one of 128, 256 is needed"),
        (record(LAYER, LAYER, LAYER), "encoder_layers.3.operation_type is missing"),
        (record(*[LAYER] * 5), "encoder_layers.4.operation_type is 'SA', and the space has nothing of that name"),
        (record(LAYER, {**LAYER, "dropout": 0.1}), "encoder_layers.1.dropout is 0.1"),
        (record(LAYER, LAYER, mnli=0.638), "these are fractions"),
        (in_the_sources_form(record(LAYER, LAYER), completed=False), "completed is False: the record has no results"),
        (in_the_sources_form(record(LAYER, LAYER), hidden_size=128), "hidden_size stands there twice"),
        ({"arch": "00", "test_acc_0": 93.0}, "columns that mean nothing here: arch, test_acc_0"),
    ],
)
def test_what_is_no_encoder_is_refused_by_its_line(tmp_path, said, fault):
    with pytest.raises(IngestError) as error:
        list(encoders().read(lines(tmp_path, said)))
    assert fault in str(error.value)
    assert "encoders.jsonl" in str(error.value)
    assert "othing was stored" in str(error.value)


def test_losses_of_language_models(tmp_path, catalog_path):
    path = tmp_path / "models.csv"
    path.write_text("d_model,layers,heads,validation_loss,runs\n96,4,4,5.317,1\n488,24,12,3.25,4\n")
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, StagedTable(built_in("decoder_lm")), path)
        columns = "arch, valid_loss_models, params"
        assert store.rows(f"SELECT {columns} FROM decoder_lm ORDER BY 2") == [
            ("d488l24h12", 3.25, 125_701_480),
            ("d96l4h4", 5.317, 10_126_176),
        ]
        assert store.rows("SELECT direction FROM measure WHERE name = 'loss'") == [(-1,)]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("320,4,12,5,1", "width = 320, layers = 4, heads = 12 is against the rule 'width % heads == 0 or"),
        ("100,4,4,5,1", "d_model is '100'; one of 96, 192"),
        ("96,4,4,low,1", "validation_loss is 'low'; a number is needed"),
    ],
)
def test_what_is_no_language_model_is_refused_by_its_line(tmp_path, row, fault):
    path = tmp_path / "models.csv"
    path.write_text(f"d_model,layers,heads,validation_loss,runs\n96,4,8,5,1\n{row}\n")
    with pytest.raises(IngestError) as error:
        list(StagedTable(built_in("decoder_lm")).read(path))
    assert str(error.value).startswith("models.csv line 3: ")
    assert fault in str(error.value)
    assert "othing was stored" in str(error.value)
