"""Encoders as arrays by name, for a checkpoint, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from predictor.computation_graph.encoder import NetworkEncoder
from predictor.graph_network.encoder import GraphEncoderConfig

State = Mapping[str, NDArray[Any]]

_FIRST = "encoder."


def weights_in(state: State) -> State:
    """Those of a checkpoint's arrays that are encoders'."""
    return {name: values for name, values in state.items() if name.startswith(_FIRST)}


def encoders_of(config: GraphEncoderConfig, weights: State, count: int) -> list[NetworkEncoder]:
    """The encoders of such arrays.

    Raises
    ------
    ValueError
        They are of another shape.
    """
    return [_encoder(config, weights, f"{_FIRST}{place}.") for place in range(count)]


def weights_of(encoders: Sequence[NetworkEncoder]) -> State:
    """Encoders as arrays by name."""
    return {
        f"{_FIRST}{place}.{name}": values.numpy()
        for place, encoder in enumerate(encoders)
        for name, values in encoder.state_dict().items()
    }


def _encoder(config: GraphEncoderConfig, weights: State, first: str) -> NetworkEncoder:
    """One encoder from those of some weights whose names begin so."""
    encoder = NetworkEncoder(config)
    own = {
        name.removeprefix(first): torch.from_numpy(values.copy())
        for name, values in weights.items()
        if name.startswith(first)
    }
    try:
        encoder.load_state_dict(own)
    except RuntimeError as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    return encoder.eval()


def digest_of(weights: State) -> str:
    """sha256 of such arrays, their names and shapes."""
    total = hashlib.sha256()
    for name in sorted(weights):
        total.update(f"{name} {weights[name].shape}".encode() + np.ascontiguousarray(weights[name]).tobytes())
    return total.hexdigest()
