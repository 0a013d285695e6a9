"""The mixer: its shape, its noise, and how it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from predictor.parzc.mixer import MABN, BayesianLinear, MABNConfig
from predictor.parzc.training import Schedule, predicted, sampled, scaled, train

SMALL = MABNConfig(12, channels=16, depth=1)


def test_the_network_of_the_paper() -> None:
    """Its shape from the input of NAS-Bench-201: 98 layers of three proxies."""
    model = MABN(MABNConfig(3 * 98))
    feed_forwards = 4 * sum(2 * 512 * inner + inner + 512 + 2 * 512 for inner in (2048, 256))
    around = (3 * 98 + 1) * 256 + 2 * (16 + 1) * 512 + 2 * 512 + 2 * (512 + 1)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert count == feed_forwards + around
    assert repr(model) == f"MABN(294 inputs, 4 x 512, {count:,} parameters)"


def test_weights_are_noisy_in_training_and_their_means_otherwise() -> None:
    layer = BayesianLinear(3, 4)
    values = torch.ones(2, 3)
    assert not torch.equal(layer(values), layer(values))
    torch.testing.assert_close(layer(values)[0], layer(values)[1], rtol=1, atol=1)
    layer.eval()
    assert torch.equal(layer(values), layer(values))
    assert torch.equal(layer(values), values @ layer.weight_mean.T + layer.bias_mean)


def test_noise_has_the_softplus_of_rho_as_deviation() -> None:
    layer = BayesianLinear(1, 20_000)
    torch.manual_seed(0)
    noise = layer(torch.zeros(1, 1)) - layer.bias_mean
    assert noise.std().item() == pytest.approx(np.log1p(np.exp(-5.0)), rel=0.02)


def test_segments_meet_in_the_first_layer_and_the_mean_alone() -> None:
    """What changes one segment changes its own vector only."""
    model = MABN(SMALL).eval()
    parts = torch.randn(1, 16, 16)
    other = parts.clone()
    other[:, 3] += 1.0
    changed = (model.mixer(model.widen(parts)) != model.mixer(model.widen(other))).any(dim=-1)[0]
    assert changed.nonzero().tolist() == [[3]]


def test_samples_are_the_same_for_every_batch_and_end_with_the_means() -> None:
    model = MABN(SMALL).eval()
    inputs = np.random.default_rng(0).random((9, 12), dtype=np.float32)
    mean = predicted(model, inputs)
    drawn = sampled(model, inputs, 3, seed=1)
    np.testing.assert_allclose(drawn, sampled(model, inputs, 3, seed=1))
    np.testing.assert_allclose(drawn[:, :4], sampled(model, inputs[:4], 3, seed=1), rtol=1e-5, atol=1e-6)
    assert np.all(drawn.std(axis=0) > 0)
    np.testing.assert_array_equal(predicted(model, inputs), mean)


@pytest.mark.parametrize("changes", [{}, {"is_bayesian": False}, {"mixes": False}])
def test_it_learns_an_order_and_the_same_seed_learns_the_same(changes: dict[str, bool]) -> None:
    random = np.random.default_rng(0)
    inputs = random.random((60, 12), dtype=np.float32)
    labels = (inputs[:, 0] + 2 * inputs[:, 7]).astype(np.float64)
    config = MABNConfig(12, channels=16, depth=1, **changes)
    schedule = Schedule(epochs=40, learning_rate=3e-3)
    scores = [predicted(train(inputs[:40], labels[:40], config, schedule, seed=0), inputs) for _ in range(2)]
    np.testing.assert_array_equal(*scores)
    assert np.corrcoef(scores[0][40:], labels[40:])[0, 1] > 0.8


def test_labels_are_scaled() -> None:
    labels = np.array([90.0, 93.0, 91.0, 10.0])
    assert scaled(labels, "z").std() == pytest.approx(1)
    normal = scaled(labels, "normal")
    assert normal.tolist() == pytest.approx([-0.3186, 1.1503, 0.3186, -1.1503], abs=1e-3)
