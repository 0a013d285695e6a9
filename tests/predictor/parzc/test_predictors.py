"""ParZC behind the door, and all the way through a catalog."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catalog.errors import UsageError
from catalog.storage.store import Store
from catalog.testing import check_predictor, sample_given
from predictor.door import Labelled, Training
from predictor.door.checkpoint import read_card, write
from predictor.parzc.predictors import STATISTICS, ParZC, ParZCDagger
from predictor.scoring.entry import ScoreOptions, score
from predictor.scoring.reading import read_given
from predictor.scoring.reading_layers import read_layers
from predictor.zero_cost import MeasureConfig
from predictor.zero_cost.engine import LocalEngine
from tests.catalog.cli.commands import call_catalog
from tests.predictor.scored_cells import CELLS, CONV, CUT, TWINS, TWO, database_of_cells, enter_cells, scores

SHORT = {"epochs": 2, "channels": 16, "samples": 2}
MORE = (
    "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|",
    "|none~0|+|nor_conv_1x1~0|none~1|+|nor_conv_3x3~0|none~1|nor_conv_3x3~2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
)


@pytest.mark.parametrize("variant", ["statistics", "hybrid"])
def test_it_passes_the_common_test(variant: str) -> None:
    check_predictor(ParZC, SHORT | {"variant": variant})


def test_the_sine_passes_the_common_test() -> None:
    check_predictor(ParZCDagger)


def labelled(**changes: object) -> Labelled:
    given = sample_given(ParZC)
    assert given.layers is not None
    labels = np.random.default_rng(0).normal(size=len(given))
    labels[(given.layers.network < 0) | ~given.connected] = np.nan
    return replace(Labelled("nb201 accuracy", given, labels), **changes)  # type: ignore[arg-type]


def test_a_label_whose_layers_nobody_measured_is_refused_with_what_to_do() -> None:
    labels = labelled().labels.copy()
    labels[len(labels) // 3] = 1.0
    with pytest.raises(
        UsageError, match=r"1 of the \d+ labelled .* catalog score nb201 --proxy grad_norm .*--layerwise"
    ):
        ParZC.configured(SHORT).fit([labelled(labels=labels)], Training())


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"variant": "dagger"}, "allowed are statistics, hybrid"),
        ({"loss": "kendall"}, "allowed are diff_kendall"),
        ({"epochs": 0}, "1 is the least"),
    ],
)
def test_options_that_it_does_not_have_are_refused(options: dict[str, object], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        ParZC.configured(options)


def test_it_learns_from_one_space() -> None:
    with pytest.raises(UsageError, match="one space"):
        ParZC.configured(SHORT).fit([labelled(), labelled()], Training())


def test_an_operator_that_was_not_trained_with_is_a_reason(tmp_path: Path) -> None:
    fitted = ParZC.configured(SHORT | {"variant": "hybrid"}).fit([labelled()], Training())
    fitted.card["operators"] = [name for name in fitted.card["operators"] if name != "nor_conv_3x3"] + ["other"]
    found = fitted.score(sample_given(ParZC))
    assert found.reasons is not None
    assert "it has an operator that was not trained with" in found.reasons


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"longest": 7}, "does not fit"),
        ({"operators": ["nor_conv_3x3"]}, "does not fit"),
        ({"network": None}, "train again"),
        ({"depth": 10**9}, "pairs of layers"),
        ({"channels": 10**9}, "size mismatch|train again"),
    ],
)
def test_a_card_of_another_network_is_refused(change: dict[str, Any], problem: str, tmp_path: Path) -> None:
    fitted = ParZC.configured(SHORT).fit([labelled()], Training())
    card = fitted.save(tmp_path)
    of_network = {name: value for name, value in change.items() if name in ("depth", "channels")}
    changed = card | (change if not of_network else {"network": card["network"] | of_network})
    assert ParZC.digest(changed) != ParZC.digest(card)
    write(tmp_path, fitted.state(), changed)
    with pytest.raises(UsageError, match=problem):
        ParZC.load(tmp_path)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cells whose layers are measured in the default configuration."""
    path = database_of_cells(tmp_path_factory.mktemp("cells") / "catalog.duckdb")
    with Store.open(path, mode="write") as store:
        enter_cells(store, MORE)
        options = ScoreOptions(MeasureConfig(layerwise=True), engine=LocalEngine(1))
        score(store, "nb201", STATISTICS, options)
    return path


