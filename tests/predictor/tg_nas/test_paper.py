"""The released recipe, with its peculiarities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import UsageError
from predictor.tg_nas.paper import (
    PaperConfig,
    PaperGraphs,
    PaperScorer,
    encode,
    feature_table,
    first_cells,
    table_of,
    train_paper,
)
from tests.predictor.tg_nas.graphs import NB201_EDGES


def native(*operators: str) -> ArchitectureGraph:
    return ArchitectureGraph("nb201", (CellGraph.build("cell", ("input", *operators, "output"), NB201_EDGES),))


def test_row_sums_of_nas_bench_201() -> None:
    """Measured on the released graphs: [1, 2, 2, 2, 2, 2, 3, 4, 9]."""
    graphs = encode(CellArrays.of([native(*["none"] * 6).cells[0]]))
    assert graphs.adjacency[0].sum(axis=1).tolist() == [1, 2, 2, 2, 2, 2, 3, 4, 9]


def test_small_modules_are_padded_to_seven_and_padding_feeds_the_global_node() -> None:
    cell = CellGraph.build("module", ("input", "conv3x3", "output"), [(0, 1), (1, 2)])
    graphs = encode(CellArrays.of([cell]))
    assert graphs.rows.shape == (1, 8)
    assert graphs.adjacency[0, -1].tolist() == [1] * 8
    table = feature_table(("input", "conv3x3", "output"))
    assert table[graphs.rows[0, 5]].abs().sum() == 0
    assert table[-1].nonzero().flatten().tolist() == [384]


def test_graphs_of_two_spaces_share_a_batch_once_they_are_padded_alike() -> None:
    module = CellGraph.build("module", ("input", "conv3x3", "output"), [(0, 1), (1, 2)])
    cell = encode(CellArrays.of([native(*["none"] * 6).cells[0]]))
    both = PaperGraphs.joined([encode(CellArrays.of([module]), 8), cell])
    assert both.rows.shape == (2, 9)
    assert (both.taken(np.array([1])).adjacency == cell.adjacency).all()


def test_any_vectors_can_stand_for_operators() -> None:
    table = table_of(np.full((2, 3), 0.5, dtype=np.float32))
    assert table.tolist() == [[0.5, 0.5, 0.5, 0], [0.5, 0.5, 0.5, 0], [0, 0, 0, 0], [0, 0, 0, 1]]


def test_darts_has_eleven_nodes_and_all_eight_operators_feed_the_output() -> None:
    from catalog.spaces import space_named

    cells = first_cells(space_named("darts").sample(3, seed=0))
    for cell in cells:
        assert cell.node_count == 11
        assert sum(target == 10 for _, target, _ in cell.edges) == 8


def test_training_keeps_the_epoch_that_was_best_on_held_out_graphs(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    words = ("nor_conv_3x3", "nor_conv_1x1", "skip_connect", "none")
    cells = [native(*(words[word] for word in generator.integers(4, size=6))) for _ in range(300)]
    arrays = CellArrays.of([graph.cells[0] for graph in cells])
    accuracy = np.array([0.8 + 0.03 * graph.cells[0].operators.count("nor_conv_3x3") for graph in cells])
    config = PaperConfig(epochs=4, batch=32)
    table = feature_table(arrays.vocabulary)
    network, facts = train_paper(encode(arrays), accuracy, table, config, seed=0, held_out=0.2)
    assert facts["chosen_epoch"] == int(np.argmax(facts["held_out_kendall_tau"])) + 1
    assert len(facts["held_out_kendall_tau"]) == 4

    PaperScorer(network, facts).save(tmp_path)
    loaded = PaperScorer.load(tmp_path)
    np.testing.assert_allclose(loaded.score(cells[:20]), PaperScorer(network).score(cells[:20]), rtol=1e-5)
    with torch.no_grad():
        network.head.bias += 1.0
    assert not np.allclose(loaded.score(cells[:20]), PaperScorer(network).score(cells[:20]))


def shipped() -> tuple[PaperScorer, list[int]]:
    """The shipped predictor, and how many graphs each of its forward passes reads."""
    scorer, passes = PaperScorer.load(), []
    scorer.network.register_forward_pre_hook(lambda _, inputs: passes.append(len(inputs[0])))
    return scorer, passes


@pytest.mark.parametrize("space", ["nb201", "darts"])
def test_a_mixture_of_one_graph_is_that_graph(space: str) -> None:
    """Also where it is written as a sum of changes, with a negative weight."""
    from catalog.spaces import space_named

    scorer, passes = shipped()
    graphs = space_named(space).sample(6, seed=1)
    scores = scorer.score(graphs)
    passes.clear()
    np.testing.assert_allclose(scorer.score_mixtures(graphs, np.eye(6)), scores, rtol=1e-6)
    assert passes == [6]
    if space == "nb201":
        words = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "none")
        base = ["none"] * 6
        changes = [native(*base[:place], word, *base[place + 1 :]) for place, word in enumerate(words)]
        shares = np.array([[1.0 - len(words), *[1.0] * len(words)]])
        mixed = scorer.score_mixtures([native(*base), *changes], shares)
        np.testing.assert_allclose(mixed, scorer.score([native(*words)]), rtol=1e-6)


def test_a_mixture_reads_the_mean_embedding_of_the_operators_on_an_edge() -> None:
    scorer, _ = shipped()
    rest = ("nor_conv_3x3", "none", "skip_connect", "avg_pool_3x3", "nor_conv_1x1")
    left = ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    arrays = CellArrays.of([native(word, *rest).cells[0] for word in left])
    table = feature_table(arrays.vocabulary)
    graphs = encode(arrays)
    rows, adjacency = graphs.batch(slice(0, 1))
    nodes = table[rows]
    nodes[0, 1] = table[[arrays.vocabulary.index(word) for word in left]].mean(dim=0)
    with torch.inference_mode():
        expected = scorer.network(nodes, adjacency).numpy()
    shares = np.full((1, 3), 1 / 3)
    np.testing.assert_allclose(
        scorer.score_mixtures([native(word, *rest) for word in left], shares), expected, rtol=1e-6
    )
    assert not np.allclose(expected, scorer.score([native(word, *rest) for word in left]).mean(), rtol=1e-6)


def test_graphs_that_have_no_mean_are_refused() -> None:
    scorer, _ = shipped()
    cells = [
        native(*["none"] * 6),
        ArchitectureGraph("nb201", (CellGraph.build("cell", ("input", "output"), [(0, 1)]),)),
    ]
    with pytest.raises(UsageError, match="graphs of 2, 8 nodes have no mean"):
        scorer.score_mixtures(cells, np.full((1, 2), 0.5))
    with pytest.raises(UsageError, match="graphs of no nodes"):
        scorer.score_mixtures([], np.ones((1, 0)))
    with pytest.raises(UsageError, match=r"shares of shape \(1, 3\) do not fit 1 graphs"):
        scorer.score_mixtures(cells[:1], np.ones((1, 3)))
