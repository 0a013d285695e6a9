"""Labels, trees, their share, and intervals."""

from __future__ import annotations

import numpy as np
import pytest

from predictor.few_label.blend import folds, share_of_trees
from predictor.few_label.groups import Frozen, Group, Inputs
from predictor.few_label.intervals import HALF_WIDTH, widening
from predictor.few_label.labels import Distribution, normal_scores
from predictor.few_label.model import Model
from predictor.few_label.tables import Table
from predictor.few_label.trees import SHARE_OF_INPUTS, Forest

RANDOM = np.random.default_rng(0)


def test_normal_scores_keep_the_order_and_forget_the_distances() -> None:
    scores = normal_scores(np.array([1.0, 1000.0, 3.0, 2.0, 2.0]))
    assert scores.argmax() == 1
    assert scores[3] == scores[4]
    assert scores[0] == pytest.approx(-scores[1])


def test_a_frozen_distribution_scores_a_number_alone_as_among_others() -> None:
    values = RANDOM.lognormal(size=3000)
    frozen = Distribution.of(values)
    assert len(frozen.knots) <= 512
    np.testing.assert_allclose(frozen.score(values), normal_scores(values), atol=0.25)
    assert frozen.score(values[:1]) == frozen.score(values)[0]
    assert frozen.score(np.array([1e9])) == frozen.scores[-1]
    assert np.isnan(frozen.score(np.array([np.nan])))[0]


def test_the_trees_are_those_of_scikit_learn() -> None:
    from sklearn.ensemble import ExtraTreesRegressor

    inputs, labels = RANDOM.normal(size=(60, 5)), RANDOM.normal(size=60)
    theirs = ExtraTreesRegressor(20, max_features=SHARE_OF_INPUTS, random_state=3)
    theirs.fit(inputs.astype(np.float32), labels)
    new = RANDOM.normal(size=(100, 5))
    ours = Forest.fit(inputs, labels, trees=20, seed=3)
    np.testing.assert_allclose(ours.predict(new), theirs.predict(new.astype(np.float32)))


def test_each_label_is_in_one_fold() -> None:
    parts = folds(23, seed=1)
    assert sorted(np.concatenate(parts).tolist()) == list(range(23))
    assert len(folds(3, seed=1)) == 3


def test_the_better_of_the_two_has_the_larger_share_and_few_labels_say_little() -> None:
    labels = RANDOM.normal(size=500)
    good, bad = labels + 0.1 * RANDOM.normal(size=500), labels + RANDOM.normal(size=500)
    assert share_of_trees(labels, bad, good) > 0.8
    assert share_of_trees(labels, good, bad) < 0.1
    assert 0.3 < share_of_trees(labels[:10], good[:10], bad[:10]) < 0.5
    assert share_of_trees(labels, good, good) == 0.5


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_intervals_hold_as_many_labels_as_they_say(factor: float) -> None:
    residuals = factor * RANDOM.normal(size=4000)
    width = widening(residuals, np.ones(4000))
    assert np.mean(np.abs(residuals) <= HALF_WIDTH * width) == pytest.approx(0.9, abs=0.01)
    assert abs(np.log(widening(residuals[:5], np.ones(5)))) < 1.0


def test_vectors_are_learned_from_by_their_distances_and_no_tree_sees_them() -> None:
    points = RANDOM.normal(size=(80, 3))
    table = Table(("a", "b", "c"), points)
    group = Group.of(table, np.arange(80), ranked=False, counted=False)
    assert group is not None
    frozen = Frozen({}, vectors={"own": group})
    inputs = Inputs({}, {}, np.empty((0, 80)), {"own": group.read(table)})
    labels = points[:, 0] + 0.5 * points[:, 1] ** 2
    known, new = np.arange(50), np.arange(50, 80)
    model, left_out = Model.fit_and_leave_out(inputs.taken(known), labels[known], trees=10, seed=0)
    assert (model.forest, model.share, inputs.flat.shape) == (None, 0.0, (80, 0))
    assert np.corrcoef(left_out.means, labels[known])[0, 1] > 0.8
    assert np.corrcoef(model.predict(inputs.taken(new))[0], labels[new])[0, 1] > 0.8
    state = {**frozen.state(), **model.state()}
    restored = Model.restored(state, Frozen.restored(state))
    np.testing.assert_allclose(restored.predict(inputs.taken(new)), model.predict(inputs.taken(new)), atol=1e-8)
