"""What a pool leaves out, what it ranks last, and which way it turns."""

from __future__ import annotations

import math

import pytest

from catalog.analysis.pool import read_pool
from catalog.analysis.space_correlation import correlate_space
from catalog.errors import UnknownColumnError, UsageError
from catalog.storage.store import Store
from catalog.tables import views

NAN = math.nan


def test_a_pool_guards_every_proxy_by_itself(judged: Store) -> None:
    pool = read_pool(judged, "nb201", "cifar10_test_accuracy")
    assert pool.ids.tolist() == [1, 2, 3, 4]
    assert pool.functions.tolist() == [1, 2, 3, 3]
    assert pool.draws is pool.functions
    assert pool.native_ids[0].startswith("|")
    assert pool.truth.tolist() == pytest.approx([91.15, 92.15, 93.15, NAN], nan_ok=True)
    assert pool.known.tolist() == [True, True, True, False]
    scores = {name: values.tolist() for name, values in pool.scores.items()}
    assert scores == {
        "params": [10, 20, 30, 40],
        "shortest_path": [-1, -2, -math.inf, -4],
        "learned": pytest.approx([-1, -2, NAN, NAN], nan_ok=True),
        "zen_published": pytest.approx([1, NAN, 3, 4], nan_ok=True),
    }
    assert pool.plain_scores("shortest_path").tolist() == [1, 2, math.inf, 4]
    assert pool.left_out == {"params": 0, "shortest_path": 0, "learned": 1, "zen_published": 0}
    assert pool.disconnected == {"params": 0, "shortest_path": 1, "learned": 0, "zen_published": 0}
    assert repr(pool) == "Pool('nb201', 'cifar10_test_accuracy', 4 architectures, 3 known, 4 proxies)"


def test_twins_of_training_members_are_left_out_too(judged: Store) -> None:
    pool = read_pool(judged, "nb201", "cifar100_test_accuracy", ["learned"])
    assert (pool.left_out, len(pool)) == ({"learned": 2}, 4)


def test_other_columns_of_a_trained_predictor_are_guarded_too(judged: Store) -> None:
    judged.execute("UPDATE score SET input = 'cifar100' WHERE proxy_id = 4")
    with judged.transaction():
        views.rebuild(judged, "nb201")
    pool = read_pool(judged, "nb201", "cifar100_test_accuracy", ["learned_cifar100"])
    assert pool.left_out == {"learned_cifar100": 2}
    assert pool.scores["learned_cifar100"].tolist() == pytest.approx([-1, -2, NAN, NAN], nan_ok=True)


def test_of_a_latency_less_is_better(judged: Store) -> None:
    pool = read_pool(judged, "nb201", "latency_edgegpu", ["params"])
    assert pool.truth.tolist() == [-4, -3, -2, -1]
    assert pool.plain_truth.tolist() == [4, 3, 2, 1]
    turned = read_pool(judged, "nb201", "latency_edgegpu", ["params"], target_direction=1)
    assert turned.truth.tolist() == [4, 3, 2, 1]
    found = correlate_space(judged, "nb201", "latency_edgegpu", ["params"])
    assert found["kendall_tau"].to_list() == [1]  # the larger cells are the faster ones


def test_a_condition_chooses_the_architectures(judged: Store) -> None:
    pool = read_pool(judged, "nb201", "cifar100_test_accuracy", ["params", "learned"], "params > 15")
    assert pool.ids.tolist() == [2, 3, 4]
    assert pool.functions.tolist() == [2, 3, 3]
    assert list(pool.scores) == ["params", "learned"]
    assert read_pool(judged, "nb201", "cifar100_test_accuracy", ["params"], "params < 25").draws is None
    assert len(read_pool(judged, "nb201", "cifar100_test_accuracy", where="params > 99")) == 0


def test_correlations_have_intervals_on_request(judged: Store) -> None:
    asked = (judged, "nb201", "cifar100_test_accuracy")
    plain = correlate_space(*asked, pool="own").frame
    twins = correlate_space(*asked, pool="own", with_intervals=True).frame
    assert twins["kendall_tau_low"].null_count() == twins.height  # four rows with twins are three draws
    judged.execute("UPDATE architecture SET canonical_id = id")
    wide = correlate_space(*asked, pool="own", with_intervals=True).frame
    assert wide.select(plain.columns).equals(plain)
    place = wide.columns.index("kendall_tau")
    assert wide.columns[place + 1 : place + 3] == ["kendall_tau_low", "kendall_tau_high"]
    row = wide.filter(proxy="shortest_path").row(0, named=True)
    assert row["kendall_tau"] == pytest.approx(-2 / 3)
    assert -1 <= row["kendall_tau_low"] <= row["kendall_tau"] <= row["kendall_tau_high"] <= 1


def test_wrong_columns_are_refused(judged: Store) -> None:
    with pytest.raises(UnknownColumnError, match="no column 'parms'"):
        read_pool(judged, "nb201", "cifar10_test_accuracy", ["parms"])
    with pytest.raises(UsageError, match="the column 'cell' of nb201 holds no numbers"):
        read_pool(judged, "nb201", "cell")
