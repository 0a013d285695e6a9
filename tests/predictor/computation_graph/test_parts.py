"""Features, encoder, statistics and the blend with the zero-shot score, each on its smallest case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from catalog.architecture.computation.arrays import ComputationBatch, batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.operators import Vocabulary
from catalog.spaces import space_named
from predictor.computation_graph import encoder as encoder_module
from predictor.computation_graph import vectors
from predictor.computation_graph.encoder import NetworkEncoder, Networks, encoded, untrained
from predictor.computation_graph.features import NUMBERS, SIZE, node_features
from predictor.computation_graph.model import share_of_labels, slope_of
from predictor.computation_graph.objectives import OBJECTIVES, Piece
from predictor.computation_graph.predictor import ComputationGraphs
from predictor.computation_graph.readouts import PARTS, READOUTS
from predictor.computation_graph.statistics import FLOW, LEVELS, NAMES, WAVES, flows, spectra, statistics, surroundings
from predictor.computation_graph.words import FAMILIES, KNOWN, WIDTH, table_of, unknown_words
from predictor.door import Given
from predictor.encoding.encoder import DEFAULT
from predictor.graph_network.encoder import GraphEncoderConfig
from predictor.scoring.candidates import given_of

CONFIG = GraphEncoderConfig(16, 2, attends=False, expansion=1)
SPACES = ("nb201", "nb101", "darts")


def networks(space: str, count: int = 6) -> ComputationBatch:
    known = space_named(space)
    return fused(batch_of_plans(known.network_plans(known.sample(count, 0))))


def column(features: np.ndarray, name: str) -> np.ndarray:
    return features[:, SIZE - len(NUMBERS) + NUMBERS.index(name)]


@pytest.mark.parametrize("space", SPACES)
def test_every_word_of_the_built_in_spaces_is_known_and_its_features_are_finite_and_of_order_one(space: str) -> None:
    batch = networks(space)
    assert unknown_words(batch.words) == ()
    features = node_features(batch, table_of(batch.words, batch.kinds, Vocabulary()))
    assert features.shape == (len(batch.nodes.word), SIZE)
    assert np.abs(features).max() < 8


def test_features_say_where_a_network_halves_its_resolution() -> None:
    batch = networks("nb201", 1)
    features = node_features(batch, table_of(batch.words, batch.kinds, Vocabulary()))
    halved = batch.nodes.shape[:, 2] == 16  # of an image of 32
    assert halved.any()
    assert set(column(features, "places_to_input")[halved]) == {-0.25}
    assert (column(features, "repeats")[batch.nodes.repeats == 5] > 1).all()


def test_no_known_description_needs_the_sentence_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package brings a vector of each; a new description without one says what to install."""

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(type(DEFAULT), "encode", refuse)
    kinds = [kind for kind, _ in KNOWN.values()]
    table = table_of(list(KNOWN), kinds, Vocabulary())
    assert table.vectors.shape == (len(KNOWN), WIDTH)
    assert {FAMILIES[place] for place in table.family} == set(kinds)
    with pytest.raises(AssertionError):
        table_of(["quantum_mixer"], ["other"], Vocabulary())


@pytest.mark.parametrize("attends", [False, True])
def test_a_vector_does_not_depend_on_the_graphs_beside_it(attends: bool) -> None:
    encoder = untrained(replace(CONFIG, attends=attends), 0)
    batch = networks("nb101")
    with torch.inference_mode():
        together = encoder(Networks.of(batch, Vocabulary()))
        alone = encoder(Networks.of(batch.taken(2), Vocabulary()))
    assert together.shape == (6, encoder.vector)
    torch.testing.assert_close(together[2], alone[0], rtol=1e-4, atol=1e-5)


