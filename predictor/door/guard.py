"""A predictor is asked, and whatever it does wrong becomes scores that failed, with the reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import CatalogError, EncoderError, MissingExtraError, UserCodeError
from catalog.user_code import place_of, reported
from predictor.door.given import Given
from predictor.door.predictor import Predictor, Scores

FAILURES = (CatalogError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError, OSError)
"""What makes a score a failed one. RuntimeError is how PyTorch reports everything from a shape to a matrix without
eigenvalues, ValueError how NumPy does; the others are the mistakes of plug-ins, which must not end a long job."""


class _WrongScoresError(Exception):
    """What a predictor gave is no scores; the message says why."""


def ready(kind: type[Predictor], checkpoint: Path | None = None) -> Predictor:
    """A predictor that can score, or an error that says what its own code did wrong.

    Raises
    ------
    UsageError
        It has to be trained first, or the folder does not hold its weights.
    UserCodeError
        Its code fails.
    """
    with reported(kind.__name__):
        made = kind.ready(checkpoint)
        if not hasattr(made, "card"):
            raise UserCodeError(f"{kind.__name__} does not call super().__init__ in its constructor.")
        return made


def scored(predictor: Predictor, given: Given) -> Scores:
    """The scores that a predictor gives, each row with a number or a reason.

    A predictor that raises, gives another number of rows, or what are no numbers, has failed for all; a value that is
    not finite has failed for its architecture, but where no path leads from input to output: there nothing is expected.

    Raises
    ------
    MissingExtraError, EncoderError
        Something that the predictor needs is not on this machine.
    """
    count = len(given)
    try:
        return _checked(predictor.score(_read_only(given)), given)
    except (MissingExtraError, EncoderError):  # of this machine, not of the architectures: nothing is stored
        raise
    except _WrongScoresError as error:
        return failed(count, str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
        return failed(count, place_of(error))


def _checked(found: object, given: Given) -> Scores:
    count = len(given)
    if not isinstance(found, Scores):
        raise _WrongScoresError(f"it gave a {type(found).__name__}, not Scores")
    mean = _numbers(found.mean, count, "scores")
    spread = None if found.spread is None else _numbers(found.spread, count, "spreads")
    told = [None] * count if found.reasons is None else list(found.reasons)
    if len(told) != count:
        raise _WrongScoresError(f"it gave {len(told)} reasons for {count} architectures")
    reasons = [None if reason is None else str(reason).encode("utf-8", "replace").decode() for reason in told]
    lacking = ~np.isfinite(mean)
    for place in np.flatnonzero(lacking & given.connected).tolist():
        reasons[place] = reasons[place] or f"the value is {mean[place]}"
    mean = np.where(lacking, np.nan, mean)
    spread = None if spread is None else np.where(lacking | ~np.isfinite(spread), np.nan, spread)
    return Scores(mean, spread, reasons, found.facts)


def _numbers(values: object, count: int, what: str) -> NDArray[np.float64]:
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise _WrongScoresError(f"it gave {what} of type {array.dtype}, which are no real numbers")
    if array.shape != (count,):
        raise _WrongScoresError(f"it gave {what} of shape {array.shape} for {count} architectures")
    return array.astype(np.float64)


def _read_only(given: Given) -> Given:
    """What a predictor writes into stays its own."""

    def shown(values: NDArray[Any]) -> NDArray[Any]:
        view = values.view()
        view.setflags(write=False)
        return view

    return replace(
        given,
        columns=shown(given.columns),
        connected=shown(given.connected),
        optional={name: shown(values) for name, values in given.optional.items()},
        zero_shot={name: shown(values) for name, values in given.zero_shot.items()},
    )


def failed(count: int, reason: str) -> Scores:
    """No score for any of `count` architectures, and the first line of a reason."""
    nothing = np.full(count, np.nan)
    return Scores(nothing, None, [(reason.splitlines() or ["no reason was given"])[0]] * count)
