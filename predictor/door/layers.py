"""What proxies say of the layers of measured networks, as a predictor is given it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Layers:
    """The layers of M measured networks, in network order, and which network each of A architectures has.

    Inside a cell network order is that of the native graph. Architectures that compute one function share a network.

    Parameters
    ----------
    proxies
        The P proxies.
    network
        (A,) from 0 to M - 1; -1 for an architecture whose layers nobody has measured.
    owner
        (L,) the network of each layer, ascending.
    values
        (L, P) as the table ``layer_score`` has them; NaN where a proxy has none.
    parameters
        (L,) entries of the layer's weight; 0 for an activation.
    stage, repetition, node
        (L,) as in the table; -1 where it has none.
    role, operator
        (L,) as in the table; empty where it has none.
    """

    proxies: tuple[str, ...]
    network: Places
    owner: Places
    values: Values
    parameters: Places
    stage: Places
    repetition: Places
    node: Places
    role: Sequence[str]
    operator: Sequence[str]

    @property
    def networks(self) -> int:
        """M."""
        return int(self.owner.max(initial=-1)) + 1

    def of(self, rows: Places) -> Layers:
        """Those of some of the architectures; the networks of the others stay."""
        return replace(self, network=self.network[rows])