def test_a_vector_is_the_same_while_learning_and_however_many_are_encoded_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = untrained(CONFIG, 0)
    learning = made(Networks.of(networks("darts"), Vocabulary()))
    space = space_named("darts")
    given = given_of(space, ComputationGraphs.needs, graphs := space.sample(6, 0), [one.canonical for one in graphs])
    monkeypatch.setattr(encoder_module, "AT_ONCE", 4)
    found = encoded([made], given, np.arange(6))[0]["mean"]
    torch.testing.assert_close(torch.from_numpy(found).float(), learning.detach(), rtol=1e-4, atol=1e-5)


def test_an_untrained_encoder_is_what_its_seed_makes_it_and_disturbs_nobody_elses_draws() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    first, same, other = untrained(CONFIG, 0), untrained(CONFIG, 0), untrained(CONFIG, 1)
    assert torch.equal(torch.rand(1), wanted)
    assert torch.equal(first.embedding.weight, same.embedding.weight)
    assert not torch.equal(first.embedding.weight, other.embedding.weight)
    assert repr(first).startswith("NetworkEncoder(graph network, 2 x 16, ")


def test_a_network_without_nodes_has_the_vector_0() -> None:
    space = space_named("nb201")
    (connected,) = space.network_plans(space.sample(1, 0))
    batch = fused(batch_of_plans([None, connected]))
    with torch.inference_mode():
        vectors = untrained(CONFIG, 0)(Networks.of(batch, Vocabulary()))
    assert not vectors[0].any()
    assert vectors[1].any()


def test_spectra_see_wirings_and_statistics_see_sizes() -> None:
    batch = networks("nb201", 2)
    found = spectra(batch)
    assert found.shape == (2, LEVELS)
    np.testing.assert_allclose(found[:, 0], 0.0, atol=1e-9)  # a connected graph's smallest eigenvalue
    assert (found <= 2 + 1e-9).all()
    told = statistics(batch, table_of(batch.words, batch.kinds, Vocabulary()))
    np.testing.assert_allclose(told[:, NAMES.index("parameters")], np.log1p(batch.totals()[0]))
    np.testing.assert_allclose(told[:, len(NAMES) - len(FAMILIES) :].sum(axis=1), 1.0)


def test_surroundings_see_operators_that_spectra_do_not_and_near_descriptions_are_near() -> None:
    batch = networks("nb201", 1)
    table = table_of(batch.words, batch.kinds, Vocabulary())
    pool, conv = (np.flatnonzero([word == name for word in batch.words]) for name in ("avgpool", "conv"))
    own = surroundings(batch, table)
    assert own.shape == (1, WAVES)
    other = replace(batch, nodes=replace(batch.nodes, word=np.where(batch.nodes.word == pool, conv, batch.nodes.word)))
    np.testing.assert_array_equal(spectra(batch), spectra(other))
    assert np.linalg.norm(own - surroundings(other, table)) > 0.01


