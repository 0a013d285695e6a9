"""Training: replicas equal single runs, seeds decide, runs resume, and noise has a ceiling."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from catalog.errors import DatasetError, GraphError, UsageError
from catalog.spaces.nb201 import NASBench201
from predictor.networks.datasets import DIGITS_SPLIT, dataset_named, digits
from predictor.own_training.generation import (
    accuracy_table,
    distinct_functions,
    generate,
    noise_ceiling,
    plan_of,
    read_parts,
)
from predictor.own_training.trainer import TrainConfig, train, with_subset
from predictor.zero_cost.engine import one_thread

SPACE = NASBench201()
GRAPH = SPACE.graph("|nor_conv_3x3~0|+|avg_pool_3x3~0|none~1|+|skip_connect~0|nor_conv_1x1~1|none~2|")
TINY = TrainConfig(channels=2, batch_size=20)


def test_digits_split_once_and_for_all() -> None:
    data = digits()
    assert repr(data) == "Dataset('digits', train 600, valid 597, test 600)"
    assert data.train.images.shape == (600, 1, 8, 8)
    assert sum(DIGITS_SPLIT.values()) == 1797  # scikit-learn's digits
    assert (data.channels, data.classes) == (1, 10)
    assert float(data.train.images.mean()) == pytest.approx(0.0, abs=1e-5)
    # Of the permutation that defines the data set: a change of it would change every stored number.
    assert data.train.labels[:8].tolist() == [8, 7, 7, 8, 6, 8, 5, 4]


def test_no_image_is_in_two_splits() -> None:
    data = digits()
    rows = torch.cat([part.images.flatten(1) for part in (data.train, data.valid, data.test)])
    assert len(torch.unique(rows, dim=0)) == 1797


def test_training_side_by_side_is_training_one_by_one() -> None:
    """Grouped convolutions compute what separate networks would, up to the order of additions."""
    data = with_subset(digits(), 60)
    together = train(GRAPH, data, epochs=2, seeds=[0, 1, 2], config=TINY)
    for one in together:
        (alone,) = train(GRAPH, data, epochs=2, seeds=[one.seed], config=TINY)
        assert alone.losses == pytest.approx(one.losses, rel=1e-3)
        assert alone.valid == pytest.approx(one.valid, abs=0.5)
        assert alone.test == pytest.approx(one.test, abs=0.5)


def test_a_seed_beside_a_copy_of_itself_is_the_seed_beside_others() -> None:
    with one_thread():
        (alone,) = train(GRAPH, digits(), epochs=1, seeds=[4])
        accompanied = train(GRAPH, digits(), epochs=1, seeds=[4], accompanied=True)
        among = train(GRAPH, digits(), epochs=1, seeds=[1, 4, 2], accompanied=True)
    assert [one.seed for one in accompanied] == [4]
    assert [one.seed for one in among] == [1, 4, 2]
    assert accompanied[0].losses == among[1].losses
    assert (accompanied[0].valid, accompanied[0].test) == (among[1].valid, among[1].test)
    assert alone.losses == pytest.approx(among[1].losses, rel=1e-3)


def test_training_learns_and_its_seed_decides() -> None:
    first, other = train(GRAPH, digits(), epochs=2, seeds=[0, 1], config=TrainConfig(channels=4))
    assert first.test > 30  # chance is 10 %
    assert first.losses[1] < first.losses[0]
    assert len(first.curve) == first.epochs == 2
    assert first.losses != other.losses


def test_a_disconnected_cell_is_not_trained() -> None:
    graph = SPACE.graph("|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|")
    with pytest.raises(GraphError, match="no path"):
        train(graph, digits(), epochs=1, seeds=[0], config=TINY)


def test_minibatches_larger_than_the_data_are_refused() -> None:
    with pytest.raises(UsageError, match="601"):
        train(GRAPH, digits(), epochs=1, seeds=[0], config=TrainConfig(batch_size=601))


@pytest.mark.parametrize("name", ["mnist", "cifar10:", "cifar10:/nowhere"])
def test_an_unknown_data_set_says_what_is_allowed(name: str) -> None:
    with pytest.raises(DatasetError, match="CIFAR-10|cifar10:DIR"):
        dataset_named(name)


def test_distinct_functions_are_the_spaces_connected_ones() -> None:
    """5,260 distinct functions, one of them that of all 341 disconnected cells."""
    assert len(distinct_functions(SPACE)) == 5_259


class SmallSpace(NASBench201):
    """Three cells, two of them the same function."""

    def enumerate(self) -> object:
        return (self.graph(index) for index in (0, 1, 2, 0))


def test_a_run_resumes_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predictor.networks.datasets.digits", lambda: with_subset(digits(), 40))
    plan = plan_of("nb201", "digits", epochs=1, seeds=[0, 1], config=TINY)
    run = generate(tmp_path, plan, SmallSpace(), count=3, part_size=1)
    assert next(run) == (1, 3)
    run.close()
    first = read_parts(tmp_path)
    assert [done for done, _ in generate(tmp_path, plan, SmallSpace(), count=3, part_size=1)] == [2, 3]
    assert list(generate(tmp_path, plan, SmallSpace(), count=3, part_size=1)) == []
    table = read_parts(tmp_path)
    assert table.select("native_id", "seed").is_unique().all()
    assert len(table) == 6
    assert first.drop("seconds").equals(table.filter(pl.col("native_id").is_in(first["native_id"])).drop("seconds"))
    assert accuracy_table(table).shape == (3, 2)


def test_a_folder_of_another_plan_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    plan = plan_of("nb201", "digits", epochs=1, seeds=[0], config=TINY)
    with pytest.raises(UsageError, match="another plan"):
        next(generate(tmp_path, plan, SmallSpace(), count=1))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.json"]


def test_noise_ceiling_knows_agreement_from_noise() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(2000, 1))
    exact = noise_ceiling(np.repeat(truth, 3, axis=1))
    noisy = noise_ceiling(truth + generator.normal(size=(2000, 3)))
    assert (exact.between_seeds, exact.ceiling) == (pytest.approx(1.0), pytest.approx(1.0))
    # Signal and noise of equal variance: r = 1/2 (0.483 for ranks), 3 r / (1 + 2 r) = 3/4.
    assert noisy.between_seeds == pytest.approx(0.483, abs=0.03)
    assert noisy.of_mean == pytest.approx(0.737, abs=0.03)


def test_noise_ceiling_needs_two_seeds() -> None:
    with pytest.raises(UsageError, match="at least two"):
        noise_ceiling(np.zeros((5, 1)))
