r"""Encoders that learn from the labels themselves, end to end; each of several leaves out a part of the labels.

After Han et al., "A general-purpose transferable predictor for neural architecture search", 2023 (arXiv 2302.10835).
With :math:`y` the labels and :math:`f` what is predicted of a batch,

.. math:: L = \frac1B \sum_i (f_i - y_i)^2 + \frac{1}{B^2} \sum_{y_i > y_j} \max(0, m - f_i + f_j).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from catalog.progress import Advance
from predictor.computation_graph.encoder import NetworkEncoder, Networks, Rows, Values, pieces
from predictor.computation_graph.model import share_of_labels, slope_of
from predictor.door import Given
from predictor.few_label.blend import folds
from predictor.few_label.labels import normal_scores

MEMBERS = 5
STEPS = 100
BATCH = 64
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-2
MARGIN = 0.1
_FIRST = "tuned."
_LEAST = 1e-3  # a spread of 0 would say that nothing can be learned any more


class Tuned(nn.Module):
    """An encoder and a line on its vectors."""

    def __init__(self, encoder: NetworkEncoder) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(encoder)
        self.head = nn.Sequential(nn.LayerNorm(encoder.vector), nn.Linear(encoder.vector, 1))

    def forward(self, networks: Networks) -> Tensor:
        """(G,) normal scores of the labels."""
        out: Tensor = self.head(self.encoder(networks))
        return out[:, 0]


@dataclass(frozen=True)
class FineTuned:
    """What was learned from N labels.

    Parameters
    ----------
    members
        Each learned from all labels but one part.
    share
        Of their mean; the rest is the zero-shot score.
    slope
        On the zero-shot score.
    noise
        Deviation of labels that were left out from what the blend predicts.
    """

    members: Sequence[Tuned]
    share: float
    slope: float
    noise: float

    @classmethod
    def fit(
        cls,
        encoders: Sequence[NetworkEncoder],
        given: Given,
        rows: Rows,
        labels: Values,
        zero_shot: Values | None,
        *,
        seed: int,
        progress: Advance,
    ) -> FineTuned:
        """Learn from labels of which higher ones are better, of the architectures `rows`."""
        scores = normal_scores(labels)
        batch = given.networks(rows)
        networks = [Networks.of(batch.taken(place), given.vocabulary) for place in range(len(rows))]
        left_out = np.zeros(len(rows))
        members = []
        parts = folds(len(rows), seed, MEMBERS)
        for place, part in enumerate(parts):
            rest = np.setdiff1d(np.arange(len(rows)), part)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed * MEMBERS + place)
                member = Tuned(encoders[place % len(encoders)])
                _learn(member, [networks[one] for one in rest], scores[rest], seed)
            left_out[part] = _read(member, Networks.joined([networks[one] for one in part]))
            members.append(member)
            progress(place + 1, len(parts))
        share, slope = 1.0, 0.0
        if zero_shot is not None:
            slope = slope_of(zero_shot, scores)
            share = share_of_labels(scores, left_out, slope * zero_shot)
            left_out = share * left_out + (1.0 - share) * slope * zero_shot
        return cls(members, share, slope, max(_LEAST, float(np.sqrt(np.mean((scores - left_out) ** 2)))))

    def predict(self, given: Given, rows: Rows, zero_shot: Values | None) -> tuple[Values, Values]:
        """(R,) mean, and spread: what the members differ by beside the noise."""
        found = [np.empty((len(self.members), 0))]
        for networks in pieces(given, rows, attends=self.members[0].encoder.config.attends):
            found.append(np.stack([_read(member, networks) for member in self.members]))
        every = np.concatenate(found, axis=1)
        mean, spread = every.mean(axis=0), np.sqrt(every.var(axis=0) + self.noise**2)
        if zero_shot is not None:
            mean = self.share * mean + (1.0 - self.share) * self.slope * zero_shot
        return mean, spread

    def state(self) -> dict[str, NDArray[Any]]:
        """As arrays by name."""
        state: dict[str, NDArray[Any]] = {"tuned": np.array([self.share, self.slope, self.noise])}
        for place, member in enumerate(self.members):
            state |= {f"{_FIRST}{place}.{name}": values.numpy() for name, values in member.state_dict().items()}
        return state

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]], encoder: NetworkEncoder) -> FineTuned:
        """Take back what `state` gave, of encoders of the shape of one."""
        count = 1 + max(int(name.split(".")[1]) for name in state if name.startswith(_FIRST))
        members = []
        for place in range(count):
            first = f"{_FIRST}{place}."
            member = Tuned(encoder)
            member.load_state_dict(
                {
                    name.removeprefix(first): torch.from_numpy(values.copy())
                    for name, values in state.items()
                    if name.startswith(first)
                }
            )
            members.append(member.eval())
        return cls(members, *state["tuned"].tolist())


def _learn(member: Tuned, networks: Sequence[Networks], scores: Values, seed: int) -> None:
    random = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(member.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY, foreach=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=STEPS)
    member.train()
    for _ in range(STEPS):
        chosen = random.permutation(len(networks))[:BATCH]
        labels = torch.from_numpy(scores[chosen].astype(np.float32))
        found = member(Networks.joined([networks[one] for one in chosen]))
        apart = torch.relu(MARGIN - (found[:, None] - found[None, :]))
        loss = mse_loss(found, labels) + (apart * (labels[:, None] > labels[None, :])).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(member.parameters(), 1.0)
        optimiser.step()
        cycle.step()
    member.eval()


def _read(member: Tuned, networks: Networks) -> Values:
    with torch.inference_mode():
        return np.asarray(member(networks).double().numpy())
