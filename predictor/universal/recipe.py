r"""The recipe of `tg_nas_universal`: a size of the whole network, less what structure is sure to cost.

.. math:: \text{score} = \log \sum_l \sqrt{m_l} \; - \; 2.5\,p \; - \; 0.02\,\min(e, 50)

* :math:`m_l` are the multiply-accumulates of layer l of the live network: `root_macs`.
* Pooled share :math:`p`: weightless windows among all windows and weighted layers on the mean way of the signal.
* Excess :math:`e`: layers and windows on the shortest way that a longer way goes round. A plain chain has none, nor has
  a chain of residual blocks: only where ways are alternatives is a long shortest one a cost.

Every term is a function of the network alone, so one architecture can be scored. Nothing is fitted: both weights were
chosen by hand on the development spaces (docs/tg_nas.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch
from predictor.universal.flow import flow_of, totals

Values = NDArray[np.float64]

POOLED = 2.5
"""What a way of nothing but pooling costs, in logarithms of size."""
EXCESS = 0.02
"""What a layer of the shortest way costs that other ways go round."""
MOST_EXCESS = 50.0
"""Layers beyond which a longer way costs no more."""
UNSURE = 0.1
"""Spread of a score that size alone decides."""
DOUBT = 0.5
"""How much of what structure says is doubted."""


@dataclass(frozen=True)
class Terms:
    """The terms of the networks of a batch, each (G,); NaN where nothing is computed."""

    size: Values
    pooled: Values
    excess: Values

    @property
    def structure(self) -> Values:
        """What structure takes from the size."""
        return POOLED * self.pooled + EXCESS * np.minimum(self.excess, MOST_EXCESS)

    @property
    def score(self) -> Values:
        """Higher is better."""
        return np.asarray(self.size - self.structure)

    @property
    def spread(self) -> Values:
        """How unsure the score is: the more, the more structure had to say."""
        return np.asarray(np.hypot(UNSURE, DOUBT * self.structure))


def terms_of(batch: ComputationBatch) -> Terms:
    """The terms of each network of a batch."""
    flow = flow_of(batch)
    passed = totals(batch, flow.shares * (flow.layers + flow.pools))
    nothing = np.diff(batch.first_node) == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.log(totals(batch, flow.roots))
        pooled = totals(batch, flow.shares * flow.pools) / np.maximum(passed, 1e-9)
    size = np.where(nothing | ~np.isfinite(size), np.where(nothing, np.nan, 0.0), size)
    return Terms(size, pooled, np.maximum(flow.shortest - flow.bottleneck, 0.0))
