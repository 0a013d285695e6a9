"""Supernets: the mean of all their architectures, and what pruning asks of a score that values them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.problem import Budget, Problem
from catalog.search.methods.pruning import supernets_to_score
from catalog.search.methods.running import search
from catalog.search.methods.space_choices import required_choices
from catalog.search.methods.supernet import Supernet, SupernetScorer, single_changes
from tests.catalog.search.landscapes import SIZE_SPACE, SPACES, Additive

SEPARABLE = ("nb201", "darts", "nats-sss")


class ByMean(Additive):
    """The same score, and a supernet's is the mean of what its active widths are worth: no architecture is tried."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.rounds: list[int] = []

    def score_supernets(self, supernets):
        self.rounds.append(len(supernets))
        worths = [list(worths.values()) for worths in self.worths]
        return np.array(
            [
                sum(np.mean([worths[stage][option] for option in left]) for stage, left in enumerate(supernet.active))
                for supernet in supernets
            ]
        )


def encoded(graph: ArchitectureGraph) -> np.ndarray:
    """Which operator stands on each node and which nodes are connected, of all cells in one row of numbers."""
    names = sorted(operator.name for operator in graph.vocabulary)
    parts = []
    for cell in graph.cells:
        adjacency = np.zeros((cell.node_count, cell.node_count))
        for source, target, copies in cell.edges:
            adjacency[source, target] = copies
        parts += [np.eye(len(names))[[names.index(name) for name in cell.operators]].ravel(), adjacency.ravel()]
    return np.concatenate(parts)


def random_supernet(space: str, generator: np.random.Generator, open_decisions: int) -> Supernet:
    """Of a few decisions up to three options are left, of all others one."""
    choices = required_choices(SPACES[space])
    several = generator.choice(len(choices.counts), open_decisions, replace=False).tolist()
    active = []
    for decision, count in enumerate(choices.counts.tolist()):
        left = min(count, int(generator.integers(2, 4))) if decision in several else 1
        active.append(tuple(sorted(generator.choice(count, left, replace=False).tolist())))
    return Supernet(choices, tuple(active))


def mean_by_shares(supernet: Supernet) -> np.ndarray:
    return supernet.shares() @ [encoded(graph) for graph in supernet.choices.decode(single_changes(supernet.choices))]


def test_a_supernet_knows_what_is_left():
    supernet = Supernet.whole(required_choices(SIZE_SPACE))
    assert repr(supernet) == "Supernet(40 options of 5 decisions)"
    for option in range(7):
        supernet = supernet.without(2, option)
    assert supernet.active[2] == (7,)
    assert supernet.open_decisions == (0, 1, 3, 4)
    drawn = supernet.sample(50, np.random.default_rng(0))
    assert (drawn[:, 2] == 7).all()
    assert set(drawn[:, 0].tolist()) == set(range(8))


@pytest.mark.parametrize("space", SEPARABLE)
def test_the_mean_of_a_supernet_is_that_of_all_its_architectures(space):
    generator = np.random.default_rng(0)
    assert required_choices(SPACES[space]).is_separable
    for _ in range(4):
        supernet = random_supernet(space, generator, 4)
        graphs = supernet.choices.decode(np.array(list(product(*supernet.active))))
        np.testing.assert_allclose(mean_by_shares(supernet), np.mean([encoded(one) for one in graphs], 0), atol=1e-12)
        assert supernet.shares().sum() == pytest.approx(1)


@pytest.mark.parametrize("space", SEPARABLE)
def test_a_supernet_of_one_architecture_is_that_architecture(space):
    generator = np.random.default_rng(1)
    for _ in range(20):
        supernet = random_supernet(space, generator, 0)
        (graph,) = supernet.choices.decode(np.array([[option for (option,) in supernet.active]]))
        np.testing.assert_array_equal(mean_by_shares(supernet), encoded(graph))


def test_modules_of_nas_bench_101_have_no_mean():
    """They are mended and relabelled: no single edge makes a path, and no two modules need have the same places."""
    choices = required_choices(SPACES["nb101"])
    assert not choices.is_separable
    drawn = choices.sample(20, np.random.default_rng(0))
    sizes = [
        {graph.cells[0].node_count for graph in choices.decode(genes)} for genes in (single_changes(choices), drawn)
    ]
    assert sizes[0] == {2}
    assert len(sizes[1]) > 1


def test_single_changes_take_every_option_of_every_decision_once():
    choices = required_choices(SPACES["darts"])
    genes = single_changes(choices)
    assert genes.shape == (1 + (choices.counts - 1).sum(), len(choices.counts))
    assert not genes[0].any()
    changed = [(int(np.flatnonzero(row)[0]), int(row.max())) for row in genes[1:]]
    assert all(np.count_nonzero(row) == 1 for row in genes[1:])
    assert changed == [(place, option) for place, count in enumerate(choices.counts) for option in range(1, count)]


@pytest.mark.parametrize("seed", range(3))
def test_pruning_by_a_score_of_supernets_visits_the_optimum_alone(seed):
    score = ByMean(seed)
    assert isinstance(score, SupernetScorer)
    history = search(Problem(SIZE_SPACE, score), "pruning", Budget(), seed)
    assert [visit.scores[0] for visit in history.visits] == [pytest.approx(score.best)]
    assert score.rounds == [5 * options for options in range(8, 1, -1)]
    assert history.evaluations == sum(score.rounds) + 1 == history.visits[0].evaluation


def test_supernets_that_the_budget_does_not_cover_are_not_scored():
    score = ByMean(0)
    history = search(Problem(SIZE_SPACE, score), "pruning", Budget(100))
    assert (history.stopped, history.evaluations, score.rounds) == ("budget", 75, [40, 35])
    assert history.best is None


def test_under_constraints_architectures_are_tried_and_no_supernets():
    """At least two stages of the smallest width: a mean of architectures says nothing about which of them keep that."""
    score = ByMean(0)
    smallest = SIZE_SPACE.operators[0]

    def violations(candidates):
        return np.array([max(0, 2 - candidate.graph.cells[0].operators.count(smallest)) for candidate in candidates])

    history = search(Problem(SIZE_SPACE, score, violations=violations), "pruning", Budget(), 0)
    assert score.rounds == []
    assert len(history.visits) > 1
    assert not violations([visit.candidate for visit in history.visits]).any()


def test_how_many_supernets_pruning_scores():
    score = ByMean(0)
    history = search(Problem(SIZE_SPACE, score), "pruning", Budget(), 0)
    assert supernets_to_score(required_choices(SIZE_SPACE)) == sum(score.rounds) == history.evaluations - 1
