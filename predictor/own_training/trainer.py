"""Training an architecture for real, all its seeds in one go."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import ProxyError, UsageError
from predictor.networks import Network, NetworkConfig, build, live_form, load_replicas
from predictor.networks.datasets import Dataset, Images

_EVALUATION_BATCH = 600
_LAYOUT = torch.channels_last  # trains these small networks 1.7 times as fast as the usual layout


@dataclass(frozen=True)
class TrainConfig:
    """Everything beside architecture, data, epochs and seed that changes a training.

    Stochastic gradient descent with Nesterov momentum, the learning rate falling to zero along a cosine after every
    minibatch; no augmentation. The last images that fill no minibatch wait for the next epoch's shuffle.
    """

    channels: int = 8
    cells: int = 1
    batch_size: int = 50
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def network(self, dataset: Dataset, replicas: int = 1) -> NetworkConfig:
        """The network's size for a data set."""
        return NetworkConfig(
            channels=self.channels,
            cells=self.cells,
            classes=dataset.classes,
            input_channels=dataset.channels,
            replicas=replicas,
        )


@dataclass(frozen=True)
class Training:
    """One architecture trained with one seed.

    Parameters
    ----------
    valid, test
        Accuracy in percent after the last epoch.
    seconds
        Its share of the time that all seeds took together.
    losses
        Mean training loss of each epoch.
    curve
        Training accuracy of each epoch in percent, taken while the weights were moving.
    """

    seed: int
    epochs: int
    valid: float
    test: float
    seconds: float
    losses: list[float] = field(repr=False)
    curve: list[float] = field(repr=False)


def train(
    graph: ArchitectureGraph,
    dataset: Dataset,
    *,
    epochs: int,
    seeds: Sequence[int],
    config: TrainConfig | None = None,
    accompanied: bool = False,
) -> list[Training]:
    """Train the live network of an architecture once a seed.

    A seed decides the initial weights and the order of the images. All seeds train side by side in one network of
    grouped convolutions, which computes what one after another would, up to the rounding of sums: for a convolution
    without groups the kernels add up in another order.

    Parameters
    ----------
    seeds
        One or more. From two on, the result of one does not depend on the others where all channel counts are multiples
        of the processor's vectors, as in NAS-Bench-201's networks.
    accompanied
        Whether a single seed is trained beside a copy of itself, which costs a quarter more time and rounds as it would
        beside other seeds.

    Raises
    ------
    GraphError
        The architecture has no path from input to output.
    ProxyError
        The architecture is a network that states its input.
    UsageError
        No seed, or a minibatch larger than the training images.
    """
    if graph.input is not None:
        raise ProxyError(
            "a network that states its input, and so its resolution and its classes, is measured but not trained here."
        )
    config = config or TrainConfig()
    if not seeds or not 1 <= config.batch_size <= len(dataset.train):
        raise UsageError(
            f"{len(seeds)} seeds and minibatches of {config.batch_size} images were asked for; at least one seed and "
            f"minibatches of 1 to {len(dataset.train)} images are needed."
        )
    start = time.perf_counter()
    together = [*seeds, *seeds] if accompanied and len(seeds) == 1 else seeds
    network = _network_of(live_form(graph), dataset, together, config)
    losses, curves = _fit(network, dataset.train, epochs, together, config)
    validation, testing = (evaluate(network, part, len(together)) for part in (dataset.valid, dataset.test))
    seconds = (time.perf_counter() - start) / len(seeds)
    return [
        Training(
            seed=seed,
            epochs=epochs,
            valid=validation[place],
            test=testing[place],
            seconds=seconds,
            losses=losses[place],
            curve=curves[place],
        )
        for place, seed in enumerate(seeds)
    ]


def train_module(
    module: nn.Module, dataset: Dataset, *, epochs: int, seed: int, config: TrainConfig | None = None
) -> Training:
    """Train a module of somebody's own, images in and one number a class out, from the weights that it has.

    Parameters
    ----------
    seed
        Decides the order of the images.
    config
        How; its size of a network means nothing here.
    """
    config = config or TrainConfig()
    start = time.perf_counter()
    module.to(memory_format=_LAYOUT)  # type: ignore[call-overload]  # as in `_network_of`
    losses, curves = _fit(module, dataset.train, epochs, (seed,), config)
    (valid,), (test,) = (evaluate(module, part) for part in (dataset.valid, dataset.test))
    return Training(seed, epochs, valid, test, time.perf_counter() - start, losses[0], curves[0])


