"""Training, checkpoints and scoring, end to end on a small source."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY, VOCABULARY, Operator
from catalog.architecture.sizes import Size
from catalog.errors import UsageError
from predictor.door.checkpoint import CARD, WEIGHTS
from predictor.encoding.padded_graphs import from_graphs
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.ensemble import Scorer
from predictor.tg_nas.job import Source, train_ensemble
from predictor.tg_nas.ordering import WEAKER_TO_STRONGER, ordered_pairs
from predictor.tg_nas.training import TrainingSet, normal_scores
from tests.predictor.tg_nas.graphs import chain, random_graphs

CONFIG = TGNASConfig(width=8, layers=1, graphs=300, epochs=2, batch=64, embedding_size=8)


@pytest.fixture(scope="module")
def source() -> Source:
    """Cells labelled by their convolutions, so that something can be learnt."""
    graphs = [graph for graph in random_graphs(400) if graph.is_connected]
    strength = {"nor_conv_3x3": 3.0, "nor_conv_1x1": 1.0, "avg_pool_3x3": -1.0}
    labels = [sum(strength.get(name, 0.0) for name in graph.cells[0].operators) for graph in graphs]
    return Source("toy strength", tuple(from_graphs(graphs)), np.array(labels))


@pytest.fixture(scope="module")
def checkpoint(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("checkpoint")
    train_ensemble([source], CONFIG, [0, 1], out)
    return out


def test_the_same_seed_gives_the_same_bytes(source: Source, checkpoint: Path, tmp_path: Path) -> None:
    train_ensemble([source], CONFIG, [0, 1], tmp_path)
    assert (tmp_path / WEIGHTS).read_bytes() == (checkpoint / WEIGHTS).read_bytes()


def test_an_interrupted_training_goes_on_where_it_stopped(source: Source, checkpoint: Path, tmp_path: Path) -> None:
    def interrupt(seed: int, step: int, steps: int, loss: float) -> None:
        if seed == 1 and step == steps // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_ensemble([source], CONFIG, [0, 1], tmp_path, progress=interrupt)
    seeds: set[int] = set()
    train_ensemble([source], CONFIG, [0, 1], tmp_path, progress=lambda seed, *_: seeds.add(seed))
    assert seeds == {1}
    assert (tmp_path / WEIGHTS).read_bytes() == (checkpoint / WEIGHTS).read_bytes()


def test_an_empty_note_without_members_is_written_anew_and_one_beside_members_is_told(
    source: Source, tmp_path: Path
) -> None:
    note = tmp_path / "members" / "what.json"
    note.parent.mkdir()
    note.write_text("")
    train_ensemble([source], CONFIG, [0], tmp_path)
    note.write_text("")
    with pytest.raises(UsageError, match=r"what\.json does not tell.*remove .*members to train them again"):
        train_ensemble([source], CONFIG, [0], tmp_path)


def test_members_of_another_configuration_are_not_mixed_in(source: Source, checkpoint: Path) -> None:
    with pytest.raises(UsageError, match="another configuration"):
        train_ensemble([source], replace(CONFIG, epochs=3), [0], checkpoint)


def test_the_card_says_what_was_trained_on_what(source: Source, checkpoint: Path) -> None:
    card = json.loads((checkpoint / CARD).read_text())
    assert card["seeds"] == [0, 1]
    assert card["sources"] == [{"name": "toy strength", "sha256": source.digest(), "architectures": len(source.labels)}]
    assert card["configuration"] == CONFIG.to_dict()
    assert set(card["held_out"]["toy strength"]) >= {"architectures", "kendall_tau", "spearman_rho"}


def test_a_second_call_keeps_what_the_first_one_took(source: Source, tmp_path: Path) -> None:
    first = train_ensemble([source], CONFIG, [0, 1], tmp_path)
    assert min(first["seconds_per_member"]) > 0.0
    assert train_ensemble([source], CONFIG, [0, 1], tmp_path) == first


@pytest.mark.parametrize("labels", [4, 50, 100])
def test_a_small_source_holds_out_enough_to_know_the_scales(source: Source, labels: int, tmp_path: Path) -> None:
    small = replace(source, labels=np.where(np.arange(len(source.labels)) < labels, source.labels, np.nan))
    card = train_ensemble([small], CONFIG, [0], tmp_path)
    assert card["held_out"]["toy strength"]["architectures"] == min(30, labels // 2)
    numbers = [*card["prior"].values(), *card["members"][0].values()]
    assert np.isfinite(numbers).all()
    graphs = random_graphs(20)
    scores = Scorer.load(tmp_path).score(graphs)
    assert scores.connected.tolist() == [graph.is_connected for graph in graphs]


def test_the_scale_of_the_prior_asks_no_labels(source: Source, checkpoint: Path, tmp_path: Path) -> None:
    small = replace(source, labels=np.where(np.arange(len(source.labels)) < 60, source.labels, np.nan))
    prior = train_ensemble([small], CONFIG, [0], tmp_path)["prior"]
    assert prior == json.loads((checkpoint / CARD).read_text())["prior"]


def source_with_mixer(name: str, words: str) -> Source:
    """Chains that are the better the more mixers they have, an operator that only this source explains."""
    mixer = Operator("mixer", "attention", short=words, medium=words, long=words, has_weights=True)
    vocabulary = VOCABULARY.extended([mixer])
    chains = [["mixer"] * mixers + ["conv3x3"] * others for mixers in range(6) for others in range(1, 6)]
    cells = from_graphs([chain(operators, vocabulary) for operators in chains])
    labels = np.array([float(operators.count("mixer")) for operators in chains])
    return Source(name, tuple(cells), labels, vocabulary=vocabulary)


def test_a_source_of_other_sizes_is_another_source() -> None:
    graph = chain(["conv"], SIZED_VOCABULARY)

    def sized(size: Size) -> str:
        (cell,) = graph.cells
        graphs = [replace(graph, cells=(replace(cell, sizes=(None, size, None)),))]
        return Source("mine", tuple(from_graphs(graphs)), np.zeros(1), vocabulary=SIZED_VOCABULARY).digest()

    assert sized(Size(kernel=3)) == sized(Size(kernel=3)) != sized(Size(kernel=5))


def test_a_source_may_bring_operators_of_its_own(source: Source, tmp_path: Path) -> None:
    own = source_with_mixer("mine accuracy", "Token mixer")
    card = train_ensemble([source, own], CONFIG, [0], tmp_path / "both")
    assert [one["name"] for one in card["sources"]] == ["toy strength", "mine accuracy"]
    other = source_with_mixer("theirs accuracy", "Audio mixer")
    assert other.digest() != own.digest()
    with pytest.raises(UsageError, match="mine accuracy and theirs accuracy mean different operators by 'mixer'"):
        train_ensemble([own, other], CONFIG, [0], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_what_cannot_be_trained_on_is_refused(source: Source, tmp_path: Path) -> None:
    three = replace(source, labels=np.where(np.arange(len(source.labels)) < 3, source.labels, np.nan))
    with pytest.raises(UsageError, match="toy strength has 3 architectures with labels"):
        train_ensemble([three], CONFIG, [0], tmp_path / "three")
    alike = Source("alike", tuple(from_graphs([chain(["conv3x3"])] * 8)), np.arange(8.0))
    with pytest.raises(UsageError, match="graphs of alike are all alike"):
        train_ensemble([alike], CONFIG, [0], tmp_path / "alike")
    with pytest.raises(UsageError, match="at least one source"):
        train_ensemble([], CONFIG, [0], tmp_path / "none")


def test_scores_do_not_depend_on_the_pool(checkpoint: Path) -> None:
    scorer, graphs = Scorer.load(checkpoint), random_graphs(30, seed=5)
    together = scorer.score(graphs)
    for place, graph in enumerate(graphs[:5]):
        alone = scorer.score([graph])
        assert alone.mean[0] == pytest.approx(together.mean[place], rel=1e-4, nan_ok=True)
        assert alone.std[0] == pytest.approx(together.std[place], rel=1e-2, abs=1e-5, nan_ok=True)


def test_arrays_and_graphs_score_alike(checkpoint: Path) -> None:
    scorer = Scorer.load(checkpoint)
    graphs = [graph for graph in random_graphs(60, seed=6) if graph.cells[0].node_count == 5]
    arrays = CellArrays.of([graph.cells[0] for graph in graphs])
    np.testing.assert_allclose(scorer.score_arrays("nb201", [arrays]).mean, scorer.score(graphs).mean, rtol=1e-4)


def test_equal_functions_score_alike_and_dead_cells_rank_last(checkpoint: Path) -> None:
    graphs = random_graphs(200, seed=7)
    scores = Scorer.load(checkpoint).score(graphs)
    by_digest: dict[str, float] = {}
    for graph, score in zip(graphs, scores.mean, strict=True):
        assert by_digest.setdefault(graph.digest, score) == pytest.approx(score, rel=1e-4, nan_ok=True)
    dead = np.array([not graph.is_connected for graph in graphs])
    assert dead.any()
    assert np.array_equal(dead, ~scores.connected)
    assert scores.ranked_last()[dead].max() < scores.ranked_last()[~dead].min()


def test_operators_that_were_never_seen_and_graphs_of_any_size() -> None:
    vocabulary = VOCABULARY.extended(
        [
            Operator("attention", "attention", short="Multi-head self-attention", medium="", long="", has_weights=True),
            Operator("gate", "activation", short="Sigmoid gate", medium="", long=""),
            Operator("mlp", "linear", short="Feed-forward network", medium="", long="", has_weights=True),
        ]
    )
    graphs = [chain(["attention", "gate", "mlp"] * repeats, vocabulary) for repeats in (1, 10, 100)]
    scores = Scorer.load("tg_nas").score(canonical_graphs(graphs))
    assert np.isfinite(scores.mean).all()
    assert (np.diff(scores.mean) > 0).all()  # a deeper transformer is the stronger one


def test_the_smallest_graph(checkpoint: Path) -> None:
    graph = ArchitectureGraph("own", (CellGraph.build("cell", ("input", "output"), [(0, 1)]),)).canonical
    assert np.isfinite(Scorer.load(checkpoint).score([graph]).mean[0])


def test_a_checkpoint_whose_weights_were_swapped_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / CARD).write_bytes((checkpoint / CARD).read_bytes())
    (tmp_path / WEIGHTS).write_bytes((checkpoint / WEIGHTS).read_bytes() + b"\0")
    with pytest.raises(UsageError, match="do not belong together"):
        Scorer.load(tmp_path)


def test_an_unknown_checkpoint_lists_the_shipped_ones() -> None:
    with pytest.raises(UsageError, match="tg_nas"):
        Scorer.load("tg_nos")


def test_ordered_pairs_differ_in_one_node_and_in_a_known_order(source: Source) -> None:
    cells = TrainingSet.of(source.cells, source.labels).cells
    weak, strong = ordered_pairs(cells, ("nor_conv_3x3", "nor_conv_1x1"), np.random.default_rng(0))
    differing = (weak != strong).sum(axis=1)
    assert set(differing.tolist()) == {0, 1}
    for row in np.flatnonzero(differing)[:50]:
        node = int((weak[row] != strong[row]).argmax())
        assert (cells.names[weak[row, node]], cells.names[strong[row, node]]) in WEAKER_TO_STRONGER


def test_normal_scores_keep_the_order_and_are_standard() -> None:
    values = np.random.default_rng(0).exponential(size=1001)
    scores = normal_scores(values)
    assert np.array_equal(np.argsort(scores), np.argsort(values))
    assert float(np.median(scores)) == pytest.approx(0.0, abs=1e-6)
    assert float(scores.std()) == pytest.approx(1.0, abs=0.01)
