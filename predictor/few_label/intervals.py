"""How wide an interval must be to cover what it says, judged by labels that were left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Values = NDArray[np.float64]

COVERAGE = 0.9
"""Share of new labels that ``mean ± 1.645 spread`` shall hold."""
HALF_WIDTH = float(ndtri(0.5 + COVERAGE / 2))
_PRIOR = 20.0  # labels that speak for the spread as it is


def widening(residuals: Values, deviations: Values) -> float:
    """The factor on the deviations with which the share of left-out labels inside is `COVERAGE`.

    As split conformal prediction has it (Lei et al. 2018, section 2.2, with their correction for few labels), drawn
    towards 1 by few labels.
    """
    ratios = np.sort(np.abs(residuals) / deviations)
    place = min(int(np.ceil(COVERAGE * (len(ratios) + 1))), len(ratios)) - 1
    found = ratios[place] / HALF_WIDTH
    weight = len(ratios) / (len(ratios) + _PRIOR)
    return float(np.exp(weight * np.log(max(found, 1e-3))))
