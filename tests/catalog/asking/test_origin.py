"""Where a column comes from: every kind of column tells its source, its runs, and what is missing and why."""

from __future__ import annotations

import json

import pytest

from catalog.asking.origin import Origin, origin_of
from catalog.asking.run_command import run_command
from catalog.errors import UnknownColumnError, UnknownSpaceError
from catalog.storage.store import Store
from tests.catalog.analysis.conftest import DIGEST, judged

__all__ = ["judged"]

COMMAND = ["catalog", "ingest", "nasbench201", "my table.csv", "--epochs", "200"]


@pytest.fixture
def told(judged: Store) -> Store:
    """The judged catalog, whose only run says how it was started."""
    judged.execute(
        "INSERT INTO run BY NAME SELECT 1 AS id, 'ingest' AS kind, ? AS parameters, '{\"duckdb\": \"1\"}' AS versions, "
        "TIMESTAMPTZ '2026-01-01 00:00:00+00' AS started_at, 'done' AS outcome",
        [json.dumps({"command": COMMAND})],
    )
    judged.execute("UPDATE source SET path = 'my table.csv', citation = 'Somebody 2026'")
    return judged


def facts(origin: Origin, part: int | None = None) -> dict[str, str]:
    rows = origin.frame.rows()
    return {fact: value for number, fact, value in rows if number == part}


def test_a_metric_names_file_digest_run_command_and_how_seeds_are_averaged(told: Store) -> None:
    origin = origin_of(told, "nb201", "cifar10_test_accuracy")
    whole, part = facts(origin), facts(origin, 1)
    assert (whole["architectures"], whole["with a value"], whole["NULL"]) == ("4", "3", "1")
    assert (whole["metric"], whole["unit"], whole["better"]) == ("accuracy", "percent", "higher")
    assert whole["NULL because"] == "1: no source has a row"
    assert "mean over the seeds" in whole["how it is averaged"]
    assert part["sha256"] == DIGEST
    assert part["file"] == "my table.csv"
    assert part["command of run 1"] == "catalog ingest nasbench201 'my table.csv' --epochs 200"
    assert part["run 1"] == "ingest of 2026-01-01 00:00 UTC, done; duckdb 1"
    assert (part["rows"], part["rows of one seed"], part["published means"]) == ("9", "6", "3")
    assert part["architectures by seeds"] == "3 with 2"


def test_a_row_without_a_value_is_told_from_a_missing_row(told: Store) -> None:
    told.execute("UPDATE metric SET value = NULL WHERE architecture_id = 2 AND epochs = 12 AND dataset = 'cifar10'")
    origin = origin_of(told, "nb201", "cifar10_test_accuracy_12ep")
    assert facts(origin)["NULL because"] == "1: the source has a row without a value"
    assert facts(origin, 1)["rows without a value"] == "1"


def test_a_latency_has_its_unit_and_is_better_when_low(told: Store) -> None:
    whole = facts(origin_of(told, "nb201", "latency_edgegpu"))
    assert (whole["unit"], whole["better"]) == ("ms", "lower")


def test_published_scores_name_their_source_and_what_nobody_scored(told: Store) -> None:
    origin = origin_of(told, "nb201", "zen_published")
    assert facts(origin)["how it came about"].startswith("published: the scores came with suite_zero")
    assert facts(origin)["NULL because"] == "1: not scored"
    assert facts(origin, 1)["sha256"] == DIGEST


def test_counted_proxies_say_that_no_file_gave_them_and_why_one_is_missing(told: Store) -> None:
    whole = facts(origin_of(told, "nb201", "shortest_path"))
    assert whole["how it came about"].startswith("derived: counted from the stored graph")
    assert whole["NULL because"] == "1: disconnected, no path"
    assert whole["better"] == "lower"


def test_predictors_tell_checkpoint_labels_and_development(told: Store) -> None:
    told.execute(
        "UPDATE proxy SET checkpoint_digest = 'c0ffee', description = 'learns; developed with nb201 in sight' "
        "WHERE id = 4"
    )
    origin = origin_of(told, "nb201", "learned")
    part = facts(origin, 1)
    assert facts(origin)["how it came about"].startswith("predicted here")
    assert part["checkpoint sha256"] == "c0ffee"
    assert part["trained on"].startswith("1 architectures of nb201")
    assert part["development number"].startswith("yes: nb201 was in sight")


def test_the_spread_of_an_ensemble_is_no_score_and_a_proxy_that_ends_so_is_one(told: Store) -> None:
    told.execute("UPDATE proxy SET name = 'learned_std', \"column\" = 'learned_std' WHERE id = 4")
    rebuilt(told)
    assert facts(origin_of(told, "nb201", "learned_std"))["how it came about"] == "measured here"
    told.execute("UPDATE proxy SET description = 'spread of learned' WHERE id = 4")
    assert "the ensemble learned differ" in facts(origin_of(told, "nb201", "learned_std"))["how it came about"]


def rebuilt(catalog: Store) -> None:
    from catalog.tables import views

    with catalog.transaction():
        views.rebuild(catalog, "nb201")


@pytest.mark.parametrize(
    ("column", "fact", "words"),
    [
        ("count_conv", "how it came about", "counted from the stored graph"),
        ("cell", "how it came about", "architecture.native_id: the benchmark's own identifier"),
        ("index", "how it came about", "architecture.native_index"),
        ("is_connected", "how it came about", "whether every cell has a path"),
    ],
)
def test_identifiers_and_counts_follow_from_the_graphs(told: Store, column: str, fact: str, words: str) -> None:
    told.execute("UPDATE space SET native_id_name = 'cell' WHERE name = 'nb201'")
    origin = origin_of(told, "nb201", column)
    assert origin.parts == ()
    assert words in facts(origin)[fact]
    assert repr(origin).startswith(f"nb201.{column}\n")


def test_every_column_of_a_view_can_be_explained(told: Store) -> None:
    for column in told.answer("FROM nb201 LIMIT 0").columns:
        assert len(origin_of(told, "nb201", column)) > 3, column


def test_unknown_names_have_near_ones(told: Store) -> None:
    with pytest.raises(UnknownColumnError, match=r"Did you mean .*zen_published"):
        origin_of(told, "nb201", "zen_publishd")
    with pytest.raises(UnknownSpaceError, match="no search space 'nb202'"):
        origin_of(told, "nb202", "zen_published")


@pytest.mark.parametrize(
    ("kind", "parameters", "command"),
    [
        ("enumerate", {"space": "nb201"}, "catalog spaces --enumerate nb201"),
        ("draw", {"space": "ofa", "count": 9, "seed": 1}, "catalog spaces draw ofa --count 9 --seed 1"),
        ("score", {"space": "nb201", "predictor": "tg_nas"}, "catalog score nb201 --proxy tg_nas"),
        (
            "score",
            {
                "space": "nb201",
                "proxies": ["snip", "nwot"],
                "where": "params < 1",
                "sample": 4,
                "sample_seed": 2,
                "input": "noise",
                "seeds": 3,
                "configuration": {"batch_size": 8, "network": {"channels": 16, "cells": 1}},
                "layerwise": True,
            },
            "catalog score nb201 --proxy snip --proxy nwot --where 'params < 1' --sample 4 --seed 2 --input noise "
            "--seeds 3 --batch-size 8 --channels 16 --cells 1 --layerwise",
        ),
        ("ingest", {"file": "x.csv"}, None),
    ],
)
def test_a_run_tells_its_command_as_far_as_it_is_known(
    kind: str, parameters: dict[str, object], command: str | None
) -> None:
    assert run_command(kind, json.dumps(parameters)) == command