def test_a_flow_is_the_forward_and_the_backward_pass_that_torch_makes() -> None:
    batch = networks("nb101", 3)
    table = table_of(batch.words, batch.kinds, Vocabulary())
    found = flows(batch, table)
    assert found.shape == (len(batch.nodes.word), 2 * FLOW)
    random = np.random.default_rng(0)
    own = table.vectors[batch.nodes.word].astype(np.float64)
    maps = [own @ (random.normal(size=(own.shape[1], FLOW)) / np.sqrt(own.shape[1])) for _ in range(2)]
    gains, offsets = 1.0 + torch.tanh(torch.from_numpy(maps[0])), torch.from_numpy(maps[1])
    hidden: list[torch.Tensor] = []
    for node in range(len(own)):
        sources = batch.source[batch.target == node]
        heard = sum((hidden[one] for one in sources), torch.zeros(FLOW)) / max(1, len(sources)) ** 0.5
        hidden.append(torch.tanh(gains[node] * heard + offsets[node]).requires_grad_())
        hidden[-1].retain_grad()
    ends = [hidden[node] for node in range(len(own)) if node not in batch.source]
    torch.stack(ends).sum().backward()
    np.testing.assert_allclose(found[:, :FLOW], torch.stack(hidden).detach(), atol=1e-6)
    back = np.stack([node.grad.numpy() for node in hidden if node.grad is not None])
    np.testing.assert_allclose(np.sinh(found[:, FLOW:]), back, atol=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_each_objective_has_a_loss_that_training_lowers(name: str) -> None:
    batch = networks("nb201", 8)
    table = table_of(batch.words, batch.kinds, Vocabulary())
    known = statistics(batch, table)
    piece = Piece(
        Networks.of(batch, Vocabulary()),
        torch.from_numpy(spectra(batch).astype(np.float32)),
        torch.from_numpy((known - known.mean(axis=0)).astype(np.float32)),
        torch.from_numpy(surroundings(batch, table).astype(np.float32)),
        torch.from_numpy(flows(batch, table).astype(np.float32)),
        torch.from_numpy(batch.nodes.word),
    )
    torch.manual_seed(0)
    encoder = NetworkEncoder(CONFIG).train()
    head = OBJECTIVES[name](encoder, len(batch.words))
    optimiser = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=3e-3)
    losses = []
    for _ in range(30):
        loss = head(encoder, piece)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_few_labels_leave_the_zero_shot_order_and_many_overrule_it() -> None:
    random = np.random.default_rng(0)
    for count, least, most in ((5, 0.0, 0.25), (500, 0.9, 1.0)):
        labels = random.normal(size=count)
        zero_shot, process = random.normal(size=count), labels + 0.1 * random.normal(size=count)
        assert least <= share_of_labels(labels, process, 0.1 * zero_shot) <= most


def test_a_zero_shot_score_that_labels_contradict_counts_for_nothing() -> None:
    labels = np.random.default_rng(0).normal(size=100)
    assert slope_of(-labels, labels) == 0.0
    assert slope_of(labels, labels) == pytest.approx(1.0, abs=0.1)


def test_the_vectors_of_the_same_architectures_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    space = space_named("nb201")
    native = space.sample(20, 0)
    given = given_of(space, ComputationGraphs.needs, native, [graph.canonical for graph in native])
    first, other = [untrained(CONFIG, 0), untrained(CONFIG, 2)], [untrained(CONFIG, 1), untrained(CONFIG, 3)]
    asked: list[int] = []

    def counted(encoders: Sequence[NetworkEncoder], given: Given, rows: np.ndarray) -> object:
        asked.append(len(rows))
        return encoded(encoders, given, rows)

    monkeypatch.setattr(vectors, "encoded", counted)
    rows = np.flatnonzero(given.connected)
    for encoders, wanted in ((first, rows[:8]), (first, rows[::-1]), (first, rows), (other, rows[:3])):
        found, sizes = vectors.vectors_of(encoders, given, wanted)
        made, sizes_made = encoded(encoders, given, wanted)
        assert list(found) == list(READOUTS)
        for name, values in made.items():
            np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(sizes, sizes_made)
    assert asked == [8, len(rows) - 8, 3]


def test_each_read_out_has_the_width_that_its_rounds_and_parts_make_and_is_0_without_nodes() -> None:
    space = space_named("nb201")
    (connected,) = space.network_plans(space.sample(1, 0))
    made = Networks.of(fused(batch_of_plans([None, connected, None])), Vocabulary())
    with torch.inference_mode():
        hidden = untrained(CONFIG, 0).nodes(made.graphs)
        found = {name: read(hidden, made.graphs, made.weights) for name, read in READOUTS.items()}
    widths = {"mean": 3 * 16, "most": 2 * 16, "parts": PARTS * 16, "end": 16}
    assert {name: values.shape for name, values in found.items()} == {name: (3, w) for name, w in widths.items()}
    for values in found.values():
        assert not values[[0, 2]].any()
        assert values[1].any()
    torch.testing.assert_close(found["most"][1, 16:], hidden[-1].amax(dim=0))
    torch.testing.assert_close(found["end"][1], hidden[-1][-1])
