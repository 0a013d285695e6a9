r"""The recipe of `tg_nas_universal`: a size of the whole network, less what structure is sure to cost.

.. math:: \text{score} = \frac{\log M + 0.1 \log P}{1.1} - 2.5\,p - 0.025\,\min(r, 60)

* :math:`M^{1.2} = \sum_l (b_l^2 m_l)^{0.6}` over the layers l of the live network with
  :math:`m_l` multiply-accumulates: `root_macs` with an exponent a little above one half, since depth counts for
  less than width where both vary widely.
* :math:`P = \sum_l b_l \sqrt{\theta_l}` is the same of parameters, with a small vote.
* :math:`b_l` is 0.7 for a layer that an identity could bypass (`predictor.universal.flow`) and 1 for one that brings
  the signal to another shape: half of the signal passes by where there is such a bypass, and a network must not lose by
  getting one.
* Pooled share p: weightless windows among all windows and weighted layers on the mean way of the signal.
* Shortest way r: layers and windows that keep the shape, on the way with fewest of them. A stride or a change of
  channels, which has to be passed, costs nothing; nor does a residual block.

Every term is a function of the network alone, so one architecture can be scored. In a space of many sizes the size
decides; where all are about as large, structure does. Nothing is fitted: the six numbers were chosen by hand on the
development spaces, and docs/tg_nas.md says what was tried.

The spread is that of the scores with structure counted half, once and one and a half times, and `UNSURE` where it
says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch
from predictor.universal.flow import flow_of, totals

Values = NDArray[np.float64]

EXPONENT = 0.6
"""Of a layer's multiply-accumulates; one half makes `root_macs`."""
BYPASSED = 0.7
"""What a layer counts that an identity could bypass."""
PARAMETERS = 0.1
"""The vote of the parameters beside that of the multiply-accumulates."""
POOLED = 2.5
"""What a way of nothing but pooling costs, in logarithms of size."""
ROUTE = 0.025
"""What a layer of the shortest way costs."""
LONGEST_ROUTE = 60.0
"""Layers beyond which a longer way costs no more."""
UNSURE = 0.05
"""Spread of a score that size alone decides."""
_ROOT = 0.5


@dataclass(frozen=True)
class Terms:
    """The terms of the networks of a batch, each (G,); NaN where nothing is computed.

    Parameters
    ----------
    macs, parameters
        Logarithms of the sums over layers.
    pooled
        Share of the mean way.
    route
        Layers of the shortest way.
    """

    macs: Values
    parameters: Values
    pooled: Values
    route: Values

    @property
    def size(self) -> Values:
        """How large the network is, as a logarithm."""
        return np.asarray((self.macs + PARAMETERS * self.parameters) / (1.0 + PARAMETERS))

    @property
    def structure(self) -> Values:
        """What structure takes from the size."""
        return np.asarray(POOLED * self.pooled + ROUTE * np.minimum(self.route, LONGEST_ROUTE))

    @property
    def score(self) -> Values:
        """Higher is better."""
        return np.asarray(self.size - self.structure)

    @property
    def spread(self) -> Values:
        """How unsure the score is."""
        return np.asarray(np.hypot(UNSURE, self.structure / np.sqrt(6.0)))


def terms_of(batch: ComputationBatch) -> Terms:
    """The terms of each network of a batch."""
    flow = flow_of(batch)
    nodes = batch.nodes
    repeats = nodes.repeats.astype(np.float64)
    counted = np.where(flow.could_be_bypassed, BYPASSED, 1.0)
    nothing = np.diff(batch.first_node) == 0

    def size(costs: Values, exponent: float) -> Values:
        layers = repeats * counted ** (2 * exponent) * (np.nan_to_num(costs) / repeats) ** exponent
        total = np.maximum(totals(batch, layers), 1.0)
        return np.where(nothing, np.nan, _ROOT / exponent * np.log(total))

    passed = totals(batch, flow.shares * (flow.layers + flow.pools))
    pooled = totals(batch, flow.shares * flow.pools) / np.maximum(passed, 1e-9)
    return Terms(
        size(nodes.multiply_accumulates, EXPONENT),
        size(nodes.parameters, _ROOT),
        pooled,
        flow.shortest,
    )
