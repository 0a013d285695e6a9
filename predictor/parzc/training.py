"""Training of a mixer: labels on one scale, small batches, Adam with a cosine, as ParZC's code has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from catalog.progress import Advance, ignore
from predictor.graph_network.encoder import GraphEncoderConfig
from predictor.parzc.graphs import Arrays, batch_of
from predictor.parzc.losses import LOSSES
from predictor.parzc.mixer import MABN, MABNConfig
from predictor.parzc.statistics import Inputs

Values = NDArray[np.float64]
SCALES = ("z", "normal")
_FEWEST = 2  # whose order a loss could look at


@dataclass(frozen=True)
class Schedule:
    """How a mixer learns.

    Parameters
    ----------
    epochs
        Rounds through the labels.
    batch
        Labels of a step; a last batch of a single one is left out.
    learning_rate, weight_decay
        Of Adam; the learning rate falls to zero along a cosine.
    loss
        One of `predictor.parzc.losses.LOSSES`.
    labels
        ``z``: z-scores; ``normal``: ranks as quantiles of the normal distribution.
    """

    epochs: int = 300
    batch: int = 10
    learning_rate: float = 1e-4
    weight_decay: float = 1e-3
    loss: str = "diff_kendall"
    labels: str = "z"


def scaled(labels: Values, scale: str) -> NDArray[np.float32]:
    """Labels of mean 0 on a scale of about 1."""
    if scale == "normal":
        from scipy.special import ndtri
        from scipy.stats import rankdata

        return np.asarray(ndtri((rankdata(labels) - 0.5) / len(labels)), dtype=np.float32)
    return np.asarray((labels - labels.mean()) / labels.std(), dtype=np.float32)


def train(
    inputs: Inputs,
    labels: Values,
    config: MABNConfig,
    schedule: Schedule,
    seed: int,
    *,
    graphs: Sequence[Arrays] | None = None,
    encoder: GraphEncoderConfig | None = None,
    progress: Advance = ignore,
) -> MABN:
    """Train a mixer on (n, I) inputs and their (n,) labels; ready to score.

    Parameters
    ----------
    graphs
        Of the hybrid: the graph of each row.
    seed
        Decides initial weights, batches and noise.
    """
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    model = MABN(config, encoder).train()
    optimiser = torch.optim.Adam(
        model.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, foreach=True
    )
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, schedule.epochs)
    loss_of = LOSSES[schedule.loss]
    rows, targets = torch.from_numpy(inputs), torch.from_numpy(scaled(labels, schedule.labels))
    for epoch in range(schedule.epochs):
        order = generator.permutation(len(labels))
        for start in range(0, len(order), schedule.batch):
            index = order[start : start + schedule.batch]
            if len(index) < _FEWEST:
                continue
            batch = None if graphs is None else batch_of([graphs[row] for row in index.tolist()])
            place = torch.from_numpy(index)
            loss = loss_of(model(rows[place], batch), targets[place])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        cosine.step()
        progress(epoch + 1, schedule.epochs)
    return model.eval()


def predicted(model: MABN, inputs: Inputs, graphs: Sequence[Arrays] | None = None, batch: int = 512) -> Values:
    """(n,) scores of rows, with mean weights, or with those that `MABN.sampled` has drawn."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(inputs), batch):
            part = None if graphs is None else batch_of(graphs[start : start + batch])
            found.append(model(torch.from_numpy(inputs[start : start + batch]), part).double().numpy())
    return np.concatenate(found) if found else np.empty(0)


def sampled(model: MABN, inputs: Inputs, samples: int, seed: int, graphs: Sequence[Arrays] | None = None) -> Values:
    """(samples, n) scores with weights drawn from what was learned."""
    found = []
    for sample in range(samples):
        with model.sampled(seed * samples + sample):
            found.append(predicted(model, inputs, graphs))
    return np.stack(found)
