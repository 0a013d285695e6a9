"""A predictor is asked, and whatever it does wrong becomes scores that failed, with the reason."""

from __future__ import annotations

import numpy as np

from catalog.errors import CatalogError, EncoderError, MissingExtraError
from catalog.user_code import place_of
from predictor.door.given import Given
from predictor.door.predictor import Predictor, Scores

FAILURES = (CatalogError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, OSError)
"""What makes a score a failed one. RuntimeError is how PyTorch reports everything from a shape to a matrix without
eigenvalues, ValueError how NumPy does; the others are the mistakes of plug-ins, which must not end a long job."""


def scored(predictor: Predictor, given: Given) -> Scores:
    """The scores that a predictor gives, each row with a number or a reason.

    A predictor that raises, or gives another number of rows, has failed for all; a value that is no number has failed
    for its architecture, but where no path leads from input to output: there nothing is expected.

    Raises
    ------
    MissingExtraError, EncoderError
        Something that the predictor needs is not on this machine.
    """
    count = len(given)
    try:
        found = predictor.score(given)
    except (MissingExtraError, EncoderError):  # of this machine, not of the architectures: nothing is stored
        raise
    except FAILURES as error:
        return _failed(count, place_of(error))
    mean = np.asarray(found.mean, dtype=np.float64)
    spread = None if found.spread is None else np.asarray(found.spread, dtype=np.float64)
    if mean.shape != (count,):
        return _failed(count, f"it gave scores of shape {mean.shape} for {count} architectures")
    if spread is not None and spread.shape != (count,):
        return _failed(count, f"it gave spreads of shape {spread.shape} for {count} architectures")
    if found.reasons is not None and len(found.reasons) != count:
        return _failed(count, f"it gave {len(found.reasons)} reasons for {count} architectures")
    reasons = list(found.reasons or [None] * count)
    lacking = ~np.isfinite(mean)
    for place in np.flatnonzero(lacking & given.connected).tolist():
        reasons[place] = reasons[place] or f"the value is {mean[place]}"
    mean = np.where(lacking, np.nan, mean)
    spread = None if spread is None else np.where(lacking | ~np.isfinite(spread), np.nan, spread)
    return Scores(mean, spread, reasons, found.facts)


def _failed(count: int, reason: str) -> Scores:
    nothing = np.full(count, np.nan)
    return Scores(nothing, None, [reason.splitlines()[0]] * count)
