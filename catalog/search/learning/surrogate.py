"""A predictor as a Bayesian search sees it: trained on the labels so far, it gives mean and spread of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError, UserCodeError
from catalog.nearest import did_you_mean
from catalog.search.methods.bayesian import ACQUISITIONS
from catalog.search.methods.problem import Asking, Candidate
from catalog.search.scores import ScoreSource
from catalog.search.stored_values import Rows

if TYPE_CHECKING:
    from catalog.search.request import Request
    from predictor.door import Given, Predictor

Values = NDArray[np.float64]

METHOD = "bayesian"


def completed(request: Request) -> Request:
    """A request that says how its method learns, so that a resumed search goes on in the same way.

    Raises
    ------
    UsageError
        Options that are for the method that learns are given for another one.
    """
    given = {
        "--predictor": request.predictor,
        "--set": request.settings or None,
        "--acquisition": request.acquisition,
        "--batch": request.batch,
    }
    if request.method == METHOD:
        return replace(
            request,
            predictor=_usual() if request.predictor is None else request.predictor,
            acquisition=Asking.acquisition if request.acquisition is None else request.acquisition,
            batch=Asking.batch if request.batch is None else request.batch,
        )
    if named := [option for option, value in given.items() if value is not None]:
        raise UsageError(f"{named[0]} is for --method {METHOD}; {request.method} learns from no labels.")
    return request


def asking_of(source: ScoreSource, request: Request, *, pooled: bool) -> Asking | None:
    """How a completed request asks for labels; None where its method learns from none.

    Raises
    ------
    UsageError
        There is no such predictor, acquisition or batch.
    """
    if request.method != METHOD or request.predictor is None or request.acquisition is None or request.batch is None:
        return None
    if request.acquisition not in ACQUISITIONS:
        hint = did_you_mean(request.acquisition, ACQUISITIONS)
        raise UsageError(
            f"unknown --acquisition {request.acquisition!r}. {hint}Choose one of {', '.join(ACQUISITIONS)}."
        )
    if request.batch < 1:
        raise UsageError(f"--batch {request.batch}: at least one label has to be asked for between two trainings.")
    surrogate = PredictorSurrogate(source, request.predictor, request.settings, pooled=pooled)
    return Asking(surrogate, request.acquisition, batch=request.batch)


class PredictorSurrogate:
    """Any predictor that learns and gives a spread.

    Parameters
    ----------
    source
        What the search knows of its space.
    name
        The predictor's name, or ``module:Class``.
    settings
        Its own options as ``NAME=VALUE``.
    pooled
        Whether all candidates are stored ones; then whatever the catalog holds of them is read.

    Raises
    ------
    UnknownProxyError
        There is no such predictor.
    UsageError
        It learns nothing, gives no spread, or has no such option.
    """

    def __init__(self, source: ScoreSource, name: str, settings: Sequence[str], *, pooled: bool) -> None:
        from catalog.extras import require
        from predictor.door.registry import predictor_named

        self._source = source
        self._name = name
        self._kind = predictor_named(name)
        self._options = dict(_pair(setting) for setting in settings)
        self._pooled = pooled
        if not (self._kind.needs.labels and self._kind.has_spread):
            what = "learns from no labels" if not self._kind.needs.labels else "says of no score how uncertain it is"
            raise UsageError(f"{name} {what}; --method {METHOD} needs both. {', '.join(_able())} can do both.")
        measured = (*self._kind.needs.columns, *self._kind.needs.layers)
        if measured and not pooled:
            raise UsageError(
                f"{name} reads {', '.join(measured)}, which architectures do not have that are not stored; choose "
                "stored ones with --where, or another --predictor."
            )
        if self._kind.needs.extra is not None:
            require(self._kind.needs.extra)
        self._kind.configured(self._options)
        self._held: Rows | None = None

    def believe(
        self, known: Sequence[Candidate], labels: Values, asked: Sequence[Candidate], seed: int
    ) -> tuple[Values, Values]:
        """Mean and spread of the labels of other candidates; see `catalog.search.methods.problem.Surrogate`.

        Raises
        ------
        UserCodeError
            The predictor fails, or gives no score at all.
        """
        from catalog.user_code import reported
        from predictor.door import Labelled, Training
        from predictor.door.guard import scored

        given, places = self._given([*known, *asked])
        values = np.full(len(given), np.nan)
        values[places[: len(known)]] = labels
        source = Labelled(f"{self._source.space.name} labels", given, values, tuple(one.key for one in known))
        with reported(self._name):
            model: Predictor = self._kind.configured(self._options).fit([source], Training(seed))
        found = scored(model, given)
        mean = self._kind.direction * found.mean[places[len(known) :]]
        if found.spread is None or not np.isfinite(mean).any():
            told = [reason for reason in found.reasons or () if reason]
            raise UserCodeError(f"{self._name} gives no scores after training: {told[0] if told else 'all are NaN'}.")
        return mean, found.spread[places[len(known) :]]

    def _given(self, candidates: Sequence[Candidate]) -> tuple[Given, NDArray[np.intp]]:
        """Architectures as a predictor is given them, the candidates among them, and the place of each candidate."""
        if self._pooled:
            rows = self._source.row_of(candidates)
            held = np.unique(rows)
            if self._held is None or not np.array_equal(held, self._held):  # they are the same in every batch
                self._held, self._taken = held, self._stored.taken(held)
            return self._taken, np.searchsorted(held, rows)
        from predictor.scoring.candidates import given_of

        native = [one.graph for one in candidates if one.graph is not None]
        canonical = [one.canonical for one in candidates if one.canonical is not None]
        return given_of(self._source.space, self._kind.needs, native, canonical), np.arange(len(candidates))

    @cached_property
    def _stored(self) -> Given:
        """All stored architectures, read once."""
        from predictor.encoding.stored_embeddings import recall
        from predictor.scoring.reading import read_given

        if self._kind.needs.reads_operators:
            recall(self._source.catalog, self._source.space.name)
        return read_given(self._source.catalog, self._source.space.name, self._kind.needs)[1]

    def __repr__(self) -> str:
        return f"PredictorSurrogate({self._name!r}, {self._source.space.name!r})"


def _able() -> list[str]:
    """The installed predictors that learn and give a spread, those first that are trained in seconds."""
    from predictor.door.registry import predictors

    able = {name: kind for name, kind in predictors().items() if kind.needs.labels and kind.has_spread}
    return sorted(able, key=lambda name: not able[name].trains_in_seconds)


def _usual() -> str:
    return _able()[0]


def _pair(setting: str) -> tuple[str, str]:
    name, sign, value = setting.partition("=")
    if not sign or not name:
        raise UsageError(f"--set {setting!r} is no option; write it as NAME=VALUE.")
    return name, value
