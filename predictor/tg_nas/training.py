"""Training of one member: a fixed short schedule, labels as normal scores, theory's operator order as extra pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.architecture.operators import VOCABULARY, Vocabulary
from predictor.encoding.padded_graphs import PADDING, CellBatch, index_type
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.features import feature_size, operator_features
from predictor.tg_nas.model import Convolution, TGNASNetwork
from predictor.tg_nas.ordering import WEAKER_TO_STRONGER, ordered_pairs

Progress = Callable[[int, int, float], None]
"""Called with the step, the number of steps and the loss."""

REPLACEABLE = ("conv1x1", "conv3x3", "maxpool3x3", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


@dataclass(frozen=True)
class TrainingSet:
    """Cells of one source with one label each, padded to one size and with one list of operator names."""

    cells: CellBatch
    labels: NDArray[np.float32]

    @classmethod
    def of(cls, batches: Sequence[CellBatch], accuracy: NDArray[np.float64]) -> TrainingSet:
        """Merge batches of cells; labels become normal scores, so that sources with different spreads compare."""
        names = tuple(dict.fromkeys([*(name for batch in batches for name in batch.names), *_ordering_names()]))
        merged = merge(batches, names)
        return cls(merged, normal_scores(accuracy)[merged.owner])

    def draw(self, count: int, generator: np.random.Generator) -> TrainingSet:
        """So many cells without replacement, or all if there are fewer."""
        if count >= len(self.labels):
            return self
        index = np.sort(generator.choice(len(self.labels), count, replace=False))
        return TrainingSet(self.cells.rows(index), self.labels[index])


def joined(sources: Sequence[TrainingSet]) -> TrainingSet:
    """Several sources as one; every cell keeps the label that it has within its own source."""
    if len(sources) == 1:
        return sources[0]
    names = tuple(dict.fromkeys(name for source in sources for name in source.cells.names))
    cells = merge([source.cells for source in sources], names)
    return TrainingSet(cells, np.concatenate([source.labels for source in sources]))


def _ordering_names() -> list[str]:
    return list(dict.fromkeys(name for pair in WEAKER_TO_STRONGER for name in pair))


def merge(batches: Sequence[CellBatch], names: tuple[str, ...]) -> CellBatch:
    """One batch of all cells, padded to the largest size, with operators counted in `names`."""
    size = max(batch.operators.shape[1] for batch in batches)
    position = {name: number for number, name in enumerate(names)}
    parts = []
    for batch in batches:
        lookup = np.array([*(position[name] for name in batch.names), PADDING], dtype=index_type(len(names)))
        room = size - batch.operators.shape[1]
        parts.append(
            replace(
                batch,
                names=names,
                operators=np.pad(lookup[batch.operators], ((0, 0), (0, room)), constant_values=PADDING),
                adjacency=np.pad(batch.adjacency.astype(np.uint8), ((0, 0), (0, room), (0, room))),
                scale=np.pad(batch.scale, ((0, 0), (0, room)), constant_values=1.0),
            )
        )
    return CellBatch(
        names,
        *(np.concatenate([getattr(part, field) for part in parts]) for field in ("operators", "adjacency", "scale")),
        *(np.concatenate([getattr(part, field) for part in parts]) for field in ("owner", "weight")),
    )


def normal_scores(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Ranks mapped to quantiles of the normal distribution (van der Waerden); ties share the mean rank."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri((rankdata(values) - 0.5) / len(values)), dtype=np.float32)


def train_member(
    sources: Sequence[TrainingSet],
    config: TGNASConfig,
    seed: int,
    *,
    vocabulary: Vocabulary = VOCABULARY,
    convolution: Convolution | None = None,
    progress: Progress | None = None,
) -> TGNASNetwork:
    """Train one network on up to ``config.graphs`` graphs, drawn with the seed, as many from each source.

    Parameters
    ----------
    sources
        Graphs and labels.
    config
        Shape and schedule.
    seed
        Decides the draw, the initial weights and the order of the batches.
    vocabulary
        What the operator names mean.
    convolution
        Maker of graph convolutions; torch-geometric's ``DenseGraphConv`` if None.
    """
    if convolution is None:
        from torch_geometric.nn import DenseGraphConv

        convolution = DenseGraphConv
    generator = np.random.default_rng(seed)
    torch.manual_seed(seed)
    drawn = joined([source.draw(config.graphs // len(sources), generator) for source in sources])
    table = torch.from_numpy(operator_features([vocabulary[name] for name in drawn.cells.names], config))
    network = TGNASNetwork(feature_size(config), config, convolution)
    optimiser = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
    steps = config.epochs * -(-len(drawn.labels) // config.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.learning_rate, total_steps=steps)
    step = 0
    network.train()
    for _ in range(config.epochs):
        for index in np.array_split(generator.permutation(len(drawn.labels)), steps // config.epochs):
            cells = drawn.cells.rows(index)
            loss = _loss(network, table, cells, torch.from_numpy(drawn.labels[index]), generator)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            step += 1
            if progress is not None:
                progress(step, steps, float(loss.detach()))
    return network.eval()


def _loss(
    network: TGNASNetwork, table: Tensor, cells: CellBatch, labels: Tensor, generator: np.random.Generator
) -> Tensor:
    """Squared error on the labels, plus a hinge wherever a stronger operator does not score above a weaker one."""
    config = network.config
    operators = torch.from_numpy(cells.operators).long()
    adjacency = torch.from_numpy(cells.adjacency.astype(np.float32))
    scale = torch.from_numpy(cells.scale)
    if not config.ordering:
        return torch.nn.functional.mse_loss(network(table, operators, adjacency, scale), labels)
    weak, strong = ordered_pairs(cells, REPLACEABLE, generator)
    stacked = torch.cat([operators, torch.from_numpy(weak).long(), torch.from_numpy(strong).long()])
    scores, weaker, stronger = network(table, stacked, adjacency.repeat(3, 1, 1), scale.repeat(3, 1)).chunk(3)
    differs = torch.from_numpy((weak != strong).any(axis=1).astype(np.float32))
    hinge = torch.relu(config.margin - (stronger - weaker)) * differs
    loss: Tensor = torch.nn.functional.mse_loss(scores, labels) + config.ordering * hinge.mean()
    return loss