def _network_of(graph: ArchitectureGraph, dataset: Dataset, seeds: Sequence[int], config: TrainConfig) -> Network:
    plain = []
    for seed in seeds:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            plain.append(build(graph, config.network(dataset)))
    network = plain[0]
    if len(plain) > 1:
        network = build(graph, config.network(dataset, replicas=len(plain)))
        load_replicas(network, plain)
    network.to(memory_format=_LAYOUT)  # type: ignore[call-overload]  # PyTorch's annotations lack this overload
    return network


def _fit(
    network: nn.Module, images: Images, epochs: int, seeds: Sequence[int], config: TrainConfig
) -> tuple[list[list[float]], list[list[float]]]:
    """Losses and accuracies of each epoch, a list a seed."""
    orders = [torch.Generator().manual_seed(seed) for seed in seeds]
    steps = len(images) // config.batch_size
    optimiser = torch.optim.SGD(
        network.parameters(),
        lr=config.learning_rate,
        momentum=config.momentum,
        nesterov=config.momentum > 0,
        weight_decay=config.weight_decay,
    )
    losses: list[list[float]] = [[] for _ in seeds]
    curves: list[list[float]] = [[] for _ in seeds]
    network.train()
    for epoch in range(epochs):
        shuffled = torch.stack([torch.randperm(len(images), generator=order) for order in orders])  # (R, n)
        total = torch.zeros(len(seeds))
        correct = torch.zeros(len(seeds))
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = _cosine(config.learning_rate, epoch * steps + step, epochs * steps)
            chosen = shuffled[:, step * config.batch_size : (step + 1) * config.batch_size]  # (R, B)
            labels = images.labels[chosen]
            logits = _logits(network, _side_by_side(images.images[chosen]), len(seeds))  # (R, B, classes)
            of_seed = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
            of_seed = of_seed.view(len(seeds), -1).mean(dim=1)
            optimiser.zero_grad()
            of_seed.sum().backward()
            optimiser.step()
            total += of_seed.detach()
            correct += (logits.detach().argmax(dim=2) == labels).float().mean(dim=1)
        for place in range(len(seeds)):
            losses[place].append(float(total[place]) / steps)
            curves[place].append(100.0 * float(correct[place]) / steps)
    return losses, curves


def _cosine(first: float, step: int, steps: int) -> float:
    return first * (1 + math.cos(math.pi * step / steps)) / 2


def _side_by_side(images: Tensor) -> Tensor:
    """(R, B, C, H, W) to (B, R * C, H, W)."""
    return images.transpose(0, 1).flatten(1, 2).contiguous(memory_format=_LAYOUT)


def _logits(network: nn.Module, images: Tensor, replicas: int) -> Tensor:
    """(R, B, classes)."""
    logits: Tensor = network(images)
    return logits[None] if replicas == 1 else logits.transpose(0, 1)


@torch.no_grad()
def evaluate(network: nn.Module, images: Images, replicas: int = 1) -> list[float]:
    """Accuracy of each replica in percent, in evaluation mode."""
    network.eval()
    correct = torch.zeros(replicas)
    for start in range(0, len(images), _EVALUATION_BATCH):
        part = images.images[start : start + _EVALUATION_BATCH].repeat(1, replicas, 1, 1)
        part = part.contiguous(memory_format=_LAYOUT)
        labels = images.labels[start : start + _EVALUATION_BATCH]
        correct += (_logits(network, part, replicas).argmax(dim=2) == labels).sum(dim=1)
    return [100.0 * float(value) / len(images) for value in correct]


def with_subset(dataset: Dataset, count: int) -> Dataset:
    """The same data set with only the first `count` training images."""
    images = Images(dataset.train.images[:count], dataset.train.labels[:count])
    return replace(dataset, train=images)
