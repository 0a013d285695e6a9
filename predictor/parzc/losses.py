"""Losses of a batch of predictions and labels: squared error, and four that look at the order alone.

Shapes: predictions (B,) and labels (B,); result a scalar. Labels are on a scale of about one: z-scores, normal scores.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]

STEEPNESS = 0.5  # alpha of ParZC's code
TEMPERATURE = 0.0125  # T of Zheng et al.
_MARGIN = 1.0


def _differences(values: Tensor) -> Tensor:
    """(B, B): row minus column."""
    return values.unsqueeze(1) - values.unsqueeze(0)


def diff_kendall(predictions: Tensor, labels: Tensor) -> Tensor:
    r"""ParZC's, :math:`-\frac{2}{N(N-1)} \sum_{i \ne j} \tanh(\alpha \Delta p_{ij}/2) \tanh(\alpha \Delta y_{ij}/2)`.

    Dong et al., 2025 (arXiv 2402.02105), as their code has it: alpha = 0.5, and each pair counts twice.
    """
    predicted, true = (torch.tanh(STEEPNESS * _differences(values) / 2) for values in (predictions, labels))
    count = len(predictions)
    return -2 * (predicted * true).sum() / (count * (count - 1))


def diff_kendall_original(predictions: Tensor, labels: Tensor) -> Tensor:
    r"""Its origin, :math:`-\frac{1}{T} \overline{\tanh(\Delta p_{ij} \Delta y_{ij} / 2)}`, T = 0.0125.

    Zheng et al., "DiffKendall: A novel approach for few-shot learning with differentiable Kendall's rank correlation",
    2023 (arXiv 2307.15317).
    """
    agreement = torch.tanh(_differences(predictions) * _differences(labels) / 2)
    count = len(predictions)
    return -agreement.sum() / (count * (count - 1)) / TEMPERATURE


def squared_error(predictions: Tensor, labels: Tensor) -> Tensor:
    """The mean squared error."""
    return torch.nn.functional.mse_loss(predictions, labels)


def pairwise_logistic(predictions: Tensor, labels: Tensor) -> Tensor:
    r"""The mean of :math:`\log(1 + e^{-\Delta p})` over pairs that the labels order (RankNet, Burges et al. 2005)."""
    ordered = _differences(labels) > 0
    losses = torch.nn.functional.softplus(-_differences(predictions))
    return (losses * ordered).sum() / ordered.sum().clamp(min=1)


def warp(predictions: Tensor, labels: Tensor) -> Tensor:
    r"""Weighted approximate-rank pairwise loss, :math:`\sum_i \frac{H(r_i)}{r_i} \sum_j [1 - p_i + p_j]_+`.

    Weston, Bengio and Usunier, "WSABIE", 2011, with all violators j of a row in place of drawn ones: r is their number,
    H the harmonic number. Errors at the top cost most.
    """
    hinge = torch.relu(_MARGIN - _differences(predictions)) * (_differences(labels) > 0)
    ranks = (hinge > 0).sum(dim=1)  # (B,)
    harmonic = torch.cat([hinge.new_zeros(1), (1 / torch.arange(1, len(labels) + 1, device=hinge.device)).cumsum(0)])
    weights = harmonic[ranks] / ranks.clamp(min=1)
    return (weights * hinge.sum(dim=1)).mean()


LOSSES: dict[str, Loss] = {
    "diff_kendall": diff_kendall,
    "diff_kendall_original": diff_kendall_original,
    "mse": squared_error,
    "pairwise": pairwise_logistic,
    "warp": warp,
}
"""The losses by name."""
