"""Face landmarks: stages in timm's notation, from the plain table and from the source's own, with JSON in a column."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from catalog.errors import IngestError
from catalog.spaces.staged import built_in
from catalog.storage.store import Store
from ingest.formats.staged_table import StagedTable
from ingest.reading.job import ingest

STAGES = [
    "ds_r1_k3_s1_c16",
    "ir_r2_k3_s2_e6_c24",
    "ir_r3_k7_s2_e2_c32",
    "ir_r4_k3_s2_e6_c64",
    "ir_r3_k3_s1_e6_c96",
    "ir_r3_k5_s2_e6_c160",
    "ir_r1_k3_s1_e4_c320",
]
ID = "w0.5d0.25:" + " ".join(STAGES)


def table(tmp_path: Path, *, stages: list[str] = STAGES, width: str = "0.5", error: str = "0.04") -> Path:
    path = tmp_path / "mine.csv"
    header = "id,blocks,channel_multiplier,depth_multiplier,validation_error,full_validation_error,latency_ms"
    path.write_text(f"{header}\na1,{' '.join(stages)},{width},0.25,{error},0.02,1.5\n")
    return path


def test_every_column_is_kept_with_its_kind(tmp_path):
    (batch,) = StagedTable(built_in("face_landmark")).read(table(tmp_path))
    assert batch.members.native_ids == [ID]
    told = [
        (row["name"], row["kind"], row["split"], row["epochs"], row["stage"], row["value"])
        for row in batch.metrics.to_pylist()
    ]
    assert told == [
        ("error", "trained", "valid", 30, "tenth", 0.04),
        ("error", "trained", "valid", None, "full", 0.02),
        ("latency", "reported", None, None, None, 1.5),
    ]


def test_the_sources_own_table_says_the_same(tmp_path):
    (plain,) = StagedTable(built_in("face_landmark")).read(table(tmp_path))
    config = {"arch_def": [[stage] for stage in STAGES], "channel_multiplier": 0.5, "depth_multiplier": 0.25}
    path = tmp_path / "search_results.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = ["", "archid", "Partial_training_Validation_Error", "onnx_latency_(ms)", "parent", "is_pareto"]
        writer.writerow([*names, "config", "Full_Training_Validation_Error"])
        writer.writerow(["0", "8ec1619b", "0.04", "1.5", "", "False", json.dumps(config), "0.02"])
    (batch,) = StagedTable(built_in("face_landmark")).read(path)
    assert batch.members.native_ids == plain.members.native_ids
    assert batch.metrics.equals(plain.metrics)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"width": "0.6"}, "channel_multiplier is '0.6'; one of 0.25, 0.5, 0.75, 1.0, 1.25"),
        ({"stages": [*STAGES[:-1], "ir_r1_k9_s1_e4_c320"]}, "at character 8 stands '9_s1_e4_c320', and one of 3, 5, 7"),
        ({"stages": [*STAGES[:-1], "ir_r1_k3_s1_e4_c640"]}, "blocks.6: 'ir_r1_k3_s1_e4_c640'"),
        (
            {"stages": [*STAGES[:-1], "ir_r2_k3_s1_e4_c320"]},
            "at character 5 stands '2_k3_s1_e4_c320', and one of 1 for r",
        ),
        ({"stages": [*STAGES[:-1], f"{STAGES[-1]}_se0.25"]}, "stands '_se0.25', and the end is needed"),
        ({"stages": STAGES[:-1]}, "blocks.6 is missing; the id of a stage is needed"),
        ({"stages": [*STAGES, "ir_r1_k3_s1_e4_c320"]}, "blocks.7 is 'ir_r1_k3_s1_e4_c320', and the space has nothing"),
        (
            {"stages": ["ds_r1_k3_s1_c8", *STAGES[1:]]},
            "is 'ds_r1_k3_s1_c8'; in this space it is always ds_r1_k3_s1_c16",
        ),
        ({"error": "small"}, "validation_error is 'small'; a number is needed"),
    ],
)
def test_what_is_outside_the_space_is_refused_by_line(tmp_path, changed, said):
    with pytest.raises(IngestError) as error:
        list(StagedTable(built_in("face_landmark")).read(table(tmp_path, **changed)))
    assert "mine.csv line 2: " in str(error.value)
    assert said in str(error.value)
    assert "othing was stored" in str(error.value)


def test_columns_that_say_the_same_twice_must_agree(tmp_path):
    path = table(tmp_path)
    config = json.dumps({"arch_def": [[stage] for stage in STAGES], "channel_multiplier": 1.0})
    header, row = path.read_text().splitlines()
    quoted = config.replace('"', '""')
    path.write_text(f'{header},config\n{row},"{quoted}"\n')
    with pytest.raises(IngestError, match=r"line 2: channel_multiplier and config.channel_multiplier differ"):
        list(StagedTable(built_in("face_landmark")).read(path))


def test_a_broken_json_in_a_column_is_no_crash(tmp_path):
    path = tmp_path / "broken.csv"
    path.write_text('config,Partial_training_Validation_Error,onnx_latency_(ms)\n"{""arch_def"": [",0.04,1.5\n')
    with pytest.raises(IngestError, match=r"broken.csv line 2: config.arch_def.0.0 is missing"):
        list(StagedTable(built_in("face_landmark")).read(path))


def test_stages_whose_multipliers_give_one_depth_are_one_network():
    """A quarter of 1 to 4 blocks is one block: other ids, the same graph."""
    space = built_in("face_landmark")
    other = ID.replace("ir_r4_k3_s2_e6_c64", "ir_r2_k3_s2_e6_c64")
    assert space.locate(other) == other
    assert space.graph(other) == space.graph(ID)


def test_the_published_table(data_dir, catalog_path):
    path = data_dir / "spaces" / "face_landmark.csv.gz"
    if not path.exists():
        pytest.skip(f"needs {path}")
    with Store.open(catalog_path, mode="write") as store:
        report = ingest(store, StagedTable(built_in("face_landmark")), path)
        assert (report.source, report.records, report.new_architectures) == ("face_landmark", 224, 224)
        assert store.rows("SELECT count(DISTINCT canonical_id) FROM architecture") == [(217,)]
        assert store.rows(
            "SELECT count(facesynthetics_valid_error_30ep), count(facesynthetics_valid_error),"
            " count(facesynthetics_latency_reported) FROM face_landmark"
        ) == [(224, 7, 224)]
        assert store.rows("SELECT direction FROM measure WHERE name = 'error'") == [(-1,)]
