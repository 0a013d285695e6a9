"""Published rules that put proxies together, each over the pool that is chosen now."""

from __future__ import annotations

from typing import ClassVar

from predictor.door import Given, Needs, Predictor, Scores
from predictor.pooled.ranks import AZ_NAS, az_nas, swap_reg, te_nas


class TENAS(Predictor):
    """Sum of the ranks of ntk_cond and linear_regions.

    Chen et al., 2021 (arXiv 2102.11535).
    """

    name = "te_nas"
    needs = Needs(columns=("ntk_cond", "linear_regions"), extra="predict")
    depends_on_pool: ClassVar[bool] = True

    def score(self, given: Given) -> Scores:
        return Scores(te_nas(*given.columns.T))


class AZNAS(Predictor):
    """Sum of the logarithms of the ranks of AZ-NAS's four parts.

    Lee and Ham, 2024 (arXiv 2403.19232).
    """

    name = "az_nas"
    needs = Needs(columns=AZ_NAS, extra="predict")
    depends_on_pool: ClassVar[bool] = True

    def score(self, given: Given) -> Scores:
        return Scores(az_nas(*given.columns.T))


class SWAPReg(Predictor):
    """Swap, large networks preferred.

    Peng et al., "SWAP-NAS", 2024 (arXiv 2403.04161).
    """

    name = "swap_reg"
    needs = Needs(columns=("swap", "params"), extra="predict")
    depends_on_pool: ClassVar[bool] = True

    def score(self, given: Given) -> Scores:
        return Scores(swap_reg(*given.columns.T))
