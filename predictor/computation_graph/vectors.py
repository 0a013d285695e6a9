"""Vectors of networks that are made once: a search asks for those of the same architectures before each batch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from predictor.computation_graph.encoder import NetworkEncoder, Rows, Values, encoded
from predictor.door import Given
from predictor.door.given import ReadNetworks

MOST_KEPT = 50_000
"""Architectures of a space; the vectors of a larger one are not kept."""


@dataclass(frozen=True)
class _Kept:
    """What one encoder made of the architectures of a `Given`."""

    encoder: str
    is_known: NDArray[np.bool_]
    vectors: NDArray[np.float32]
    sizes: Values


_kept: WeakKeyDictionary[ReadNetworks, _Kept] = WeakKeyDictionary()


def vectors_of(encoder: NetworkEncoder, given: Given, rows: Rows) -> tuple[Values, Values]:
    """As `predictor.computation_graph.encoder.encoded`; what the last encoder made of a `given` is remembered."""
    read = given.read_networks
    if read is None or len(given) > MOST_KEPT:
        return encoded(encoder, given, rows)
    digest = digest_of(encoder)
    kept = _kept.get(read)
    if kept is None or kept.encoder != digest:
        count = len(given)
        nothing = np.zeros((count, encoder.vector), dtype=np.float32)
        kept = _kept[read] = _Kept(digest, np.zeros(count, dtype=bool), nothing, np.zeros((count, 2)))
    new = np.unique(rows[~kept.is_known[rows]])
    if len(new):
        vectors, kept.sizes[new] = encoded(encoder, given, new)
        kept.vectors[new] = vectors
        kept.is_known[new] = True
    return kept.vectors[rows].astype(np.float64), kept.sizes[rows]


def digest_of(encoder: NetworkEncoder) -> str:
    """sha256 of an encoder's kind and weights."""
    total = hashlib.sha256(repr(encoder.config).encode())
    for name, values in encoder.state_dict().items():
        total.update(name.encode() + values.numpy().tobytes())
    return total.hexdigest()
