"""The minibatches that proxies look at, none of which needs a download."""

from __future__ import annotations

import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from catalog.errors import DatasetError
from predictor.networks.datasets import cifar10, digits_as_images

INPUTS = ("photos", "noise", "digits", "cifar10:DIR")
PIXELS = 32


@dataclass(frozen=True)
class Batch:
    """Images (B, 3, 32, 32), each channel about zero mean and unit variance over the data set, and labels (B,)."""

    images: Tensor
    labels: Tensor


@contextmanager
def seeded(purpose: str, seed: int) -> Generator[None, None, None]:
    """Random numbers of PyTorch that depend on `purpose` and `seed` alone; the global state is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(zlib.crc32(f"{purpose}:{seed}".encode()))
        yield


def draw(name: str, *, batch_size: int, batches: int, classes: int, seed: int) -> list[Batch]:
    """Minibatches of an input by name.

    Parameters
    ----------
    name
        ``photos``: random 32x32 crops of the two photographs that scikit-learn ships, mirrored at random. ``noise``:
        standard normal. ``digits``: scikit-learn's digits, enlarged to 32x32. ``cifar10:DIR``: training images of a
        CIFAR-10 folder.
    classes
        Photographs and noise have no classes: their labels are random, each class as often as any other. Digits and
        CIFAR-10 have their own ten labels.
    seed
        One seed, one draw.
    """
    count = batch_size * batches
    with seeded(f"input:{name.partition(':')[0]}", seed):  # where the files lie changes nothing
        if name in ("photos", "noise"):
            images = _photo_crops(count) if name == "photos" else torch.randn(count, 3, PIXELS, PIXELS)
            labels = torch.cat([_balanced_labels(batch_size, classes) for _ in range(batches)])
        else:
            images, labels = _labelled(name, count, classes)
    return [
        Batch(images[start : start + batch_size], labels[start : start + batch_size])
        for start in range(0, count, batch_size)
    ]


def label_kind(name: str) -> str:
    """Whether an input's labels are ``random`` or ``true``, as recorded with every score."""
    return "random" if name in ("photos", "noise") else "true"


def _labelled(name: str, count: int, classes: int) -> tuple[Tensor, Tensor]:
    kind, _, folder = name.partition(":")
    if name == "digits":
        images, labels = digits_as_images(PIXELS)
    elif kind == "cifar10" and folder:
        data = cifar10(folder)
        images, labels = data.images, data.labels
    else:
        raise DatasetError(f"unknown input {name!r}; allowed are {', '.join(INPUTS)}.")
    if int(labels.max()) >= classes:
        raise DatasetError(
            f"the input {name!r} has {int(labels.max()) + 1} classes, the network {classes}; give the network as many."
        )
    if count > len(images):
        raise DatasetError(f"the input {name!r} has {len(images)} images; {count} were asked for. Ask for fewer.")
    chosen = torch.randperm(len(images))[:count]
    return images[chosen], labels[chosen]


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


def _photo_crops(count: int) -> Tensor:
    pictures = _photographs()
    which = torch.randint(len(pictures), (count,)).tolist()
    tops = torch.randint(pictures.shape[2] - PIXELS + 1, (count,)).tolist()
    lefts = torch.randint(pictures.shape[3] - PIXELS + 1, (count,)).tolist()
    mirrored = torch.randint(2, (count,)).tolist()
    crops = []
    for picture, top, left, mirror in zip(which, tops, lefts, mirrored, strict=True):
        crop = pictures[picture, :, top : top + PIXELS, left : left + PIXELS]
        crops.append(crop.flip(-1) if mirror else crop)
    return torch.stack(crops)
