"""`tg_nas_universal` behind the door: a score for spaces that nobody tuned on."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from predictor.door import Given, Needs, Predictor, Scores
from predictor.universal.networks import networks_of
from predictor.universal.recipe import terms_of

AT_ONCE = 2_000


class TGNASUniversal(Predictor):
    """Size of the whole network, less what its structure is sure to cost; for spaces that nobody tuned on.

    The logarithm of the sum over layers of the square root of their multiply-accumulates, less costs of pooling on the
    mean way of the signal and of long shortest ways. It reads no labels and no weights.

    Direction: higher is better. Needs: whole networks with sizes, or cells, each of which is then applied to one image:
    the mean over them. An operator that is known by a sentence alone scores the mean of the three that are described
    alike. docs/tg_nas.md says how far to trust it.
    """

    name = "tg_nas_universal"
    needs = Needs(graphs=("native",), networks=True)
    has_spread: ClassVar[bool] = True

    def score(self, given: Given) -> Scores:
        mean, spread = np.full(len(given), np.nan), np.full(len(given), np.nan)
        connected = np.flatnonzero(given.connected).astype(np.int64)
        for start in range(0, len(connected), AT_ONCE):
            rows = connected[start : start + AT_ONCE]
            sums = np.zeros((3, len(rows)))  # scores, spreads, networks
            for networks, owners in networks_of(given, rows):
                terms = terms_of(networks)
                for total, values in zip(sums, (terms.score, terms.spread, np.ones(len(owners))), strict=True):
                    total += np.bincount(owners, values, minlength=len(rows))
            mean[rows], spread[rows] = sums[:2] / sums[2]
        return Scores(mean, spread)
