"""The minibatches that proxies look at, none of which needs a download."""

from __future__ import annotations

import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from catalog.architecture.sizes import NetworkInput
from catalog.errors import DatasetError
from catalog.nearest import did_you_mean
from predictor.networks import CELLS_PIXELS
from predictor.networks.datasets import cifar10, digits_as_images

INPUTS = ("photos", "noise", "digits", "cifar10:DIR")
COLOURED = NetworkInput(shape=(3, CELLS_PIXELS, CELLS_PIXELS))
"""What the networks of most cell spaces take."""


@dataclass(frozen=True)
class Batch:
    """Inputs of a network and labels (B,).

    Images are (B, C, H, W), each channel about zero mean and unit variance over the data set; vectors (B, tokens, C) of
    zero mean and unit variance; tokens (B, tokens) numbers below their vocabulary.
    """

    images: Tensor
    labels: Tensor


@contextmanager
def seeded(purpose: str, seed: int) -> Generator[None, None, None]:
    """Random numbers of PyTorch that depend on `purpose` and `seed` alone; the global state is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(zlib.crc32(f"{purpose}:{seed}".encode()))
        yield


def draw(
    name: str, *, batch_size: int, batches: int, classes: int, seed: int, taken: NetworkInput = COLOURED
) -> list[Batch]:
    """Minibatches of an input by name.

    Parameters
    ----------
    name
        ``photos``: random crops of the two photographs that scikit-learn ships, mirrored at random. ``noise``:
        standard normal. ``digits``: scikit-learn's digits, enlarged. ``cifar10:DIR``: training images of a CIFAR-10
        folder. Photographs and noise of a network that takes a sequence are standard normal vectors, or random tokens.
    classes
        Photographs and noise have no classes: their labels are random, each class as often as any other. Digits and
        CIFAR-10 have their own ten labels.
    seed
        One seed, one draw.
    taken
        What the network takes: images of this resolution, of one channel as grey levels.

    Raises
    ------
    DatasetError
        There is no such input, or not for what the network takes.
    """
    count = batch_size * batches
    with seeded(f"input:{name.partition(':')[0]}", seed):  # where the files lie changes nothing
        if name in ("photos", "noise"):
            images = _random_inputs(name, count, taken)
            labels = torch.cat([_balanced_labels(batch_size, classes) for _ in range(batches)])
        else:
            images, labels = _labelled(name, count, classes, taken)
    return [
        Batch(images[start : start + batch_size], labels[start : start + batch_size])
        for start in range(0, count, batch_size)
    ]


def label_kind(name: str) -> str:
    """Whether an input's labels are ``random`` or ``true``, as recorded with every score."""
    return "random" if name in ("photos", "noise") else "true"


def _random_inputs(name: str, count: int, taken: NetworkInput) -> Tensor:
    """Inputs without classes."""
    if taken.shape is None:
        tokens, channels = taken.tokens or 0, taken.channels or 0  # which stand there where no image does
        if taken.vocabulary is not None:
            return torch.randint(taken.vocabulary, (count, tokens))
        return torch.randn(count, tokens, channels)
    channels, height, width = taken.shape
    if name == "noise":
        return torch.randn(count, channels, height, width)
    _colours(name, taken)
    return _as_grey(_photo_crops(count, height, width), channels)


def _colours(name: str, taken: NetworkInput) -> None:
    """Raise where a network does not take the images of an input."""
    if taken.shape is None:
        raise DatasetError(f"the input {name!r} is images, and the network takes tokens; photos and noise have both.")
    if taken.shape[0] not in (1, 3):
        raise DatasetError(
            f"the input {name!r} has 3 channels or, as grey levels, 1, and the network takes {taken.shape[0]}; noise "
            "has as many as it takes."
        )


def _as_grey(images: Tensor, channels: int) -> Tensor:
    return images if channels == 3 else images.mean(dim=1, keepdim=True)


def _labelled(name: str, count: int, classes: int, taken: NetworkInput) -> tuple[Tensor, Tensor]:
    kind, _, folder = name.partition(":")
    if name == "digits":
        images, labels = digits_as_images(CELLS_PIXELS)
    elif kind == "cifar10" and folder:
        data = cifar10(folder)
        images, labels = data.images, data.labels
    else:
        raise DatasetError(
            f"unknown input {name!r}; allowed are {', '.join(INPUTS)}. {did_you_mean(name, INPUTS)}".rstrip()
        )
    if int(labels.max()) >= classes:
        raise DatasetError(
            f"the input {name!r} has {int(labels.max()) + 1} classes, the network {classes}; give the network as many."
        )
    if count > len(images):
        raise DatasetError(f"the input {name!r} has {len(images)} images; {count} were asked for. Ask for fewer.")
    chosen = torch.randperm(len(images))[:count]
    return _fitted(name, images[chosen], taken), labels[chosen]


def _fitted(name: str, images: Tensor, taken: NetworkInput) -> Tensor:
    """Images with the resolution and the channels that a network takes."""
    _colours(name, taken)
    assert taken.shape is not None
    channels, *edges = taken.shape
    if list(images.shape[2:]) != edges:
        images = torch.nn.functional.interpolate(images, size=edges, mode="bilinear", align_corners=False)
    return _as_grey(images, channels)


def _balanced_labels(count: int, classes: int) -> Tensor:
    return (torch.arange(count) % classes)[torch.randperm(count)]


@lru_cache(maxsize=1)
def _photographs() -> Tensor:
    """Both photographs, (2, 3, 427, 640), each channel normalised over both."""
    from sklearn.datasets import load_sample_images

    pictures = torch.stack([torch.from_numpy(image.copy()) for image in load_sample_images().images])
    pixels = pictures.permute(0, 3, 1, 2).float() / 255.0
    mean = pixels.mean(dim=(0, 2, 3), keepdim=True)
    return (pixels - mean) / pixels.std(dim=(0, 2, 3), keepdim=True)


def _photo_crops(count: int, height: int, width: int) -> Tensor:
    pictures = _photographs()
    which = torch.randint(len(pictures), (count,)).tolist()
    tops = torch.randint(pictures.shape[2] - height + 1, (count,)).tolist()
    lefts = torch.randint(pictures.shape[3] - width + 1, (count,)).tolist()
    mirrored = torch.randint(2, (count,)).tolist()
    crops = []
    for picture, top, left, mirror in zip(which, tops, lefts, mirrored, strict=True):
        crop = pictures[picture, :, top : top + height, left : left + width]
        crops.append(crop.flip(-1) if mirror else crop)
    return torch.stack(crops)
