"""What every network of ours looks like from outside: a stem, blocks, a head, pooling and a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from predictor.networks.layers import ReplicatedLinear


@dataclass(frozen=True)
class NetworkConfig:
    """Everything beside the architecture that changes a network.

    Parameters
    ----------
    channels
        Channels of the first stage (NAS-Bench-201: C, NAS-Bench-101: the stem, DARTS: C).
    cells
        Cells a stage (NAS-Bench-201: N), modules a stack (NAS-Bench-101), or cells in all (DARTS: layers).
    classes
        Classes to tell apart.
    input_channels
        Channels of an image.
    imagenet
        DARTS only: the stem for images of 224 pixels, which divides the resolution by eight.
    affine_operators
        DARTS only: whether the BatchNorms inside the operators have trainable parameters. They do in DARTS's final
        networks; in those that the published NAS-Bench-301 proxies were measured on (C = 32, 8 cells) they do not.
    replicas
        Independent copies of the network in one, for training several seeds at once.
    """

    channels: int
    cells: int
    classes: int = 10
    input_channels: int = 3
    imagenet: bool = False
    affine_operators: bool = True
    replicas: int = 1


class Network(nn.Module):
    """Stem, blocks in a row, head, global average pooling, classifier.

    Shapes: images (B, input_channels, H, W); logits (B, classes). With R > 1 replicas, images
    (B, R * input_channels, H, W) and logits (B, R, classes).
    """

    stem: nn.Module
    body: nn.ModuleList
    head: nn.Module
    pool: nn.Module
    classifier: nn.Module
    stages: tuple[int, ...] = ()
    """Of each block of the body its stage, from 0; empty for a network without stages."""

    def blocks(self) -> list[nn.Module]:
        """The stem and the blocks in the order in which the data passes them."""
        return [self.stem, *self.body]

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        state = self.stem(images)
        for block in self.body:
            state = block(state)
        return self.logits(state)

    def vectors(self, inputs: Tensor) -> Tensor:
        """What is computed with: the inputs themselves, or the looked-up vectors of tokens."""
        return inputs

    def forget_words(self) -> None:
        """Drop what looks tokens up, so that vectors alone can go in."""

    def from_vectors(self, vectors: Tensor) -> Tensor:
        """Logits of what `vectors` gave."""
        out: Tensor = self(vectors)
        return out

    def logits(self, state: Tensor) -> Tensor:
        """Logits from the last block's output."""
        out: Tensor = self.classifier(self.pool(self.head(state)).flatten(1))
        return out

    def parameter_count(self) -> int:
        """Trainable parameters."""
        return sum(parameter.numel() for parameter in self.parameters() if parameter.requires_grad)


@torch.no_grad()
def load_replicas(network: Network, replicas: Sequence[Network]) -> None:
    """Make each replica of `network` equal to one plain network, parameters and buffers."""
    states = [replica.state_dict() for replica in replicas]
    linear = {name for name, module in network.named_modules() if isinstance(module, ReplicatedLinear)}
    for name, target in network.state_dict().items():
        parts = [state[name] for state in states]
        if name.rpartition(".")[0] in linear:
            target.copy_(torch.stack(parts))
        elif target.ndim == 0:  # BatchNorm's number of batches: the same in all
            target.copy_(parts[0])
        else:
            target.copy_(torch.cat(parts))
