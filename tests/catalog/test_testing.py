"""The common test, on all that comes with the package, and on predictors and proxies that break a promise."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.testing import check_predictor
from predictor.door import Needs, Predictor, Scores
from predictor.door.registry import names, predictor_named
from predictor.zero_cost import Need, Proxy
from predictor.zero_cost.registry import registered

SHORT = {
    "parzc": {"epochs": 2, "channels": 16},
    "tg_nas": {"members": 1},
    "tg_nas_multi": {"members": 1},
}


@pytest.mark.parametrize("name", names())
def test_every_predictor_passes(name: str) -> None:
    check_predictor(predictor_named(name), SHORT.get(name))


@pytest.mark.parametrize("name", sorted(registered()))
def test_every_proxy_passes(name: str) -> None:
    check_predictor(type(registered()[name]))


class Plain(Predictor):
    """The first column."""

    name = "plain_column"
    needs = Needs(columns=("depth",))

    def score(self, given):
        return Scores(given.columns[:, 0])


class Random(Plain):
    """Draws anew each time."""

    def score(self, given):
        return Scores(np.random.default_rng().random(len(given)))


class OfThePool(Plain):
    """Less the mean of the pool, without saying so."""

    def score(self, given):
        return Scores(given.columns[:, 0] - np.nanmean(given.columns[:, 0]))


class ShortOfRows(Plain):
    """Leaves out what has no value."""

    def score(self, given):
        return Scores(given.columns[~np.isnan(given.columns[:, 0]), 0])


class SilentSpread(Plain):
    """Gives a spread that nobody asked for."""

    def score(self, given):
        return Scores(given.columns[:, 0], given.columns[:, 0])


class Unpicklable(Plain):
    """Holds a function that no process can import."""

    def __init__(self, options=None):
        super().__init__(options)
        self.weigh = lambda values: values


class Credulous(Plain):
    """Learns from anything."""

    needs = Needs(labels=True, columns=("depth",))

    def fit(self, sources, training):
        return self


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Random, "other scores when it is asked again"),
        (OfThePool, "depends_on_pool"),
        (ShortOfRows, "scores for 48 architectures"),
        (SilentSpread, "spread"),
        (Credulous, "learns from no labels"),
    ],
)
def test_a_broken_promise_is_named(kind: type[Predictor], words: str) -> None:
    check_predictor(Plain)
    with pytest.raises(AssertionError, match=words):
        check_predictor(kind)


def test_what_cannot_go_to_a_worker_is_refused() -> None:
    with pytest.raises((AttributeError, TypeError), match="pickle"):
        check_predictor(Unpicklable)


class Nothing(Proxy):
    """Is no number."""

    name = "nothing"
    needs = Need.COUNTS

    def measure(self, passes):
        return float("nan")


def test_a_proxy_without_values_is_refused() -> None:
    with pytest.raises(AssertionError, match="no value for a plain cell"):
        check_predictor(Nothing)
