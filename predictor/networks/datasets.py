"""Labelled images to train on: scikit-learn's digits, and CIFAR-10 where the user has it."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from catalog.errors import DatasetError

SPLIT_SEED = 20_240_000
"""Seed of the one permutation that splits the digits; part of the data set's definition."""

DIGITS_SPLIT = {"train": 600, "valid": 597, "test": 600}
"""Images of each split of the 1,797 digits. Small on purpose: with more to learn from, all cells reach the same."""

_TRAIN_FILES = tuple(f"data_batch_{number}" for number in range(1, 6))
_CIFAR_BYTES = 1 + 3 * 32 * 32


@dataclass(frozen=True)
class Images:
    """Images (n, channels, H, W), each channel normalised, and labels (n,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A data set in three parts that share no image.

    Training normalises by the training images alone; the test part plays no role in any choice.
    """

    name: str
    train: Images
    valid: Images
    test: Images

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return int(self.train.images.shape[1])

    @property
    def classes(self) -> int:
        """Classes to tell apart."""
        return int(self.train.labels.max()) + 1

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, train {len(self.train)}, valid {len(self.valid)}, test {len(self.test)})"


def dataset_named(name: str) -> Dataset:
    """The data set of this name: ``digits`` or ``cifar10:DIR``.

    Raises
    ------
    DatasetError
        There is none, or the folder does not hold it.
    """
    kind, _, folder = name.partition(":")
    if name == "digits":
        return digits()
    if kind == "cifar10" and folder:
        return _cifar10_split(folder)
    raise DatasetError(f"unknown data set {name!r}; allowed are digits and cifar10:DIR.")


@lru_cache(maxsize=1)
def digits() -> Dataset:
    """scikit-learn's 1,797 digits of 8x8 pixels, split by one fixed permutation into `DIGITS_SPLIT`."""
    pixels, labels = _raw_digits()
    order = torch.from_numpy(np.random.default_rng(SPLIT_SEED).permutation(len(pixels)))
    parts = torch.split(order, list(DIGITS_SPLIT.values()))
    train = pixels[parts[0]]
    normal = (pixels - train.mean()) / train.std()
    return Dataset("digits", *(Images(normal[part], labels[part]) for part in parts))


@lru_cache(maxsize=1)
def digits_as_images(edge: int) -> tuple[Tensor, Tensor]:
    """All digits as colour images of `edge` pixels, (1797, 3, edge, edge), and their labels."""
    pixels, labels = _raw_digits()
    normal = (pixels - pixels.mean()) / pixels.std()
    large = torch.nn.functional.interpolate(normal, size=(edge, edge), mode="bilinear", align_corners=False)
    return large.expand(-1, 3, -1, -1), labels


def _raw_digits() -> tuple[Tensor, Tensor]:
    from sklearn.datasets import load_digits

    data = load_digits()
    pixels = torch.from_numpy(data.images).float()[:, None] / 16.0
    return pixels, torch.from_numpy(data.target).long()


@lru_cache(maxsize=1)
def cifar10(folder: str) -> Images:
    """The 50,000 training images of a CIFAR-10 folder, in the binary or in the Python version of the archive.

    Raises
    ------
    DatasetError
        The folder holds neither.
    """
    return _normalised(*_read_cifar10(folder, _TRAIN_FILES))


@lru_cache(maxsize=1)
def _cifar10_split(folder: str) -> Dataset:
    """25,000 images to train, 25,000 to validate (as NAS-Bench-201's cifar10-valid), the 10,000 test images."""
    pixels, labels = _read_cifar10(folder, _TRAIN_FILES)
    order = torch.from_numpy(np.random.default_rng(SPLIT_SEED).permutation(len(pixels)))
    train, valid = order[: len(order) // 2], order[len(order) // 2 :]
    statistics = _statistics(pixels[train])
    test_pixels, test_labels = _read_cifar10(folder, ("test_batch",))
    return Dataset(
        "cifar10",
        _normalised(pixels[train], labels[train], statistics),
        _normalised(pixels[valid], labels[valid], statistics),
        _normalised(test_pixels, test_labels, statistics),
    )


def _statistics(pixels: Tensor) -> tuple[Tensor, Tensor]:
    values = pixels.float() / 255.0
    return values.mean(dim=(0, 2, 3), keepdim=True), values.std(dim=(0, 2, 3), keepdim=True)


def _normalised(pixels: Tensor, labels: Tensor, statistics: tuple[Tensor, Tensor] | None = None) -> Images:
    mean, deviation = statistics or _statistics(pixels)
    return Images((pixels.float() / 255.0 - mean) / deviation, labels)


def _read_cifar10(folder: str, names: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    root = Path(folder)
    pixels, labels = [], []
    for name in names:
        if (root / f"{name}.bin").is_file():
            images, classes = _read_binary(root / f"{name}.bin")
        elif (root / name).is_file():
            images, classes = _read_pickled(root / name)
        else:
            raise DatasetError(
                f"{folder!r} holds neither {name}.bin nor {name}; give the unpacked folder of the binary or the Python "
                "version of CIFAR-10."
            )
        pixels.append(images)
        labels.append(classes)
    return torch.from_numpy(np.concatenate(pixels)), torch.from_numpy(np.concatenate(labels)).long()


def _read_binary(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    data = np.fromfile(path, dtype=np.uint8)
    if not len(data) or len(data) % _CIFAR_BYTES:
        raise DatasetError(
            f"{path} has {len(data)} bytes, no multiple of the {_CIFAR_BYTES} of an image; unpack the archive again."
        )
    rows = data.reshape(-1, _CIFAR_BYTES)
    return rows[:, 1:].reshape(-1, 3, 32, 32), rows[:, 0]


class _ArraysOnly(pickle.Unpickler):
    """Reads arrays and plain values; anything else in the file is refused before it can run."""

    _ALLOWED = frozenset(
        {
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("_codecs", "encode"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of images")
        return super().find_class(module, name)


def _read_pickled(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    try:
        data = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        images = np.asarray(data[b"data"], dtype=np.uint8).reshape(-1, 3, 32, 32)
        labels = np.asarray(data[b"labels"], dtype=np.int64)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError) as error:
        raise DatasetError(
            f"{path} is no batch of CIFAR-10's Python version ({error}); unpack the archive again."
        ) from error
    return images, labels
