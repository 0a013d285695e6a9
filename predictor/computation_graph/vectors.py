"""Vectors of networks that are made once: a search asks for those of the same architectures before each batch."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
    """What some encoders made of the architectures of a `Given`: vectors by read-out."""

    encoders: str
    is_known: NDArray[np.bool_]
    vectors: dict[str, NDArray[np.float32]]
    sizes: Values


_kept: WeakKeyDictionary[ReadNetworks, _Kept] = WeakKeyDictionary()


def vectors_of(encoders: Sequence[NetworkEncoder], given: Given, rows: Rows) -> tuple[Mapping[str, Values], Values]:
    """As `predictor.computation_graph.encoder.encoded`; what the last encoders made of a `given` is remembered."""
    read = given.read_networks
    if read is None or len(given) > MOST_KEPT:
        return encoded(encoders, given, rows)
    digest = digest_of(encoders)
    kept = _kept.get(read)
    if kept is None or kept.encoders != digest:
        count = len(given)
        kept = _kept[read] = _Kept(digest, np.zeros(count, dtype=bool), {}, np.zeros((count, 2)))
    new = np.unique(rows[~kept.is_known[rows]])
    if len(new) or not kept.vectors:
        found, kept.sizes[new] = encoded(encoders, given, new)
        for name, values in found.items():
            if name not in kept.vectors:
                kept.vectors[name] = np.zeros((len(given), values.shape[1]), dtype=np.float32)
            kept.vectors[name][new] = values
        kept.is_known[new] = True
    return {name: values[rows].astype(np.float64) for name, values in kept.vectors.items()}, kept.sizes[rows]


def digest_of(encoders: Sequence[NetworkEncoder]) -> str:
    """sha256 of the kinds and weights of encoders."""
    total = hashlib.sha256()
    for encoder in encoders:
        total.update(repr(encoder.config).encode())
        for name, values in encoder.state_dict().items():
            total.update(name.encode() + values.numpy().tobytes())
    return total.hexdigest()
