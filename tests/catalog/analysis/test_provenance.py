"""Where the numbers of a pool come from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from catalog.analysis.pool import Pool, read_pool
from catalog.analysis.provenance import (
    read_columns,
    read_proxies,
    read_repeats,
    read_seconds,
    read_seeds,
    read_sources,
    read_structure,
    short_training,
)
from catalog.errors import UnknownColumnError
from catalog.storage.store import Store
from tests.catalog.analysis.conftest import DIGEST


@pytest.fixture
def pool(judged: Store) -> Pool:
    return read_pool(judged, "nb201", "cifar10_test_accuracy", where="architecture_id < 4")


def test_sources_name_files_digests_and_what_was_used(judged: Store, pool: Pool) -> None:
    frame = read_sources(judged, pool, ["cifar10_valid_accuracy_12ep"])
    assert frame.select("column", "source", "kind", "row_count", "used").rows() == [
        ("cifar10_test_accuracy", "nb201", "table", 4, 3),
        ("zen_published", "suite_zero", "suite-zero", 3, 2),
        ("cifar10_valid_accuracy_12ep", "nb201", "table", 4, 3),
    ]
    assert frame["sha256"].unique().to_list() == [DIGEST]


def test_proxies_and_their_cost(judged: Store, pool: Pool) -> None:
    frame = read_proxies(judged, pool)
    assert frame.select("column", "name", "direction", "published_as", "input").rows() == [
        ("params", "params", 1, None, None),
        ("shortest_path", "shortest_path", -1, None, None),
        ("learned", "learned", 1, None, "photos"),
        ("zen_published", "zen", 1, "published", "cifar10"),
    ]
    assert read_seconds(judged, pool) == {"learned": 1.0}


def test_a_score_that_another_architecture_lent_costs_nothing(judged: Store, pool: Pool) -> None:
    judged.execute("UPDATE score SET shared_from = 1 WHERE proxy_id = 4 AND architecture_id = 3")
    assert read_seconds(judged, pool) == {"learned": 0.75}


def test_several_seeds_of_a_proxy_cost_their_sum(judged: Store, pool: Pool) -> None:
    judged.execute("UPDATE score SET seed = 0 WHERE proxy_id = 4")
    judged.execute("INSERT INTO score SELECT * REPLACE (1 AS seed) FROM score WHERE proxy_id = 4")
    assert read_seconds(judged, pool) == {"learned": 2.0}
    assert read_proxies(judged, pool).filter(column="learned")["seeds"].item() == 2


def test_seeds_of_a_proxy_keep_its_guard(judged: Store) -> None:
    """The third cell and its twin were trained on; of shortest_path the third was refused."""
    pool = read_pool(judged, "nb201", "cifar100_test_accuracy")
    assert read_seeds(judged, pool) == {}
    judged.execute("UPDATE score SET seed = 0 WHERE proxy_id IN (2, 4)")
    assert read_seeds(judged, pool) == {}
    again = "SELECT * REPLACE (1 AS seed, value + 0.5 AS value) FROM score WHERE proxy_id IN (2, 4)"
    judged.execute(f"INSERT INTO score {again}")
    found = read_seeds(judged, pool)
    assert list(found) == ["shortest_path", "learned"]
    assert found["shortest_path"].tolist() == [[-1, -1.5], [-2, -2.5], [-math.inf] * 2, [-4, -4.5]]
    assert found["learned"][:2].tolist() == [[-1, -0.5], [-2, -1.5]]
    assert np.isnan(found["learned"][2:]).all()


def test_repeats_are_those_of_the_first_source_with_seeds(judged: Store, pool: Pool) -> None:
    assert read_repeats(judged, pool) == pytest.approx(np.array([[91.1, 91.2], [92.1, 92.2], [93.1, 93.2]]))
    everywhere = read_pool(judged, "nb201", "cifar10_test_accuracy")
    assert np.isnan(read_repeats(judged, everywhere)[3]).all()
    for target in ("cifar100_test_accuracy", "params"):
        assert read_repeats(judged, read_pool(judged, "nb201", target)).shape == (4, 0)


def test_columns_follow_the_order_of_the_pool(judged: Store, pool: Pool) -> None:
    found = read_columns(judged, pool, ["latency_edgegpu", "cifar10_test_accuracy"])
    assert found["latency_edgegpu"].tolist() == [4, 3, 2]
    assert not math.isnan(found["cifar10_test_accuracy"][2])
    with pytest.raises(UnknownColumnError):
        read_columns(judged, pool, ["nothing"])


def test_structure_may_be_published(judged: Store) -> None:
    assert list(read_structure(judged, read_pool(judged, "nb201", "cifar100_test_accuracy"))) == ["params"]
    judged.execute("ALTER TABLE nb201 ADD COLUMN flops_published DOUBLE")
    judged.execute("UPDATE nb201 SET flops_published = architecture_id")
    pool = read_pool(judged, "nb201", "cifar100_test_accuracy", ["params"])
    structure = {name: values.tolist() for name, values in read_structure(judged, pool).items()}
    assert structure == {"params": [10, 20, 30, 40], "flops": [1, 2, 3, 4]}


def test_the_short_training_is_of_the_same_dataset_and_validation_comes_first(judged: Store, pool: Pool) -> None:
    assert short_training(judged, pool) == ("12-epoch accuracy", "cifar10_valid_accuracy_12ep")
    for target in ("cifar100_test_accuracy", "cifar10_test_accuracy_12ep", "params", "latency_edgegpu"):
        assert short_training(judged, read_pool(judged, "nb201", target)) is None
