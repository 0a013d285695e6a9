"""The losses: by their formulas, pair by pair, and what they prefer."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
import torch

from predictor.parzc.losses import LOSSES, diff_kendall, diff_kendall_original, pairwise_logistic, warp

PREDICTIONS = [0.3, -1.2, 0.8, 0.1]
LABELS = [1.0, -0.5, 0.2, -0.7]
PAIRS = list(combinations(range(4), 2))


def of(loss: object) -> float:
    return float(loss(torch.tensor(PREDICTIONS), torch.tensor(LABELS)))  # type: ignore[operator]


def test_diff_kendall_counts_each_pair_twice() -> None:
    total = sum(
        math.tanh(0.5 * (PREDICTIONS[i] - PREDICTIONS[j]) / 2) * math.tanh(0.5 * (LABELS[i] - LABELS[j]) / 2)
        for i, j in PAIRS
    )
    assert of(diff_kendall) == pytest.approx(-2 * 2 * total / (4 * 3), rel=1e-5)


def test_the_original_has_the_product_inside() -> None:
    total = sum(math.tanh((PREDICTIONS[i] - PREDICTIONS[j]) * (LABELS[i] - LABELS[j]) / 2) for i, j in PAIRS)
    assert of(diff_kendall_original) == pytest.approx(-total / len(PAIRS) / 0.0125, rel=1e-5)


def test_pairwise_logistic_is_the_mean_over_ordered_pairs() -> None:
    ordered = [(i, j) if LABELS[i] > LABELS[j] else (j, i) for i, j in PAIRS]
    losses = [math.log1p(math.exp(PREDICTIONS[j] - PREDICTIONS[i])) for i, j in ordered]
    assert of(pairwise_logistic) == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_warp_weighs_by_the_number_of_violators() -> None:
    total = 0.0
    for i in range(4):
        hinges = [1 - PREDICTIONS[i] + PREDICTIONS[j] for j in range(4) if LABELS[i] > LABELS[j]]
        violators = [hinge for hinge in hinges if hinge > 0]
        if violators:
            total += sum(violators) * sum(1 / k for k in range(1, len(violators) + 1)) / len(violators)
    assert of(warp) == pytest.approx(total / 4, rel=1e-5)


@pytest.mark.parametrize("name", list(LOSSES))
def test_the_right_order_is_better_and_gradients_lead_there(name: str) -> None:
    labels = torch.linspace(-1.5, 1.5, 7)
    assert LOSSES[name](labels, labels) < LOSSES[name](-labels, labels)
    predictions = torch.tensor([0.1, -0.2, 0.05, 0.0, -0.1, 0.15, -0.05], requires_grad=True)
    optimiser = torch.optim.Adam([predictions], lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        LOSSES[name](predictions, labels).backward()
        optimiser.step()
    assert predictions.argsort().tolist() == list(range(7))
