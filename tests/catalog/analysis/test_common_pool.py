"""Proxies are compared on the architectures that they have in common, and what is not compared stands below."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from catalog.analysis.common_pool import narrowed, sentences
from catalog.analysis.correlation import kendall_tau
from catalog.analysis.pool import Pool
from catalog.analysis.space_correlation import Correlations, correlate_space
from catalog.errors import UsageError
from catalog.storage.store import Store
from tests.catalog.small_catalog import architectures, proxies

SIZE = 200
RANDOM = np.random.default_rng(7)
TRUTH = RANDOM.normal(size=SIZE)
EVERYWHERE = TRUTH + RANDOM.normal(size=SIZE)
EASY = np.where(np.arange(SIZE) < 150, TRUTH + 0.3 * RANDOM.normal(size=SIZE), math.nan)
"""A good proxy that was scored for three quarters."""
NARROW = np.where(np.arange(SIZE) < 99, TRUTH, math.nan)
"""A perfect one of less than half."""
TINY = np.where(np.arange(SIZE) < 29, TRUTH, math.nan)
"""A perfect one of 29."""
COLUMNS = {"everywhere": EVERYWHERE, "easy": EASY, "narrow": NARROW, "tiny": TINY}


@pytest.fixture
def scored(catalog_path) -> Store:
    """A space of 200 architectures whose four proxies cover all, three quarters, less than half, and 29."""
    with Store.open(catalog_path, mode="write") as catalog:
        catalog.execute("INSERT INTO space (name, description, native_id_name) VALUES ('mine', '', 'id')")
        catalog.append("architecture", architectures([f"net{place}" for place in range(SIZE)], ["mine"] * SIZE))
        catalog.append("proxy", proxies(dict.fromkeys(COLUMNS, 1)))
        values = {name: pl.Series(column).fill_nan(None) for name, column in {**COLUMNS, "accuracy": TRUTH}.items()}
        frame = pl.DataFrame({"architecture_id": range(1, SIZE + 1), **values})
        catalog.execute("CREATE TABLE mine AS SELECT * FROM given", tables={"given": frame.to_arrow()})
        catalog.execute("INSERT INTO wide_column SELECT 'mine', name, NULL, id FROM proxy")
        for number, column in enumerate(COLUMNS.values(), 1):
            ids = np.flatnonzero(~np.isnan(column)) + 1
            catalog.execute(
                "INSERT INTO score (architecture_id, proxy_id, value, status, run_id)"
                " SELECT id, ?, 1, 'ok', 1 FROM ids",
                [number],
                tables={"ids": pl.DataFrame({"id": ids}).to_arrow()},
            )
        yield catalog


def rows(found: Correlations) -> dict[str, dict[str, object]]:
    return {row["proxy"]: row for row in found.frame.to_dicts()}


def test_proxies_are_compared_on_what_all_of_them_have(scored: Store) -> None:
    found = correlate_space(scored, "mine", "accuracy")
    assert found.frame["proxy"].to_list() == ["easy", "everywhere", "narrow", "tiny"]
    assert found.frame.columns[:4] == ["proxy", "direction", "n", "missing"]
    assert found.frame.columns[-2:] == ["pool", "remark"]
    by_name = rows(found)
    assert [by_name[name]["n"] for name in COLUMNS] == [150, 150, 99, 29]
    assert [by_name[name]["coverage"] for name in COLUMNS] == [1, 0.75, 0.495, 0.145]
    assert [by_name[name]["missing"] for name in COLUMNS] == [0, 50, 101, 171]
    assert [by_name[name]["pool"] for name in COLUMNS] == ["common", "common", "own", "own"]
    assert [by_name[name]["remark"] for name in COLUMNS] == [
        None,
        None,
        "covers under half of the widest",
        "fewer than 30 values",
    ]
    assert by_name["everywhere"]["kendall_tau"] == pytest.approx(kendall_tau(EVERYWHERE[:150], TRUTH[:150]))
    assert found.remarks == (
        "Compared on 150 of the 200 architectures with accuracy, those with a value in all 2 columns; the narrowest, "
        "easy, has 150.",
        "Listed below, judged on all architectures of its own: narrow (99) covers under half of the widest, tiny (29) "
        "covers under half of the widest.",
        "Fewer than 30 values, too few to be first: tiny (29).",
    )
    assert repr(found).endswith("\n".join(found.remarks))


def test_each_may_be_judged_on_all_of_its_own(scored: Store) -> None:
    found = correlate_space(scored, "mine", "accuracy", pool="own")
    assert found.frame["proxy"].to_list() == ["narrow", "easy", "everywhere", "tiny"]  # the perfect 29 are not first
    assert found.frame["n"].to_list() == [99, 150, 200, 29]
    assert set(found.frame["pool"]) == {"own"}
    tau = kendall_tau(EVERYWHERE, TRUTH)
    assert rows(found)["everywhere"]["kendall_tau"] == pytest.approx(tau)
    assert found.remarks == ("Fewer than 30 values, too few to be first: tiny (29).",)


def test_nothing_is_said_where_all_cover_all(scored: Store) -> None:
    found = correlate_space(scored, "mine", "accuracy", ["everywhere"])
    assert (found.remarks, found.frame["n"].item()) == ((), SIZE)


def test_a_pool_that_is_none_is_refused(scored: Store) -> None:
    with pytest.raises(UsageError, match="unknown pool 'all'; choose common"):
        correlate_space(scored, "mine", "accuracy", pool="all")


def test_what_computes_nothing_counts_as_a_value_and_what_was_trained_on_does_not(judged: Store) -> None:
    """The third cell has no path for `shortest_path`, which ranks it last; of `learned` it is a training member."""
    asked = (judged, "nb201", "cifar100_test_accuracy")
    last = correlate_space(*asked, ["params", "shortest_path"])
    assert last.frame["n"].to_list() == [4, 4]
    assert rows(last)["shortest_path"]["disconnected"] == 1
    trained = correlate_space(*asked, ["params", "learned"])
    assert trained.frame["n"].to_list() == [2, 2]
    assert trained.frame["coverage"].to_list() == [1, 0.5]
    assert rows(trained)["learned"]["left_out"] == 2
    assert rows(trained)["learned"]["missing"] == 0


def pool_of(target: str, truth: np.ndarray, **scores: np.ndarray) -> Pool:
    none = dict.fromkeys(scores, 0)
    covered = {name: int((~np.isnan(column) & ~np.isnan(truth)).sum()) for name, column in scores.items()}
    ids, up = np.arange(len(truth)), dict.fromkeys(scores, 1)
    return Pool("mine", target, None, ids, pl.Series(ids), ids, truth, 1, scores, up, none, none, covered)


def test_the_tasks_of_a_space_share_one_pool() -> None:
    other = np.where(np.arange(SIZE) >= 20, TRUTH, math.nan)
    first, second = narrowed([pool_of("a", TRUTH, easy=EASY), pool_of("b", other, easy=EASY)])
    assert first.common is not None
    assert second.common is not None
    assert first.common.targets == second.common.targets == ("a", "b")
    assert np.flatnonzero(first.judged).tolist() == np.flatnonzero(second.judged).tolist() == list(range(20, 150))
    assert np.isnan(first.scores["easy"][:20]).all()
    assert first.covered == {"easy": 150}


def test_the_target_of_one_task_may_be_a_proxy_of_another() -> None:
    first, second = narrowed([pool_of("a", TRUTH, easy=EASY), pool_of("easy", EASY, everywhere=EVERYWHERE)])
    assert first.common is not None
    assert second.common is not None
    assert (first.common.members, second.common.members) == (("easy",), ("everywhere",))
    assert int(first.judged.sum()) == int(second.judged.sum()) == 150
    assert sentences(first, pl.DataFrame({"proxy": ["easy"], "n": [150]})) == [
        "Compared on 150 of the 200 architectures with a, those with a value in easy."
    ]


def test_a_target_of_few_architectures_has_a_pool_of_its_own() -> None:
    rare = np.where(np.arange(SIZE) < 60, TRUTH, math.nan)
    wide, alone = narrowed([pool_of("a", TRUTH, easy=EASY), pool_of("rare", rare, easy=EASY)])
    assert (int(wide.judged.sum()), int(alone.judged.sum())) == (150, 60)
    assert wide.common is not None
    assert wide.common.targets == ("a",)


def test_a_pool_without_a_target_is_empty() -> None:
    (empty,) = narrowed([pool_of("a", np.full(SIZE, math.nan), easy=EASY)])
    assert not empty.judged.any()
