"""Two kinds of rows share a column only if they mean the same; otherwise the second says what it is."""

from __future__ import annotations

from typing import Any

from catalog.tables.column_names import WideDefaults, metric_columns, proxy_columns

USUAL = {
    "source": "nb201",
    "source_kind": "nb201-table",
    "name": "accuracy",
    "kind": "trained",
    "dataset": "cifar10",
    "split": "test",
    "epochs": 200,
    "stage": "final",
    "device": None,
}
DEFAULTS = WideDefaults("nb201", 200)


def columns(*groups: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    made = [{**USUAL, **group} for group in groups]
    named = metric_columns(made, DEFAULTS)
    assert sorted(map(str, made)) == sorted(str(one) for members in named.values() for one in members)
    return named


def test_devices_that_differ_in_a_character_have_columns_of_their_own() -> None:
    latency = {"name": "latency", "kind": "reported", "dataset": None, "split": None}
    named = columns({**latency, "device": "gpu-1"}, {**latency, "device": "gpu_1"}, {**latency, "device": "GPU 1"})
    assert list(named) == ["latency_gpu_1", "latency_gpu_1_2", "latency_gpu_1_3"]
    assert [members[0]["device"] for members in named.values()] == ["gpu-1", "gpu_1", "GPU 1"]


def test_names_that_differ_in_case_are_not_merged() -> None:
    assert list(columns({"name": "bleu"}, {"name": "BLEU"})) == ["cifar10_test_bleu", "cifar10_test_bleu_2"]


def test_the_best_epoch_is_not_the_last_one() -> None:
    named = columns({"stage": "best"}, {"stage": "final"})
    assert {name: members[0]["stage"] for name, members in named.items()} == {
        "cifar10_test_accuracy": "final",
        "cifar10_test_accuracy_best": "best",
    }
    assert list(columns({"stage": "best"})) == ["cifar10_test_accuracy"]


def test_the_validation_of_two_data_sets_is_two_columns() -> None:
    named = columns(
        {"split": "valid", "source": "nats"}, {"dataset": "cifar10-valid", "split": "valid", "source": "nats"}
    )
    assert list(named) == ["cifar10_valid_accuracy_nats", "cifar10_valid_accuracy_nats_2"]


def test_reported_numbers_of_two_lengths_are_two_columns() -> None:
    reported = {"kind": "reported", "name": "latency"}
    named = columns({**reported, "epochs": 12}, {**reported, "epochs": 200})
    assert {name: members[0]["epochs"] for name, members in named.items()} == {
        "cifar10_test_latency_reported": 200,
        "cifar10_test_latency_reported_12ep": 12,
    }


def test_sources_of_one_meaning_share_a_column_where_its_name_tells_none() -> None:
    (members,) = columns({"kind": "surrogate", "source": "nats"}, {"kind": "surrogate"}).values()
    assert [one["source"] for one in members] == ["nb201", "nats"]  # the default source first


def test_a_users_table_tells_its_source_whatever_it_holds() -> None:
    latency = {"kind": "reported", "name": "latency", "split": None, "device": "fpga"}
    named = columns({**latency, "source": "hw_nas_bench"}, {**latency, "source": "mine"})
    assert list(named) == ["cifar10_latency_fpga", "cifar10_latency_fpga_mine"]


def test_sources_whose_names_come_out_alike_do_not() -> None:
    assert len(columns({"source": "my-own"}, {"source": "my_own"})) == 2


def test_the_files_of_an_own_space_are_parts_of_one() -> None:
    own = {"source_kind": "graphs-jsonl", "name": "latency", "dataset": None, "split": None}
    named = columns({**own, "device": "gpu_1"}, {**own, "source": "t", "device": "gpu_1"}, {**own, "device": "gpu-1"})
    assert [len(members) for members in named.values()] == [2, 1]
    assert list(named) == ["latency_gpu_1", "latency_gpu_1_2"]


def test_proxies_that_differ_in_a_character_have_columns_of_their_own() -> None:
    usual = {"published_as": "published", "input": None}
    named = proxy_columns([{**usual, "column": "deep-ness"}, {**usual, "column": "deep_ness"}])
    assert list(named) == ["deep_ness_published", "deep_ness_published_2"]


def test_a_number_is_not_taken_from_another_name() -> None:
    named = proxy_columns([{"column": name, "published_as": None, "input": None} for name in ("a-b", "a_b", "a_b_2")])
    assert len(named) == 3