def test_layers_come_in_network_order_and_are_shared_by_twins(measured: Path) -> None:
    with Store.open(measured) as store:
        rows = store.query("SELECT id, native_id FROM architecture ORDER BY id")
        ids, cells = rows["id"].to_numpy(), rows["native_id"].to_list()
        layers = read_layers(store, "nb201", ids, STATISTICS)
    network = dict(zip(cells, layers.network.tolist(), strict=True))
    assert network[CUT] == -1
    assert len({network[cell] for cell in TWINS}) == 1
    assert sorted({*network.values()} - {-1}) == list(range(layers.networks))
    of_two = layers.owner == network[TWO]
    assert of_two.sum() == 1 + 15 * 2 + 6 + 1
    assert layers.node[of_two].tolist()[:5] == [-1, 1, 3, 1, 3]
    assert layers.stage[of_two].tolist()[-4:] == [2, 2, 2, -1]
    assert np.isfinite(layers.values).all()
    assert [layers.operator[row] for row in np.flatnonzero(of_two)[1:3]] == ["nor_conv_1x1", "nor_conv_3x3"]


def test_it_is_trained_and_scored_like_any_other(measured: Path, tmp_path: Path) -> None:
    out = tmp_path / "weights"
    settings = [word for name, value in SHORT.items() for word in ("--set", f"{name}={value}")]
    labels = ("--space", "nb201", "--target", "params", "--sample", "9", "--seed", "0")
    scored = ("score", "nb201", "--proxy", "parzc", "--checkpoint", str(out), "--as", "parzc_9", "--workers", "1")
    for words in (("train", "parzc", *labels, "--set", "variant=hybrid", *settings, "--out", str(out)), scored):
        answer = call_catalog(*words, database=measured)
        assert answer.returncode == 0, answer.stderr
    with Store.open(measured) as store:
        row = store.query("SELECT count(parzc_9), count(parzc_9_std) AS spreads, count(*) AS cells FROM nb201").row(0)
        assert row == (len(CELLS) + len(MORE) - 1, len(CELLS) + len(MORE) - 1, len(CELLS) + len(MORE))
        found = scores(store, "parzc")
        assert len({found[cell][0] for cell in TWINS}) == 1
        assert all(value[0] > 0 for cell, value in scores(store, "parzc_std").items() if cell != CUT)
        seen = store.rows("SELECT count(*) FROM training_member JOIN proxy ON proxy.id = proxy_id WHERE name = 'parzc'")
    (source,) = read_card(out)["sources"]
    assert seen == [(len(source["native_ids"]),)]
    assert 5 <= len(source["native_ids"]) <= 9


def test_where_nothing_is_measured_there_are_reasons_and_no_scores(tmp_path: Path) -> None:
    path = database_of_cells(tmp_path / "catalog.duckdb")
    with Store.open(path) as store:
        _, given = read_given(store, "nb201", ParZC.needs)
    assert given.layers is not None
    assert (given.layers.networks, set(given.layers.network.tolist())) == (0, {-1})
    found = ParZCDagger().score(given)
    assert np.isnan(found.mean).all()
    assert found.reasons is not None
    assert all("catalog score nb201 --proxy grad_norm" in str(reason) for reason in found.reasons)
    source = Labelled("nb201 params", given, np.where(given.connected, np.arange(len(given)), np.nan))
    with pytest.raises(UsageError, match="have no layer-wise statistics"):
        ParZC.configured(SHORT).fit([source], Training())


def test_what_is_missing_is_measured_first(tmp_path: Path) -> None:
    path = database_of_cells(tmp_path / "catalog.duckdb")
    with Store.open(path, mode="write") as store:
        options = ScoreOptions(where=f"cell = '{CONV}'", engine=LocalEngine(1))
        dagger, *parts = score(store, "nb201", ["parzc_dagger"], options)
        assert [part.column for part in parts] == list(STATISTICS)
        assert (dagger.ok, dagger.failed, dagger.disconnected) == (len(TWINS), len(CELLS) - len(TWINS) - 1, 1)
        assert dagger.reason is not None
        assert "catalog score nb201 --proxy grad_norm" in dagger.reason
