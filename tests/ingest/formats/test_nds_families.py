"""NDS's logs of networks of stages: which space they are of, what they say, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import catalog
from catalog.architecture.computation.sized import SizedNetworks
from catalog.errors import IngestError, UsageError
from catalog.spaces.staged import built_in
from ingest.formats.nds_families import NDSFamilies

BASIC: dict[str, Any] = {
    "block_type": "res_basic_block",
    "bot_muls": [],
    "ds": [1, 1, 2, 1],
    "num_gs": [],
    "ss": [1, 1, 2, 2],
    "ws": [16, 24, 32, 32],
}
BOTTLENECK: dict[str, Any] = {  # the example of another program that reads the public files
    "block_type": "res_bottleneck_block",
    "bot_muls": [0.0, 0.25, 0.25, 0.25],
    "ds": [1, 16, 1, 4],
    "num_gs": [1, 2, 1, 2],
    "ss": [1, 1, 2, 2],
    "ws": [16, 64, 128, 16],
}
OF_BOTH = {**BOTTLENECK, "ws": [16, 64, 128, 64]}


def log(space: str, native_id: str, net: dict[str, Any], errors: list[float]) -> dict[str, Any]:
    staged = built_in(space)
    facts = SizedNetworks(staged.vocabulary).facts(staged.graph(native_id))
    return {
        "job_id": 1,
        "rng_seed": 1,
        "net": net,
        "optim": {"base_lr": 0.1, "wd": 5e-4, "max_ep": len(errors)},
        "params": facts.parameters,
        "flops": facts.multiply_accumulates,
        "test_ep_top1": errors,
        "min_test_top1": min(errors),
    }


def basic(errors: list[float], **changed: Any) -> dict[str, Any]:
    return {**log("nds_resnet", "d1w24_d2w32_d1w32", BASIC, errors), **changed}


def bottleneck(errors: list[float], **changed: Any) -> dict[str, Any]:
    return {**log("nds_resnext_a", "d16w64r0.25g2_d1w128r0.25g1_d4w16r0.25g2", BOTTLENECK, errors), **changed}


def of_both() -> dict[str, Any]:
    return log("nds_resnext_b", "d16w64r0.25g2_d1w128r0.25g1_d4w64r0.25g2", OF_BOTH, [50.0])


def written(tmp_path: Path, name: str, *logs: Any) -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(list(logs)))
    return path


def test_errors_become_accuracies_and_equal_networks_are_repeats(tmp_path):
    path = written(tmp_path, "ResNet.json", basic([60.0, 7.5, 8.0]), basic([60.0, 9.0, 9.0]))
    loader = NDSFamilies(path)
    (batch,) = loader.read(path)
    assert (loader.space, batch.members.native_ids, batch.record_count) == ("nds_resnet", ["d1w24_d2w32_d1w32"], 2)
    told = [
        (row["name"], row["dataset"], row["epochs"], row["stage"], row["repeat"], row["value"])
        for row in batch.metrics.to_pylist()
        if row["split"] == "test"
    ]
    assert told == [
        ("accuracy", "cifar10", 3, "final", 1, 92.0),
        ("best_accuracy", "cifar10", 3, "best", 1, 92.5),
        ("accuracy", "cifar10", 3, "final", 2, 91.0),
        ("best_accuracy", "cifar10", 3, "best", 2, 91.0),
    ]
    assert loader.facts(path).name == "nds_resnet"
    assert any("kept as a repeat" in note for note in batch.notes)


def test_trainings_with_other_settings_share_no_column(tmp_path):
    tuned = basic([8.0], optim={"base_lr": 0.2, "wd": 5e-4, "max_ep": 1})
    path = written(tmp_path, "ResNet_lr-wd.json", basic([9.0]), tuned)
    (batch,) = NDSFamilies(path).read(path)
    assert {row["name"] for row in batch.metrics.to_pylist() if row["split"] == "test"} == {
        "tuned_accuracy",
        "tuned_best_accuracy",
    }
    assert [row["value"] for row in batch.metrics.to_pylist() if row["name"] == "tuned_learning_rate"] == [0.1, 0.2]


@pytest.mark.parametrize(
    ("name", "said", "space"),
    [
        ("ResNeXt-A.json", of_both, "nds_resnext_a"),
        ("ResNeXt-B.json", of_both, "nds_resnext_b"),
        ("mine.json", lambda: bottleneck([50.0]), "nds_resnext_a"),
    ],
)
def test_which_resnext_it_is_says_the_name_or_the_networks(tmp_path, name, said, space):
    loader = NDSFamilies(written(tmp_path, name, said()))
    assert loader.space == space


def test_networks_of_both_need_a_word(tmp_path):
    path = written(tmp_path, "mine.json", of_both())
    with pytest.raises(UsageError, match="--space nds_resnext_a or --space nds_resnext_b"):
        NDSFamilies(path)
    assert NDSFamilies(path, space="nds_resnext_b").space == "nds_resnext_b"
    with pytest.raises(UsageError, match="--space is 'nb201'; one of nds_vanilla"):
        NDSFamilies(path, space="nb201")


def test_group_widths_say_the_same_as_groups(tmp_path):
    net = {name: value for name, value in BOTTLENECK.items() if name != "num_gs"}
    path = written(tmp_path, "ResNeXt-A.json", bottleneck([50.0], net={**net, "gws": [16, 8, 32, 2]}))
    (batch,) = NDSFamilies(path).read(path)
    assert batch.members.native_ids == ["d16w64r0.25g2_d1w128r0.25g1_d4w16r0.25g2"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"net": {**BASIC, "ds": [1, 5, 2, 1]}}, "at character 2 stands '5w24_d2w32_d1w32', and one of 1, 2, 3, 4, 6"),
        ({"net": {**BASIC, "ws": [16, 20, 32, 32]}}, "stands '20_d2w32_d1w32', and one of 16, 24"),
        ({"net": {**BASIC, "ws": [16, 24, 32]}}, "net.ws is [16, 24, 32]; a list of 4 numbers"),
        ({"net": {**BASIC, "ds": [1, 1, True, 1]}}, "net.ds is [1, 1, True, 1]; a list of 4 numbers"),
        (
            {"net": {**BASIC, "ss": [4, 1, 2, 2]}},
            "net.ss is [4, 1, 2, 2]; [1, 1, 2, 2], of the stem and three stages, is",
        ),
        ({"net": {**BASIC, "ws": [64, 24, 32, 32]}}, "a stem of 1 block and 16 channels is needed"),
        ({"net": {**BASIC, "num_gs": [1, 2, 2, 2]}}, "net.num_gs is [1, 2, 2, 2]; an empty list, in a network"),
        ({"net": {**BASIC, "block_type": "dense"}}, "net.block_type is 'dense'; one of double_plain_block, res_basic"),
        ({"net": None}, "net is missing; an object with block_type, ds, ws and ss is needed"),
        ({"params": 1}, "params is 1, but the network of d1w24_d2w32_d1w32 has "),
        ({"test_ep_top1": []}, "test_ep_top1 is"),
        ({"min_test_top1": 120}, "min_test_top1 is 120; a number from 0 to 100 is needed"),
    ],
)
def test_what_is_outside_the_family_is_refused_by_entry(tmp_path, changed, said):
    path = written(tmp_path, "ResNet.json", basic([50.0]), basic([50.0], **changed))
    with pytest.raises(IngestError) as error:
        list(NDSFamilies(path).read(path))
    assert "ResNet.json: entry 1: " in str(error.value)
    assert said in str(error.value)
    assert "othing was stored" in str(error.value)


def test_files_of_imagenet_and_of_two_families_are_refused(tmp_path):
    with pytest.raises(IngestError, match="trainings on ImageNet"):
        NDSFamilies(written(tmp_path, "ResNeXt-A_in.json", bottleneck([50.0])))
    with pytest.raises(IngestError, match="entry 1: net.block_type is .* the same as in the entries before it"):
        NDSFamilies(written(tmp_path, "mine.json", basic([50.0]), bottleneck([50.0])))


def test_resnet_56_has_the_parameters_that_nds_bounds_its_networks_by():
    """Its authors compare networks of at most 0.856 million parameters, those of a ResNet-56."""
    from catalog.spaces.staged import FILES
    from catalog.spaces.staged.space import StagedSpace

    text = (FILES / "nds_resnet.toml").read_text().replace("d = [1,", "d = [9, 1,").replace("nds_resnet", "deeper")
    space = StagedSpace.from_text(text, "deeper.toml")
    assert SizedNetworks(space.vocabulary).facts(space.graph("d9w16_d9w32_d9w64")).parameters == 855_770


def test_the_command_tells_families_from_cells(tmp_path):
    with catalog.open(tmp_path / "c.duckdb", "write") as session:
        (report,) = session.ingest("nds", written(tmp_path, "ResNet.json", basic([50.0])))
        assert (report.space, report.source, report.records) == ("nds_resnet", "nds_resnet", 1)
        assert session.spaces()["space"].to_list() == ["nds_resnet"]
        (top,) = session.top("nds_resnet", by="cifar10_test_accuracy_1ep", k=1, columns=["arch", "params"]).to_dicts()
        assert top["arch"] == "d1w24_d2w32_d1w32"
        assert set(session.doctor(full=True).frame["result"]) == {"ok"}
        with pytest.raises(UsageError, match="holds no networks of stages"):
            session.ingest("nds", written(tmp_path, "cells.json"), space="nds_resnet")
