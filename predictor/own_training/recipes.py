"""How a space's networks are trained where the user says nothing: sizes, lengths, and their names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

from catalog.errors import UsageError
from catalog.tables.column_names import DIGITS, DIGITS_EPOCHS, OWN_TRAINING
from predictor.networks import published_config
from predictor.own_training.trainer import TrainConfig

_ON_DIGITS = {
    "nb101": TrainConfig(channels=16),  # up to five vertices share the channels of a module
    "darts": TrainConfig(cells=3),  # one of each: before, in and behind a reduction
}


def recipe(space: str, dataset: str, *, channels: int | None = None, cells: int | None = None) -> TrainConfig:
    """How the networks of a space are trained on a data set.

    Small networks on the digits; on any other data set the size in which the benchmark trained its own.

    Parameters
    ----------
    channels, cells
        The network's size where the user wants another, as in `predictor.networks.NetworkConfig`.
    """
    if dataset == DIGITS:
        config = _ON_DIGITS.get(space, TrainConfig())
    else:
        published = published_config(space)
        config = TrainConfig(channels=published.channels, cells=published.cells)
    return replace(config, channels=channels or config.channels, cells=cells or config.cells)


def length(dataset: str, epochs: int | None) -> int:
    """The number of epochs: as the user says, or the one that the digits were given by the agreement between seeds.

    Raises
    ------
    UsageError
        Nobody has chosen one for this data set.
    """
    if epochs is not None:
        return epochs
    if dataset == DIGITS:
        return DIGITS_EPOCHS
    raise UsageError(f"how long to train on {dataset!r} is for you to say: add --epochs N.")


def described(config: TrainConfig) -> str:
    """A recipe as text, equal for equal recipes; the version of the source that holds its results."""
    return json.dumps(asdict(config), sort_keys=True)


def source_name(space: str, dataset: str, config: TrainConfig) -> str:
    """``own-training``, followed by eight digits of the recipe's digest where it is not the usual one.

    Results of two recipes are never mixed in a column.
    """
    if config == recipe(space, dataset):
        return OWN_TRAINING
    return f"{OWN_TRAINING}-{hashlib.sha256(described(config).encode()).hexdigest()[:8]}"
